"""The embedded engine: one process, words passed in memory; the store's queue is swept at the start."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

STEPS = 2  # of the event loop, after which a run that needn't wait has begun: before its requester is answered


class EmbeddedEngine:
    """Satisfies `Engine` inside one process."""

    exclusive = True
    delivers = True
    relay = None

    def __init__(self) -> None:
        self._queued: asyncio.Queue[str] = asyncio.Queue()
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

    async def work(self, execute: Callable[[str], Awaitable[None]], concurrency: int) -> None:
        """Hand queued runs to `execute`, at most `concurrency` at once, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(self._one_after_the_other(execute))

    async def _one_after_the_other(self, execute: Callable[[str], Awaitable[None]]) -> None:
        while True:
            run = await self._queued.get()
            self._known.discard(run)
            await execute(run)

    def knock(self) -> None:
        """Say that posts wait in the outbox."""
        self._posts.set()

    async def knocked(self, seconds: float) -> None:
        """Wait until somebody knocks, `seconds` at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # `wait_for` may lose a cancellation that comes with the knock
                await self._posts.wait()
        self._posts.clear()
