"""Clearing a queued run for its start: everything is decided and counted again with the rights of this moment."""

from dataclasses import dataclass, replace

from bot.core.action import Action
from bot.core.approval import Vote
from bot.core.decision import Deny, NeedsApproval, Permit, policies
from bot.core.errors import DeputyError
from bot.core.lifecycle import Event, Happening, advance
from bot.core.run import Run
from bot.ports import Ports
from bot.service.record import record
from bot.service.refusal import of_another, refusal
from bot.service.sealed import broken_seal, refuse_changed
from bot.service.votes import decide, matter, quorum, recount, voided


@dataclass(frozen=True)
class Cleared:
    """What may start now: the action, and the policies that permit it."""

    action: Action
    policies: tuple[str, ...]


async def clear(ports: Ports, run: Run) -> Cleared | None:
    """Return what a queued run may start now (rule 4), or None: then it is refused, or asks for approval again.

    Raises Conflict where somebody changed the run meanwhile.
    """
    if ports.clock.now() >= run.request.expires_at:
        await _end(ports, run, "It waited too long to start and has expired. Ask for it again.")
        return None
    try:
        about = await matter(ports, run)
        broken = await broken_seal(ports, run, about.action)
        votes = await recount(ports, about)
    except DeputyError as error:
        await _end(ports, run, f"It could not be checked, so it was not started: {error}")
        return None
    if broken:
        await refuse_changed(ports, run, about.action, broken)
        return None
    decision = decide(ports, about, votes)
    if isinstance(decision, Deny):
        await _end(ports, run, *refusal(ports, of_another(decision, about.requester)), by=policies(decision))
        return None
    if isinstance(decision, Permit) and replace(run, votes=votes).tally.complete:
        return Cleared(about.action, policies(decision))
    again = replace(_asked_again(ports, run, decision, votes), policies=policies(decision))
    await record(ports, advance(run, again, ports.clock.now()))
    return None


async def clear_now(ports: Ports, run: Run) -> Cleared | None:
    """Return what a run that was permitted a moment ago may start now, by the same checks; None where not.

    Nothing is done then: `clear` says why when it is the run's turn. Raises Refused, NotFound, Unavailable.
    """
    about = await matter(ports, run)
    if await broken_seal(ports, run, about.action):
        return None
    decision = decide(ports, about, run.votes)
    return Cleared(about.action, policies(decision)) if isinstance(decision, Permit) else None


async def _end(ports: Ports, run: Run, *reasons: str, by: tuple[str, ...] = ()) -> None:
    happening = Happening(Event.REFUSE, reasons=reasons, policies=by)
    await record(ports, advance(run, happening, ports.clock.now()))


def _asked_again(ports: Ports, run: Run, decision: Permit | NeedsApproval, votes: tuple[Vote, ...]) -> Happening:
    """Let a run wait again whose approvals are no longer enough, and say whose are void."""
    void = voided(run, votes)
    why = [vote.void for vote in void] or ["It needs more approvals by now than it has."]
    needs = quorum(ports, decision, run.needed) if isinstance(decision, NeedsApproval) else None
    return Happening(Event.VOID, voided=void, quorum=needs, reasons=tuple(why))
