"""What I may do: the menu, help on all of it and on one action, and who I am here."""

from collections.abc import Collection, Iterator, Mapping

from bot.core import wording
from bot.core.action import Action
from bot.core.card import FAVOURITES, MOST_USED, Card, Fact, Item, Menu, Table
from bot.core.command import VERBS
from bot.core.decision import Decision, Deny, NeedsApproval, Permit
from bot.core.errors import DeputyError
from bot.core.parameter import Kind, Parameter
from bot.core.takes import needed, takes
from bot.ports import Ports
from bot.service.authorise import could, decisions, opens
from bot.service.refusal import closed, refusal
from bot.service.reply import Caller
from bot.service.submit import find

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
        return Card("Nothing you may do yet", lead=broken_policies(ports) or await _nothing(ports, caller))
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


def broken_policies(ports: Ports) -> str:
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
        else broken_policies(ports)
        or "None of your groups gives you a role here, so there is nothing you may run."
    )
    return Card(principal.name, lead=lead, facts=tuple(facts))
