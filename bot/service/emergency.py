"""Breaking the glass: each use takes the right to do it again, until another person has reviewed it."""

from bot.core.audit import Tag
from bot.core.principal import Who
from bot.core.run import Run, State
from bot.ports import Ports
from bot.service.authorise import Emergency

EVERYTHING = 100_000


async def emergency(ports: Ports, who: Who, run: Run | None = None) -> Emergency:
    """Return what is known of an emergency of somebody's: `run`, or one that is being asked for.

    Of two at the same moment the one asked for first is the earlier one, so that one of them may run.
    """
    theirs = await ports.store.runs(requester=who, limit=EVERYTHING)
    used = [one for one in theirs if one.request.break_glass and _earlier(one, run)]
    return Emergency(sum([not await reviewed(ports, one) for one in used]))


def _earlier(one: Run, run: Run | None) -> bool:
    if run and one.id == run.id:
        return False
    waits = one.state is State.QUEUED and (run is None or (one.created, one.id) < (run.created, run.id))
    return one.started is not None or waits


async def reviewed(ports: Ports, run: Run) -> bool:
    """Say whether somebody has reviewed an emergency."""
    entries = await ports.store.entries(subject=run.id)
    return any(entry.tag == Tag.EMERGENCY_REVIEWED for entry in entries)
