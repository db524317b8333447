"""Delivering the outbox: several posts at once, those about one run one after the other."""

import asyncio
import logging
import time
from collections.abc import Sequence, Set
from datetime import timedelta

from bot.core.errors import DeputyError, Unavailable
from bot.core.run import Place
from bot.ports import Ports, Waiting
from bot.service.undelivered import give_up

log = logging.getLogger(__name__)

AT_ONCE = 8  # posts: a platform that takes long to answer about one run holds up no other
UNDER_WAY = 50  # lines at most, those that wait for room among them
LONGEST_PAUSE = 60.0

Line = tuple[str, str]


class Postman:
    """Delivers what is due. What is told of one run is a line: nothing in it is overtaken, nothing goes twice."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._room = asyncio.Semaphore(AT_ONCE)
        self._lines: dict[Line, asyncio.Task[int]] = {}
        self._under_way: set[int] = set()
        self._delivered: list[int] = []
        self._noting = asyncio.Lock()
        self._paces: dict[Place, float] = {}

    async def deliver(self) -> int:
        """Deliver what is due to its end; return how many posts were delivered."""
        return sum(await asyncio.gather(*await self.begin()))

    async def begin(self) -> Sequence[asyncio.Task[int]]:
        """Begin to deliver what is due and not under way, without waiting for it.

        Where much is under way the rest stays in the outbox: each line knocks when it has ended.
        """
        if len(self._lines) >= UNDER_WAY:
            return []
        due: dict[Line, list[Waiting]] = {}
        for waiting in await self._ports.store.outbox(self._ports.clock.now(), beside=self._under_way):
            due.setdefault(_line(waiting), []).append(waiting)
        fresh = {line: posts for line, posts in due.items() if line not in self._lines}
        return [self._keep(line, posts) for line, posts in fresh.items() if self._may(posts[0].post.place)]

    async def close(self, grace: float) -> None:
        """Give what is under way `grace` seconds."""
        under_way = list(self._lines.values())
        if under_way:
            await asyncio.wait(under_way, timeout=grace)
        for line in under_way:
            line.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _keep(self, line: Line, posts: Sequence[Waiting]) -> asyncio.Task[int]:
        task = self._lines[line] = asyncio.create_task(self._deliver(posts))
        ids = {waiting.id for waiting in posts}
        self._under_way |= ids
        task.add_done_callback(lambda _: self._end(line, ids))
        return task

    def _end(self, line: Line, ids: Set[int]) -> None:
        del self._lines[line]
        self._under_way -= ids

    async def _deliver(self, posts: Sequence[Waiting]) -> int:
        """Deliver a line up to what fails; what comes later in it waits."""
        delivered: list[int] = []
        async with self._room:
            for waiting in posts:
                if not ((waiting is posts[0] or self._may(waiting.post.place)) and await self._post(waiting)):
                    break
                delivered.append(waiting.id)
        if delivered:
            await self._note(delivered)
            self._ports.engine.knock()  # there may be newer posts of this line
        return len(delivered)

    async def _note(self, delivered: Sequence[int]) -> None:
        """Note what was delivered; whoever comes while that is done shares the next write."""
        self._delivered += delivered
        async with self._noting:
            together, self._delivered = self._delivered, []
            try:
                if together:
                    await self._ports.store.posted(together)
            except DeputyError as error:
                log.warning("what was posted can't be noted, so it is posted again: %s", error)

    def _may(self, place: Place) -> bool:
        """Say whether the platform takes a post there now; what waits may be overtaken by what is newer."""
        chat = self._ports.chats.get(place.platform)
        if self._paces.get(place, 0.0) > time.monotonic():
            return False
        if chat and chat.pace:
            self._paces[place] = time.monotonic() + chat.pace
        return True

    async def _post(self, waiting: Waiting) -> bool:
        """Deliver a post; say whether it is done with, as one is too that was refused too often."""
        platform = waiting.post.place.platform
        chat = self._ports.chats.get(platform)
        try:
            if chat is None:
                raise Unavailable(f"No chat called {platform} is set up.")
            await chat.post(waiting.post)
        except Unavailable as error:
            await self._postpone(waiting, error, error.pause)
            return False
        except Exception as error:
            if not isinstance(error, DeputyError):
                log.exception("a post to %s failed", platform)  # the others must go on all the same
            if await give_up(self._ports, waiting, error):
                return True
            await self._postpone(waiting, error)
            return False
        return True

    async def _postpone(self, waiting: Waiting, error: Exception, asked: float = 0.0) -> None:
        pause = timedelta(seconds=asked or min(2.0**waiting.attempts, LONGEST_PAUSE))
        log.warning("a post to %s waits %s: %s", waiting.post.place.platform, pause, error)
        await self._ports.store.postpone(waiting.id, self._ports.clock.now() + pause)


def _line(waiting: Waiting) -> Line:
    """Return what a post may not overtake: the others of its run, or of its key where it has none."""
    post = waiting.post
    return post.place.platform, post.card.run or f"{post.place.conversation}:{post.key}"
