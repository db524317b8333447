"""Doing what was acknowledged: beside each other, once, and again by the next process where this one ends."""

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

from bot.chat.slack.acks import Acks
from bot.chat.slack.answer import Answer
from bot.chat.slack.hear import LASTING, Doing, Heard, recalled
from bot.chat.slack.respond import Responder
from bot.core.errors import DeputyError
from bot.ports import Clock
from bot.service.inbox import Inbox

log = logging.getLogger(__name__)

PATIENCE = 0.6  # seconds that an answer may take before Slack is shown that it will come
AT_ONCE = 16  # things done at the same time
MOST = 100  # things of one person under way
SWEEP = 30.0  # seconds between two looks for what another process left behind
LEFT = timedelta(seconds=60)  # after which something that isn't done was left behind
LATE = timedelta(minutes=5)  # after which nobody expects any more that it is done

TOO_MUCH = "You have asked for very much at once, so this was not done. Wait for some of it, then ask again."
_TOO_LATE = (
    "Deputy was stopped while it had this to do, and that was a while ago, so it may not have been done: %s. "
    "Look at /deputy mine, and ask again if it is still needed."
)
_BROKEN = (
    "Something went wrong in Deputy itself, so this may not have been done. Whoever keeps it finds in its log "
    "what it was; look at /deputy mine before you ask again."
)
_OPENING = frozenset({Doing.MENU, Doing.PICK, Doing.LOOK, Doing.ASK})


class Attendant:
    """Does what was heard, and lets what waits to be acknowledged go first."""

    def __init__(self, responder: Responder, inbox: Inbox, clock: Clock) -> None:
        self._responder = responder
        self._inbox = inbox
        self._clock = clock
        self._room = asyncio.Semaphore(AT_ONCE)
        self._acks = Acks()
        self._under_way = Counter[str]()
        self._queue: dict[str, Heard] = {}
        self._doing: dict[str, asyncio.Task[None]] = {}
        self._working: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self, *, alone: bool) -> None:
        """Do what was acknowledged and not done; where no other process works on the same data, at once."""
        await self._resume(timedelta(0) if alone else LEFT)
        self._sweeping = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Wait a little for what is under way; the rest is in the inbox."""
        for going_on in (self._sweeping, self._working):
            if going_on:
                going_on.cancel()
        under_way = list(self._doing.values())
        if under_way:
            await asyncio.wait(under_way, timeout=2.0)
        for doing in under_way:
            doing.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._inbox.close()

    @property
    def acknowledging(self) -> AbstractContextManager[None]:
        """The context in which a delivery is acknowledged."""
        return self._acks.one()

    def full(self, heard: Heard) -> bool:
        """Say whether a person has as much under way as one may have."""
        return self._under_way[heard.account] >= MOST

    def begin(self, heard: Heard, asked: asyncio.Future[Answer] | None = None) -> None:
        """Do what was heard, and tell the person, unless somebody waits at `asked` to take the answer along."""
        self._under_way[heard.account] += 1
        self._responder.begin(heard)
        if asked or _opens(heard):
            self._keep(heard.id, self._attend(heard, asked))
            return
        self._queue[heard.id] = heard
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    def tell(self, heard: Heard, answer: Answer) -> None:
        """Tell a person something, beside all else."""
        self._responder.begin(heard)
        self._keep(heard.id, self._responder.tell(replace(heard, trigger=""), answer))

    async def _work(self) -> None:
        """Begin what is to be done, in its order, when the acknowledgements have passed."""
        while self._queue:
            async with self._room:
                await self._acks.let_pass()
            for id in list(islice(self._queue, AT_ONCE)):
                self._keep(id, self._attend(self._queue.pop(id)))

    def _keep(self, id: str, doing: Coroutine[Any, Any, None]) -> None:
        """Do something beside; a reference is kept for as long as it goes on."""
        kept = self._doing[id] = asyncio.create_task(doing)
        kept.add_done_callback(lambda _: self._doing.pop(id, None))

    async def _attend(self, heard: Heard, asked: asyncio.Future[Answer] | None = None) -> None:
        try:
            heard, answer = await (self._open(heard) if _opens(heard) and not asked else self._act(heard))
            if asked and not asked.done():
                asked.set_result(answer)
            else:
                await self._responder.tell(replace(heard, trigger="") if asked else heard, answer)
            if heard.doing in LASTING:
                self._inbox.done(heard.id)
            if heard.home:
                await self._show_home(heard.home)
        finally:
            self._under_way[heard.account] -= 1
            if not self._under_way[heard.account]:
                del self._under_way[heard.account]

    async def _show_home(self, home: Heard) -> None:
        """Show what has become of what was done from the Home tab."""
        self._responder.begin(home)
        await self._responder.tell(*await self._act(home))

    async def _open(self, heard: Heard) -> tuple[Heard, Answer]:
        """Do what opens a view; where that takes long, a view that says so opens before the trigger is too old."""
        acting = asyncio.create_task(self._act(heard, after_acks=True))
        try:
            await asyncio.wait({acting}, timeout=PATIENCE)
            heard = heard if acting.done() else await self._responder.wait_in_view(heard)
            return heard, (await acting)[1]
        finally:
            acting.cancel()

    async def _act(self, heard: Heard, *, after_acks: bool = False) -> tuple[Heard, Answer]:
        async with self._room:
            if after_acks:
                await self._acks.let_pass()
            try:
                return heard, await self._responder.act(heard)
            except Exception:
                log.exception("what somebody asked in Slack could not be done")
                return heard, Answer(sentence=_BROKEN)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            try:
                await self._resume(LEFT)
            except DeputyError as error:
                log.error("what other processes left behind could not be looked for: %s", error)

    async def _resume(self, age: timedelta) -> None:
        """Do what was acknowledged and not done; what is old is only told of."""
        now = self._clock.now()
        for intent in await self._inbox.left(age):
            heard = recalled(intent.document)
            if heard.id in self._doing or heard.id in self._queue:
                continue
            if now - intent.at < LATE:
                self.begin(heard)
            else:
                what = " ".join(part for part in (heard.verb, heard.subject) if part)
                self.tell(heard, Answer(sentence=_TOO_LATE % what))
                self._inbox.done(heard.id)


def _opens(heard: Heard) -> bool:
    return bool(heard.trigger) and heard.doing in _OPENING
