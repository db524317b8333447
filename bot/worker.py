"""The worker: claims queued runs, has the outbox delivered, and does what time brings."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

from bot.core.errors import Busy, DeputyError
from bot.ports import NewRun, Ports
from bot.service.cancel import stop_asked
from bot.service.execute import begin, execute
from bot.service.postman import Postman
from bot.service.pulse import LEASE, Pulse
from bot.service.remind import remind
from bot.service.sweep import expire, recover, requeue

log = logging.getLogger(__name__)

SWEEP = 1.0
FORGET = 60.0
KEEP = timedelta(days=7)  # how long a delivery is remembered: longer than any platform delivers again
REQUEUE = 15.0
REMINDED = 500  # runs at once: many processes remind
STOPS = 0.3
WATCH = 0.5
REMIND = 10.0
RETRY = 0.5


class Worker:
    """Runs inside a process beside the doors. `concurrency` scripts run at once.

    Where there are other processes it beats for them: who is silent for `lease` seconds is taken for dead.
    """

    def __init__(self, ports: Ports, name: str, concurrency: int, lease: float = LEASE) -> None:
        self._ports = ports
        self._name = name
        self._concurrency = concurrency
        self._loops: list[asyncio.Task[None]] = []
        self._runs: set[asyncio.Task[None]] = set()
        self._busy: dict[str, None] = {}
        self._postman = Postman(ports)
        self._alone = ports.engine.exclusive
        self._pulse = Pulse(ports, name, lease)
        self._beat = lease / 10

    async def start(self) -> None:
        """Name what was lost with the last process, find what is queued, and begin."""
        if self._alone:
            await recover(self._ports)
            await requeue(self._ports)
        else:
            await self._pulse.beat()
        loops = (self._work, self._deliver, self._every(SWEEP, self._expire), self._every(FORGET, self._forget))
        again = (
            self._every(REQUEUE, self._requeue),
            self._every(RETRY, self._retry),
            self._every(REMIND, self._remind),
        )
        others = () if self._alone else self._among_others()
        self._loops = [asyncio.create_task(_forever(loop)) for loop in (*loops, *again, *others)]

    def _among_others(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """What only a worker among others does."""
        return (
            self._every(self._beat, self._pulse.beat),
            self._every(self._beat, self._reap),
            self._every(min(WATCH, self._beat), self._fence),
            self._every(STOPS, self._stop_asked),
        )

    async def close(self, grace: float = 10.0) -> None:
        """Stop claiming, give running scripts `grace` seconds to be stopped, deliver what can be delivered."""
        while going_on := [loop for loop in self._loops if not loop.done()]:
            for loop in going_on:
                loop.cancel()
            await asyncio.wait(going_on, timeout=1.0)  # one that lost the word is told again
        if self._runs:
            await asyncio.wait(self._runs, timeout=grace)
        for run in self._runs:
            run.cancel()
        await asyncio.gather(*self._runs, return_exceptions=True)
        try:
            if self._ports.engine.delivers:
                await self._postman.close(grace)
                await self._postman.deliver()
            if not self._alone:
                await self._pulse.leave()
        except DeputyError as error:
            log.warning("what is left to do waits for others, or for the next start: %s", error)

    async def _work(self) -> None:
        await self._ports.engine.work(self._start, self._concurrency)

    async def _start(self, run: str | NewRun) -> None:
        """Execute a run in a way that outlives the claiming: who closes decides how long it may go on."""
        doing = asyncio.create_task(self._begin(run) if isinstance(run, NewRun) else self._execute(run))
        self._runs.add(doing)
        doing.add_done_callback(self._runs.discard)
        await asyncio.shield(doing)

    async def _begin(self, new: NewRun) -> None:
        await self._watched(new.step.run.id, begin(self._ports, new, self._name))

    async def _execute(self, run_id: str) -> None:
        alive = self._pulse.alive if not self._alone else _always
        try:
            await self._watched(run_id, execute(self._ports, run_id, self._name, alive))
        except Busy:
            self._busy[run_id] = None

    async def _watched(self, run_id: str, execution: Coroutine[Any, Any, None]) -> None:
        """See a run through, and then to those that wait for what it held; say what goes wrong. Raises Busy."""
        try:
            await execution
            await self._retry()
        except Busy:
            raise
        except DeputyError as error:
            log.error("%s was not brought to its end: %s", run_id, error)
        except Exception:
            log.exception("%s was not brought to its end", run_id)

    async def _retry(self) -> None:
        """Try runs again that waited for a lock, in the order in which they came."""
        waiting, self._busy = self._busy, {}
        for run_id in waiting:
            await self._ports.engine.remind(run_id)

    async def _deliver(self) -> None:
        if self._ports.engine.delivers:
            await self._postman.begin()
        await self._ports.engine.knocked(SWEEP)

    async def _reap(self) -> None:
        await self._pulse.reap()

    async def _fence(self) -> None:
        self._pulse.fence()

    async def _stop_asked(self) -> None:
        if self._ports.running.here():
            await stop_asked(self._ports)

    async def _expire(self) -> None:
        await expire(self._ports)

    async def _remind(self) -> None:
        await remind(self._ports)

    async def _forget(self) -> None:
        now = self._ports.clock.now()
        await self._ports.store.forget_outputs(now)
        await self._ports.store.tidy(now - KEEP)

    async def _requeue(self) -> None:
        await requeue(self._ports, REMINDED)

    def _every(self, seconds: float, what: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def loop() -> None:
            await asyncio.sleep(seconds)
            await what()

        return loop


def _always() -> bool:
    return True


async def _forever(step: Callable[[], Awaitable[None]]) -> None:
    """Repeat a step; a failure is logged and waited out, so that no loop dies of an outage."""
    while True:
        try:
            await step()
        except DeputyError as error:
            log.error("%s", error)
            await asyncio.sleep(1)
        except Exception:
            log.exception("a loop of the worker failed and goes on")
            await asyncio.sleep(1)
