"""While a request waits: its approvers are reminded, and later others are asked as well."""

from dataclasses import replace
from datetime import timedelta

from bot.core.approval import ESCALATE_AFTER, REMIND_AFTER, moment_after
from bot.core.decision import NeedsApproval, policies
from bot.core.errors import Conflict, DeputyError
from bot.core.lifecycle import Event, Happening, advance
from bot.core.run import Run
from bot.ports import Ports
from bot.service.record import record
from bot.service.votes import decide, matter, quorum


async def remind(ports: Ports) -> int:
    """Tell of every request that has waited long enough; return how many were told of."""
    due_until = ports.clock.now() + timedelta(seconds=ports.approval_ttl * (1 - REMIND_AFTER))
    waiting = await ports.store.late(due_until)
    return sum([await _tell(ports, run) for run in waiting])


async def _tell(ports: Ports, run: Run) -> bool:
    event = _due(ports, run)
    if event is None:
        return False
    happening = await _escalation(ports, run) if event is Event.ESCALATE else Happening(event)
    try:
        await record(ports, advance(run, happening, ports.clock.now()))
    except Conflict:
        return False
    return True


def _due(ports: Ports, run: Run) -> Event | None:
    """Say what there is to be told now; what has expired is not told of any more."""
    now, expires = ports.clock.now(), run.request.expires_at
    if now >= expires:
        return None
    if now >= moment_after(run.created, expires, ESCALATE_AFTER):
        return None if run.escalated else Event.ESCALATE
    late = now >= moment_after(run.created, expires, REMIND_AFTER)
    return Event.REMIND if late and not run.reminded else None


async def _escalation(ports: Ports, run: Run) -> Happening:
    """Ask policy who may approve what has waited so long; where it can't be asked, the same people as before."""
    later = replace(run, escalated=True)
    try:
        decision = decide(ports, await matter(ports, later), run.votes)
    except DeputyError:
        return Happening(Event.ESCALATE)
    if not isinstance(decision, NeedsApproval):
        return Happening(Event.ESCALATE)
    return Happening(Event.ESCALATE, quorum=quorum(ports, decision, run.needed), policies=policies(decision))
