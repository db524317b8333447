"""The embedded engine: one process, words passed in memory; the store's queue is swept at the start."""

import asyncio
import contextlib


class EmbeddedEngine:
    """Satisfies `Engine` inside one process."""

    def __init__(self) -> None:
        self._queued: asyncio.Queue[str] = asyncio.Queue()
        self._known: set[str] = set()
        self._posts = asyncio.Event()

    async def enqueue(self, run: str) -> None:
        """Say that a run is queued; saying it again while it waits changes nothing."""
        if run not in self._known:
            self._known.add(run)
            self._queued.put_nowait(run)

    async def next(self) -> str:
        """Wait for a queued run's id."""
        run = await self._queued.get()
        self._known.discard(run)
        return run

    def knock(self) -> None:
        """Say that posts wait in the outbox."""
        self._posts.set()

    async def knocked(self, seconds: float) -> None:
        """Wait until somebody knocks, `seconds` at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._posts.wait(), seconds)
        self._posts.clear()
