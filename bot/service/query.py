"""Looking: my runs, what waits for me, a run's state and what it said, an audit entry."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from bot.core import cards, lifecycle, wording
from bot.core.audit import Entry, read_reference
from bot.core.canonical import Json
from bot.core.card import Card, Fact, Table
from bot.core.errors import Invalid, NotFound
from bot.core.principal import Who
from bot.core.run import Run, State
from bot.core.text import visible
from bot.ports import Ports
from bot.service.background import whole
from bot.service.menu import broken_policies
from bot.service.record import refused
from bot.service.reply import Caller
from bot.service.sight import approver_of, visible_run


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
        broken_policies(ports) or "Nothing waits for your decision.",
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
