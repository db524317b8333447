"""What time brings: approvals expire, lost runs are named, queued ones are found again."""

from bot.core.errors import Conflict
from bot.core.lifecycle import Event, Happening, advance
from bot.core.run import Run, State
from bot.ports import Ports
from bot.service.record import record

EVERYTHING = 100_000


async def expire(ports: Ports) -> int:
    """End every request whose time to decide is over; return how many."""
    now = ports.clock.now()
    waiting = await ports.store.runs(states=(State.AWAITING_APPROVAL,), limit=EVERYTHING)
    late = [run for run in waiting if now >= run.request.expires_at]
    return sum([await _end(ports, run, Happening(Event.EXPIRE)) for run in late])


async def recover(ports: Ports) -> int:
    """After a start: name the runs whose script died with the last process; only idempotent ones run again.

    Safe only where no other process runs scripts on the same data (`Engine.exclusive`).
    """
    lost = await ports.store.runs(states=(State.RUNNING,), limit=EVERYTHING)
    for run in lost:
        event = Event.REQUEUE if run.idempotent else Event.INTERRUPT
        await _end(ports, run, Happening(event, facts={"lost_worker": run.worker}))
    return len(lost)


async def requeue(ports: Ports) -> int:
    """Tell the engine of every queued run, oldest first: its word may be lost, the store's isn't."""
    queued = await ports.store.runs(states=(State.QUEUED,), limit=EVERYTHING)
    for run in reversed(queued):
        await ports.engine.remind(run.id)
    return len(queued)


async def _end(ports: Ports, run: Run, happening: Happening) -> bool:
    try:
        await record(ports, advance(run, happening, ports.clock.now()))
    except Conflict:
        return False
    return True
