"""The embedded engine: one process, words passed in memory; the store's queue is swept at the start."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from bot.core.errors import Unavailable
from bot.ports import NewRun

STEPS = 2  # of the event loop, after which a run that needn't wait has begun: before its requester is answered


class EmbeddedEngine:
    """Satisfies `Engine` inside one process."""

    exclusive = True
    delivers = True
    relay = None

    def __init__(self) -> None:
        self._queued: asyncio.Queue[str | NewRun] = asyncio.Queue()
        self._resting = 0
        self._known: set[str] = set()
        self._posts = asyncio.Event()

    async def enqueue(self, run: str) -> None:
        """Say that a run is queued; saying it again while it waits changes nothing."""
        if run not in self._known:
            self._known.add(run)
            self._queued.put_nowait(run)
            for _ in range(STEPS):
                await asyncio.sleep(0)

    async def remind(self, run: str) -> None:
        """Say again that a run is queued."""
        await self.enqueue(run)

    def hand_over(self, new: NewRun) -> bool:
        """Hand a new run to a worker who begins with it now; False where each has something to do."""
        if self._queued.qsize() >= self._resting:
            return False
        self._queued.put_nowait(new)
        return True

    async def work(self, execute: Callable[[str | NewRun], Awaitable[None]], concurrency: int) -> None:
        """Hand queued and new runs to `execute`, at most `concurrency` at once, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(self._one_after_the_other(execute))
        finally:
            self._send_back()

    async def _one_after_the_other(self, execute: Callable[[str | NewRun], Awaitable[None]]) -> None:
        while True:
            self._resting += 1
            try:
                run = await self._queued.get()
            finally:
                self._resting -= 1
            if isinstance(run, str):
                self._known.discard(run)
            await execute(run)

    def _send_back(self) -> None:
        """Tell those who handed over a run that nobody began with any more; what is queued stays so."""
        left = [self._queued.get_nowait() for _ in range(self._queued.qsize())]
        for run in left:
            if isinstance(run, NewRun):
                run.settle(Unavailable("Deputy is stopping, so it was not started. Ask again in a moment."))
            else:
                self._queued.put_nowait(run)

    def knock(self) -> None:
        """Say that posts wait in the outbox."""
        self._posts.set()

    async def knocked(self, seconds: float) -> None:
        """Wait until somebody knocks, `seconds` at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # `wait_for` may lose a cancellation that comes with the knock
                await self._posts.wait()
        self._posts.clear()
