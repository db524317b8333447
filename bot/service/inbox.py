"""The inbox of a chat: what was said is kept before it is acknowledged, and known when it comes again."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.core.errors import DeputyError
from bot.ports import Clock

SOON = 0.05  # seconds that what is done waits for more of it, to share a write
KNOWN = timedelta(days=1)  # how long an intent that is done is known: far longer than any platform repeats it


@dataclass(frozen=True)
class Intent:
    """What somebody asked in chat, as it is kept before it is acknowledged: the delivery's id, and what to do."""

    id: str
    document: str
    at: datetime


class Intents(Protocol):
    """Where intents are kept, from before they are acknowledged until they are done."""

    async def keep_intents(self, intents: Sequence[Intent], holder: str) -> Collection[str]:
        """Keep intents under a name that is used once; return the ids of the new ones. Raises Unavailable."""

    async def end_intents(self, ids: Collection[str]) -> None:
        """Empty intents that were acted on; they stay known."""

    async def take_over_intents(self, before: datetime, holder: str, now: datetime) -> Sequence[Intent]:
        """Hand over, once, what was kept before a moment and is not done."""

    async def forget_intents(self, before: datetime) -> None:
        """Remove what is done and was kept before a moment."""


class _Page:
    """Intents that are written together; then it is known which of them are new, or why none is kept."""

    def __init__(self) -> None:
        self.intents: dict[str, Intent] = {}
        self._new: Collection[str] = ()
        self._error: Exception | None = None
        self._settled = asyncio.Event()

    def settle(self, new: Collection[str], error: Exception | None = None) -> None:
        self._new, self._error = new, error
        self._settled.set()

    async def new(self) -> Collection[str]:
        await self._settled.wait()
        if self._error:
            raise self._error
        return self._new


class Inbox:
    """Keeps intents on the disk; those that come while a write is under way share the next one.

    `nonce` gives a text that was never given before.
    """

    def __init__(self, intents: Intents, clock: Clock, nonce: Callable[[], str]) -> None:
        self._intents = intents
        self._clock = clock
        self._nonce = nonce
        self._next, self._flying = _Page(), _Page()
        self._writing: asyncio.Task[None] | None = None
        self._done: list[str] = []

    async def keep(self, id: str, document: str) -> bool:
        """Return once an intent is on the disk: whether it is new. Raises Unavailable, and then it isn't kept."""
        for page in (self._next, self._flying):
            if id in page.intents:
                await page.new()
                return False
        page = self._next
        page.intents[id] = Intent(id, document, self._clock.now())
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return id in await page.new()

    def done(self, id: str) -> None:
        """Say that an intent was acted on. Where this is lost, it is done again, which changes nothing."""
        if not self._done:
            asyncio.get_running_loop().call_later(SOON, self._flush)
        self._done.append(id)

    async def left(self, age: timedelta) -> Sequence[Intent]:
        """Take over what is older than `age` and not done; forget what was done long ago. Raises Unavailable."""
        now = self._clock.now()
        await self._intents.forget_intents(now - KNOWN)
        return await self._intents.take_over_intents(now - age, self._nonce(), now)

    async def close(self) -> None:
        """Write what still waits."""
        self._flush()
        if self._writing:
            await asyncio.wait([self._writing])

    def _flush(self) -> None:
        if self._done and (self._writing is None or self._writing.done()):
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while self._next.intents or self._done:
            if self._next.intents:
                await self._write_next()
            else:
                await self._write_done()

    async def _write_next(self) -> None:
        page = self._flying = self._next
        self._next = _Page()
        try:
            page.settle(await self._intents.keep_intents(list(page.intents.values()), self._nonce()))
        except Exception as error:  # each of those who wait raises it
            page.settle((), error)
        self._flying = _Page()

    async def _write_done(self) -> None:
        ids, self._done = self._done, []
        try:
            await self._intents.end_intents(ids)
        except DeputyError:
            self._done = [*ids, *self._done]
            asyncio.get_running_loop().call_later(1.0, self._flush)
            await asyncio.sleep(1.0)
