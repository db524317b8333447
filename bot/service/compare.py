"""Comparing two runs: why did the same action do something else this time?"""

import logging

from bot.core.background import FileChange, file_change
from bot.core.card import Card
from bot.core.comparison import compared
from bot.core.errors import DeputyError, Invalid, NotFound
from bot.core.run import Run, State
from bot.ports import Ports
from bot.service.reply import Caller
from bot.service.sight import sees, visible_run

log = logging.getLogger(__name__)

MOST = 50  # runs that are looked through for the one before
_RAN = (State.SUCCEEDED, State.FAILED, State.TIMED_OUT, State.INTERRUPTED, State.CANCELLED)


async def comparable(ports: Ports, action: str) -> bool:
    """Say whether some run of an action has ended. Once one has, that is remembered, not looked up again.

    Whether another run starts does not hang on this: where the runs before can't be read, there are none.
    """
    if action not in ports.comparable:
        try:
            ran = await _ran(ports, action)
        except DeputyError as error:
            log.warning("whether %s ran before is not known: %s", action, error)
            return False
        if ran:
            ports.comparable.add(action)
    return action in ports.comparable


async def compare(ports: Ports, caller: Caller, run_id: str, other_id: str = "") -> Card:
    """Compare two runs of one action that somebody may see; without `other_id`, with the one before.

    Raises NotFound where there is none, Invalid for runs of two actions.
    """
    run = await visible_run(ports, caller, run_id)
    other = await (visible_run(ports, caller, other_id) if other_id else _before(ports, caller, run))
    if run.id == other.id:
        raise Invalid(f"Name two runs: {run.id} differs in nothing from itself.")
    if run.request.action != other.request.action:
        raise Invalid(
            f"{other.id} ran {other.request.action} and {run.id} ran {run.request.action}: "
            "only runs of one action can be compared."
        )
    first, second = sorted((run, other), key=lambda one: (one.started or one.created, one.id))
    for one in (first, second):
        if one.state.ended and not one.started:
            raise Invalid(f"{one.id} never ran, so there is nothing to compare.")
    return compared(first, second, await _script(ports, first, second))


async def _before(ports: Ports, caller: Caller, run: Run) -> Run:
    """Return what a run is compared with: what it repeats, or the last before it, best with the same arguments."""
    repeated = await visible_run(ports, caller, run.rerun_of) if run.rerun_of else None
    if repeated and (repeated.started or not repeated.state.ended):
        return repeated
    ran, begun = await _ran(ports, run.request.action), run.started or run.created
    earlier = [one for one in ran if (one.started or begun) < begun and await sees(ports, caller, one)]
    alike = [one for one in earlier if one.request.arguments == run.request.arguments]
    for one in (*alike, *earlier):
        return one
    raise NotFound(f"There is no earlier run of {run.request.action} that you may see, to compare {run.id} with.")


async def _ran(ports: Ports, action: str) -> list[Run]:
    """Return the last runs of an action that came to an end, without those that never began."""
    return [run for run in await ports.store.runs(states=_RAN, action=action, limit=MOST) if run.started]


async def _script(ports: Ports, first: Run, second: Run) -> FileChange | None:
    """Return how the script was changed between two runs; None where it wasn't, or is no longer kept."""
    shas = first.request.script, second.request.script
    if shas[0] == shas[1]:
        return None
    try:
        before, after = [await ports.store.script(sha) for sha in shas]
    except DeputyError:
        return None
    return file_change(second.request.action, before, after)
