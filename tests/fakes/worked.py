"""A worker that only notes what it is handed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bot.ports import Engine, NewRun


class Worked:
    """What workers executed, and a way to wait for it."""

    def __init__(self) -> None:
        self.runs: list[str | NewRun] = []
        self.going = 0
        self.most = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self._changed = asyncio.Event()

    async def execute(self, run: str | NewRun) -> None:
        self.going += 1
        self.most = max(self.most, self.going)
        self.runs.append(run)
        self._changed.set()
        try:
            await self.go_on.wait()
        finally:
            self.going -= 1

    async def until(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.runs) < count:
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def working(engine: Engine, worked: Worked, concurrency: int = 4) -> AsyncIterator[None]:
    """Have an engine hand its runs out, for as long as the context lasts."""
    work = asyncio.create_task(engine.work(worked.execute, concurrency))
    try:
        yield
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
