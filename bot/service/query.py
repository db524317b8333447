"""Looking: what I may do, my runs, what waits for me, a run's state, an audit entry, who I am."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence

from bot.core import cards, lifecycle, wording
from bot.core.action import Action
from bot.core.audit import Entry, Tag, read_reference
from bot.core.canonical import Json
from bot.core.card import FAVOURITES, MOST_USED, Card, Fact, Item, Menu, Table
from bot.core.command import VERBS
from bot.core.decision import Decision, Deny, NeedsApproval, Permit
from bot.core.errors import DeputyError, Invalid, NotFound
from bot.core.parameter import Kind, Parameter
from bot.core.principal import Who
from bot.core.run import Run, State
from bot.core.takes import needed, takes
from bot.core.text import visible
from bot.ports import Ports
from bot.service.authorise import authorise, could, decisions, opens
from bot.service.background import whole
from bot.service.record import refused
from bot.service.refusal import closed, refusal
from bot.service.reply import Caller
from bot.service.submit import find
from bot.service.votes import Matter, Right, right

MOST = 5  # of the most used
_TYPED = (
    "/deputy help <action> tells more; /deputy <action> name=value asks for it without a form. "
    "What needs an approval waits for that."
)


def may_do(ports: Ports, caller: Caller) -> Mapping[str, Decision]:
    """Return the decision on every action somebody may run or ask for."""
    answers = decisions(ports, caller.principal, ports.catalog.catalog(), caller.door)
    return {name: decision for name, decision in answers.items() if not isinstance(decision, Deny)}


async def menu(ports: Ports, caller: Caller) -> Card:
    """What I may do: my favourites first, then the most used, then by category."""
    mine = may_do(ports, caller)
    catalog = ports.catalog.catalog()
    actions = sorted(
        (action for action in catalog if action.id in mine), key=lambda one: (one.category, one.title)
    )
    if not actions:
        return Card("Nothing you may do yet", lead=_broken_policies(ports) or await _nothing(ports, caller))
    usage = await ports.store.usage(caller.principal.who)
    marked = await ports.store.favourites(caller.principal.who)
    favourites = [action for action in actions if action.id in marked]
    often = [
        name for name, _ in sorted(usage.items(), key=lambda one: -one[1]) if name in mine and name not in marked
    ]
    used = [catalog.actions[name] for name in often[:MOST]]
    first = ((FAVOURITES, favourites), (MOST_USED, used))
    menus = [Menu(heading, tuple(_item(one, mine, marked) for one in found)) for heading, found in first if found]
    for category in dict.fromkeys(action.category for action in actions):
        items = tuple(_item(action, mine, marked) for action in actions if action.category == category)
        menus.append(Menu(category.replace("-", " ").capitalize(), items))
    return Card(
        "What you may do",
        lead=f"{wording.count(len(actions), 'action')} for you. Choose one to fill in its form.",
        blocks=tuple(menus),
        footnote=_TYPED,
    )


async def _nothing(ports: Ports, caller: Caller) -> str:
    """Say why somebody may run nothing: who holds a role may well have to decide what others ask for."""
    who = caller.principal
    roles = [ports.policy.role(role).title for role in sorted(who.roles)]
    if roles:
        told = (
            f"You are {who.name} and hold {wording.listed(roles)}, which lets you run nothing here now.",
            *await closed(ports, caller),
            "What waits for your decision is under /deputy approvals.",
        )
        return " ".join(told)
    return (
        f"You are {who.name}, and none of your groups gives you a role here. "
        "If you should have one, ask the people who look after Deputy to add your group to a role."
    )


def _broken_policies(ports: Ports) -> str:
    """Say what is wrong with the policies, empty where nothing is: while they are broken, nobody holds a role."""
    try:
        ports.policy.version()
    except DeputyError as fault:
        return f"The policies are broken, so nothing is allowed until whoever keeps them mends this: {fault}"
    return ""


def _item(action: Action, mine: Mapping[str, Decision], marked: Collection[str]) -> Item:
    decision = mine[action.id]
    needs = f", {wording.count(decision.count, 'approval')}" if isinstance(decision, NeedsApproval) else ""
    note = f"{wording.RISKS[action.risk]}{needs}"
    return Item(action.id, action.title, action.summary, note, favourite=action.id in marked)


def help_card(ports: Ports, caller: Caller, name: str) -> Card:
    """How to speak to Deputy, or all about one action."""
    rows = _rows(ports)
    if name in VERBS:
        rows = tuple(row for row in rows if name in row[0].split()) or rows
    elif name:
        return _about(ports, caller, name)
    return Card("How to ask Deputy", blocks=(Table(("Type", "and get"), rows),))


def _rows(ports: Ports) -> tuple[tuple[str, str], ...]:
    return (
        ("/deputy", "what you may do"),
        ("/deputy unlock-account alice", "run an action; what is missing opens a form"),
        ("/deputy disk-usage path=/var", "give a parameter by its name"),
        ("/deputy help <action>", "what an action does and takes"),
        ("/deputy mine", "your latest runs"),
        ("/deputy approvals", "what waits for your decision"),
        ("/deputy status R-…", "a run, with everything that was sealed"),
        ("/deputy compare R-… R-…", "what differs between two runs; with one, between it and the run before"),
        ("/deputy cancel R-… · rerun R-…", "stop a run, or ask for it again"),
        ("/deputy approve R-… comment · deny R-… reason", "decide without the buttons"),
        ('/deputy break-glass <action> … reason="…"', "run it at once in an emergency; somebody reviews it after"),
        ("/deputy review R-… what you found", "review somebody's emergency"),
        ("/deputy audit AUD-…", "an entry of the audit log"),
        ("/deputy away until 2026-12-01 approvals to @name · back", "let somebody approve in your place"),
        (
            "/deputy favourite <action> · unfavourite <action>",
            "have it before all others in the menu, or no longer",
        ),
        ("/deputy whoami", "who you are here, your roles and why"),
        *(
            (("/deputy link · unlink", "say whose this chat account is, or take that back"),)
            if ports.link_page
            else ()
        ),
    )


def _about(ports: Ports, caller: Caller, name: str) -> Card:
    action = find(ports, caller, name)
    rows = tuple(
        (one.name, takes(one), needed(one, action.parameters), one.help or one.label) for one in action.parameters
    )
    saved = (Fact("Saves about", wording.count(action.minutes_saved, "minute")),) if action.minutes_saved else ()
    facts = (Fact("Risk", wording.RISKS[action.risk]), Fact("Target", action.target), *saved)
    blocks = (Table(("Parameter", "Takes", "Needed", "What it is"), rows),) if rows else ()
    return Card(
        action.title,
        lead=f"{action.summary.rstrip('.')}. {_when_asked(ports, caller, action)}",
        facts=facts,
        blocks=blocks,
        footnote=" ".join((f"/deputy {action.id}", *_typed(action.parameters))),
    )


def _when_asked(ports: Ports, caller: Caller, action: Action) -> str:
    """Say what comes of asking for an action now; where it is refused, why, and what would make it possible."""
    decision = could(ports, caller.principal, action, caller.door)
    if isinstance(decision, Deny):
        from_when = opens(ports, caller.principal, action, {}, caller.door)
        return " ".join(("You may not run it.", *refusal(ports, decision, from_when)))
    runs = isinstance(decision, Permit)
    return "It runs at once when you ask." if runs else "It needs approval when you ask."


def _typed(parameters: tuple[Parameter, ...]) -> Iterator[str]:
    """Give what has to be typed of parameters at least: no secret is."""
    return (f"{one.name}=…" for one in parameters if one.required and not one.when and one.kind is not Kind.SECRET)


async def mine(ports: Ports, caller: Caller) -> Card:
    """My latest runs."""
    return _list(
        "Your runs",
        await ports.store.runs(requester=caller.principal.who, limit=20),
        "You have asked for nothing yet.",
    )


async def approvals(ports: Ports, caller: Caller) -> Card:
    """What waits for my decision."""
    waiting = await ports.store.runs(states=(State.AWAITING_APPROVAL,), limit=200)
    me = caller.principal.who
    own = [
        run
        for run in waiting
        if run.request.requester != me and not any(vote.approver == me for vote in run.votes)
    ]
    mine = []
    for run in own:
        await asyncio.sleep(0)  # each takes half a millisecond, and others want to go on meanwhile
        if await approver_of(ports, caller, run):
            mine.append(run)
    return _list(
        "Waiting for your decision",
        mine,
        _broken_policies(ports) or "Nothing waits for your decision.",
        "/deputy status R-… shows all that was sealed; /deputy approve R-… or deny R-… reason decides.",
    )


def _list(title: str, runs: Sequence[Run], nothing: str, footnote: str = "") -> Card:
    if not runs:
        return Card(title, lead=nothing)
    rows = tuple(
        (
            run.id,
            run.title,
            _arguments(run),
            lifecycle.wording(run.state),
            wording.name(run.request.requester),
            wording.clock(run.created),
        )
        for run in runs
    )
    table = Table(("Run", "Action", "With", "State", "Asked by", "When"), rows)
    return Card(title, blocks=(table,), footnote=footnote)


def _arguments(run: Run) -> str:
    return ", ".join(fact.value for fact in cards.argument_facts(run)) or "–"


async def status(ports: Ports, caller: Caller, run_id: str) -> Card:
    """A run with everything that was sealed, nothing shortened."""
    run = await visible_run(ports, caller, run_id)
    card = cards.full_card(run)
    entries = await ports.store.entries(subject=run.id, limit=100)
    history = tuple((one.reference, one.tag, visible(one.actor_name), wording.clock(one.at)) for one in entries)
    table = Table(("Audit entry", "What", "Who", "When"), history)
    return Card(
        **{**vars(card), "blocks": (*card.blocks, table), "audit": entries[-1].reference if entries else ""}
    )


async def audit(ports: Ports, caller: Caller, reference: str) -> Card:
    """An entry of the audit log that tells of something this person may see (A9)."""
    read = read_reference(reference)
    if read is None:
        raise Invalid("An audit reference looks like AUD-000123-9f3a2c.")
    sequence, start = read
    found = await ports.store.entries(after=sequence - 1, limit=1)
    if not found or found[0].sequence != sequence or not found[0].hash.startswith(start):
        raise NotFound(f"There is no audit entry {reference.upper()} that you may see.")
    entry = found[0]
    if Who(entry.tenant, entry.actor) != caller.principal.who:
        try:
            await visible_run(ports, caller, entry.subject)
        except NotFound:
            raise NotFound(f"There is no audit entry {reference.upper()} that you may see.") from None
    return _entry_card(entry)


def _entry_card(entry: Entry) -> Card:
    holds = "Its hash holds." if entry.hash == entry.computed() else "Its hash does NOT hold: it was changed."
    facts = (
        Fact("What", entry.tag, code=True),
        Fact("Who", visible(entry.actor_name or entry.actor)),
        Fact("When", entry.at.isoformat(timespec="milliseconds"), code=True),
        Fact("About", visible(entry.subject), code=True),
        *(
            Fact(wording.label(name), _plain(value), code=True)
            for name, value in _told(entry)
            if value not in (None, "")
        ),
        Fact("Hash", entry.hash, code=True),
        Fact("Previous", entry.previous, code=True),
    )
    return Card(f"Audit entry {entry.sequence}", lead=holds, facts=facts, audit=entry.reference)


def _told(entry: Entry) -> Iterator[tuple[str, Json]]:
    """Give an entry's facts one by one, those of a sealed request too."""
    for name, value in entry.facts.items():
        if name == "request" and isinstance(value, Mapping):
            said = ("tenant", "requester", "action")
            yield from (one for one in value.items() if one[0] not in said and one[1] != entry.facts.get(one[0]))
        else:
            yield name, value


