"""Who lives: each worker counts on in the store, and one whose count stands still for too long is taken for dead.

No clock but each process's own is asked, and only for how much time has passed: a clock that is set back or
forth, here or on the database's machine, kills nobody.
"""

from collections.abc import Callable, Mapping
from time import monotonic

from bot.core.run import State
from bot.ports import Ports
from bot.service.sweep import EVERYTHING, give_up

LEASE = 30.0  # seconds a count may stand still
FORGOTTEN = 100  # leases until a worker that is dead is forgotten


class Pulse:
    """One worker's own count, and what it has seen of the others'. `lease` is in seconds."""

    def __init__(
        self, ports: Ports, name: str, lease: float = LEASE, clock: Callable[[], float] = monotonic
    ) -> None:
        self._ports = ports
        self._name = name
        self._lease = lease
        self._clock = clock
        self._beaten = clock()
        self._seen: dict[str, tuple[int, float]] = {}

    async def beat(self) -> None:
        """Count one on. Raises Unavailable."""
        asked = self._clock()
        await self._ports.store.beat(self._name)
        self._beaten = asked

    async def leave(self) -> None:
        """Say that this worker has ended: it runs nothing any more."""
        await self._ports.store.leave([self._name])

    def alive(self) -> bool:
        """Whether no other process can have taken this one for dead, or will soon."""
        return self._clock() - self._beaten <= self._lease / 2

    def fence(self) -> None:
        """Stop every script here once this process may soon be taken for dead: others go on then."""
        if not self.alive():
            self._ports.running.stop_all()

    async def reap(self) -> int:
        """Take the runs of dead workers from them; return how many."""
        running = await self._ports.store.runs(states=(State.RUNNING,), limit=EVERYTHING)
        beats = await self._ports.store.beats()
        silent = self._silent({run.worker for run in running} | set(beats), beats)
        lost = [await give_up(self._ports, run) for run in running if silent[run.worker] > self._lease]
        # Not at once: one that was only paused must not begin again at a count that was seen before.
        gone = [name for name in beats if silent[name] > FORGOTTEN * self._lease]
        if gone:
            await self._ports.store.leave(gone)
        return sum(lost)

    def _silent(self, workers: set[str], beats: Mapping[str, int]) -> dict[str, float]:
        """Return for how many seconds each worker's count, or its having none, has been seen not to change."""
        now = self._clock()
        for worker in workers:
            count = beats.get(worker, 0)
            if self._seen.get(worker, (-1, now))[0] != count:
                self._seen[worker] = (count, now)
        self._seen = {worker: seen for worker, seen in self._seen.items() if worker in workers}
        return {worker: now - since for worker, (_, since) in self._seen.items()}
