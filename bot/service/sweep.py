"""What time brings: approvals expire, lost runs are named, queued ones are found again."""

from bot.core.errors import Conflict
from bot.core.lifecycle import Event, Happening, advance
from bot.core.run import Run, State
from bot.ports import Ports
from bot.service.record import record

EVERYTHING = 100_000


async def expire(ports: Ports) -> int:
    """End every request whose time to decide is over; return how many."""
    late = await ports.store.late(ports.clock.now())
    return sum([await end(ports, run, Happening(Event.EXPIRE)) for run in late])


async def recover(ports: Ports) -> int:
    """After a start: name the runs whose script died with the last process; only idempotent ones run again.

    Safe only where no other process runs scripts on the same data (`Engine.exclusive`).
    """
    lost = await ports.store.runs(states=(State.RUNNING,), limit=EVERYTHING)
    return sum([await give_up(ports, run) for run in lost])


async def give_up(ports: Ports, run: Run) -> bool:
    """Take a run from a worker that is dead: what its script did is unknown; only an idempotent one runs again."""
    event = Event.REQUEUE if run.idempotent else Event.INTERRUPT
    return await end(ports, run, Happening(event, facts={"lost_worker": run.worker}))


async def requeue(ports: Ports, most: int = EVERYTHING) -> int:
    """Tell the engine of queued runs, oldest first: its word may be lost, the store's isn't."""
    queued = await ports.store.queued(most)
    for run in queued:
        await ports.engine.remind(run)
    return len(queued)


async def end(ports: Ports, run: Run, happening: Happening) -> bool:
    """Take a run on without anybody's asking; False where somebody changed it meanwhile."""
    try:
        await record(ports, advance(run, happening, ports.clock.now()))
    except Conflict:
        return False
    return True