def _plain(value: Json) -> str:
    return visible(cards.cell(value))


def whoami(ports: Ports, caller: Caller) -> Card:
    """Who I am here: my identity, my roles, and which group gives each."""
    principal = caller.principal
    facts = [Fact("Tenant", principal.who.tenant, code=True), Fact("Object id", principal.who.oid, code=True)]
    for role in sorted(principal.roles):
        info = ports.policy.role(role)
        group = next((one for one in sorted(principal.groups) if role in ports.policy.roles([one])), "?")
        facts.append(Fact(f"Role {info.title}", f"by group {group}", code=True))
    lead = (
        "Your roles come from your groups, never from your own rights."
        if principal.roles
        else _broken_policies(ports)
        or "None of your groups gives you a role here, so there is nothing you may run."
    )
    return Card(principal.name, lead=lead, facts=tuple(facts))


async def output(ports: Ports, caller: Caller, run_id: str) -> str:
    """Return the whole output of a run; a private one to its requester alone."""
    run = await visible_run(ports, caller, run_id)
    if run.private and caller.principal.who != run.request.requester:
        await refused(ports, caller, run.id, "The result is private to its requester.")
        raise NotFound(f"The result of {run.id} was for {wording.name(run.request.requester)} alone.")
    kept = await ports.store.output(run.id)
    if kept is None or (kept.expires and kept.expires <= ports.clock.now()):
        raise NotFound(
            f"The output of {run.id} is no longer kept." if run.state.ended else f"{run.id} hasn't ended yet."
        )
    return kept.text if kept.sealed is None else ports.vault.open_text(run.id, kept.sealed)


