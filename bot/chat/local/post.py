"""Posting into the local channel: the timeline keeps every message, connected pages hear of it at once."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.chat.local import render
from bot.chat.local.asides import Asides
from bot.core.canonical import Json
from bot.core.errors import DeputyError
from bot.core.run import Place
from bot.ports import Clock, Message, Post, Timeline

log = logging.getLogger(__name__)

PLACE = Place("local", "general")
CONVERSATION = "#it-operations"
PACE = 0.25  # seconds between two progress events of one run
BACKLOG = 256  # events a page may be behind
FOLLOW = 1.0  # seconds between two looks at what other processes have shown
LONGEST_PROGRESS = 4_000  # characters


@dataclass(frozen=True)
class Event:
    """One thing a page is told: `message`, `progress`, `reload` (fetch everything anew) or `close`."""

    name: str
    data: Json = None


class Listener:
    """One connected page. `viewer` is who looks at it: `tenant/oid`, or empty for one linked to nobody."""

    def __init__(self, viewer: str) -> None:
        self.viewer = viewer
        self._events: asyncio.Queue[Event] = asyncio.Queue(BACKLOG)

    def tell(self, event: Event) -> None:
        """Hand an event over; a page that is too far behind is told to reload instead."""
        if self._events.full():
            while not self._events.empty():
                self._events.get_nowait()
            event = Event("reload")
        self._events.put_nowait(event)

    async def next(self, patience: float) -> Event | None:
        """Return the next event, or None where none came in `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                return await self._events.get()
        except TimeoutError:
            return None


class LocalChat:
    """The chat platform that is a page on this machine; satisfies `ports.Chat`."""

    pace = 0.0

    def __init__(self, timeline: Timeline, clock: Clock) -> None:
        self._timeline = timeline
        self._clock = clock
        self.asides = Asides(clock)
        self._listeners: set[Listener] = set()
        self._progress: dict[str, str] = {}

    async def post(self, post: Post) -> None:
        """Show a card, or update the one with its key. Raises Unavailable."""
        message = await self._timeline.show(post, self._clock.now())
        if post.place == PLACE:
            self._tell_of(message)

    def progress(self, place: Place, run: str, lines: str) -> None:
        """Tell connected pages a run's last lines, at most once in PACE; called on the event loop."""
        if place != PLACE:
            return
        if run not in self._progress:
            asyncio.get_running_loop().call_later(PACE, self._tell_progress, run)
        self._progress[run] = lines[-LONGEST_PROGRESS:]

    async def say(self, author: str, text: str, key: str) -> None:
        """Take a person's words into the channel; the same key twice changes nothing. Raises Unavailable."""
        self._tell_of(await self._timeline.say(PLACE, author, text, key, self._clock.now()))

    async def messages(self, viewer: str) -> list[Json]:
        """Return the newest messages that `viewer` may see, as the page reads them."""
        messages = await self._timeline.messages(PLACE)
        return [render.message(message) for message in messages if render.visible(message, viewer)]

    @contextmanager
    def listen(self, viewer: str) -> Iterator[Listener]:
        """Connect a page for as long as the context lasts."""
        listener = Listener(viewer)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def follow(self) -> None:
        """Tell connected pages what other processes show, until cancelled; a failure is waited out."""
        known: dict[int, int] | None = None
        while True:
            await asyncio.sleep(FOLLOW)
            try:
                messages = await self._timeline.messages(PLACE)
            except DeputyError as error:
                log.warning("pages are not told what is new: %s", error)
                continue
            for message in messages:
                if known is not None and known.get(message.id) != message.version:
                    self._tell_of(message)
            known = {message.id: message.version for message in messages}

    def close(self) -> None:
        """Let every page go; they come back when there is a server again."""
        for listener in self._listeners:
            listener.tell(Event("close"))

    def _tell_of(self, message: Message) -> None:
        event = Event("message", render.message(message))
        for listener in self._listeners:
            if render.visible(message, listener.viewer):
                listener.tell(event)

    def _tell_progress(self, run: str) -> None:
        event = Event("progress", {"run": run, "lines": self._progress.pop(run)})
        for listener in self._listeners:
            listener.tell(event)