async def changes(ports: Ports, caller: Caller, run_id: str) -> str:
    """Return all that has changed in the scripts of a run since what its card compares them with."""
    return await whole(ports, await visible_run(ports, caller, run_id))


async def visible_run(ports: Ports, caller: Caller, run_id: str) -> Run:
    """Return a run that this person may see: their own, one they may approve, or of an action they may run."""
    run = await existing_run(ports, run_id)
    if await sees(ports, caller, run):
        return run
    await refused(ports, caller, run.id, "They may not see this run.")
    raise _no_run(run_id)


async def sees(ports: Ports, caller: Caller, run: Run) -> bool:
    """Say whether this person may see a run."""
    if caller.principal.who == run.request.requester or await _may_run(ports, caller, run):
        return True
    return await approver_of(ports, caller, run)


async def existing_run(ports: Ports, run_id: str) -> Run:
    """Return a run by its id as people type it. Raises NotFound in the words for one that is hidden."""
    try:
        return await ports.store.run(run_id.strip().upper())
    except NotFound:
        raise _no_run(run_id) from None


def _no_run(run_id: str) -> NotFound:
    return NotFound(
        f"There is no run {visible(run_id.strip().upper()[:20])} that you may see. "
        "More than its card is for who asked for it, may run its action or may approve it."
    )


async def _may_run(ports: Ports, caller: Caller, run: Run) -> bool:
    if run.state is State.REFUSED and not await was_handed_over(ports, run):
        return False
    try:
        action = ports.catalog.action(run.request.action)
    except DeputyError:
        return False
    return not isinstance(authorise(ports, caller.principal, action, run.request.arguments, caller.door), Deny)


async def was_handed_over(ports: Ports, run: Run) -> bool:
    """Say whether a refused request was shown to those who could run it."""
    entries = await ports.store.entries(subject=run.id, limit=100) if run.could else ()
    return any(entry.tag == Tag.REQUEST_HANDED_OVER for entry in entries)


async def approver_of(ports: Ports, caller: Caller, run: Run) -> bool:
    """Say whether somebody may vote on a run's request: by their own right or in the place of who is away."""
    find = ports.directory.recent
    try:
        about = Matter(run, ports.catalog.action(run.request.action), await find(run.request.requester))
        return isinstance(await right(ports, about, caller.principal, find), Right)
    except DeputyError:
        return False
