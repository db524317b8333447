"""Acknowledgements first: Slack waits three seconds for each, and longer for what is done after it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

ACKS_FIRST = 1.0  # seconds that what is to be done lets acknowledgements pass
QUIET = 0.001  # seconds after an acknowledgement in which who sends much sends the next delivery
STORM = 10  # deliveries each of which came so soon after another, after which that moment is LULL seconds long
LULL = 0.02
STEPS = 3  # of the event loop, in which a delivery that came is read


class Acks:
    """What is being acknowledged now, and whether what is to be done lets it go first.

    Who sends much sends the next delivery when the last one is acknowledged. So what is to be done waits a moment
    after each acknowledgement, and also for a delivery that came in that moment, but not for one that came by
    itself: of those there may always be one. Where one comes alone, after a LULL, nothing waits.
    """

    def __init__(self) -> None:
        self._count = 0
        self._following = 0
        self._since_quiet = 0
        self._last = -LULL
        self._alone = True
        self._moment: asyncio.Handle | None = None
        self._longest: asyncio.TimerHandle | None = None
        self._waiting: list[asyncio.Future[None]] = []

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count one for as long as the context lasts."""
        follows = self._begin()
        try:
            yield
        finally:
            self._end(follows)

    async def let_pass(self) -> None:
        """Return when nobody sends one delivery after the other, or after ACKS_FIRST seconds."""
        loop = asyncio.get_running_loop()
        if self._following or self._moment:
            self._longest = self._longest or loop.call_later(ACKS_FIRST, self._release)
            passed = loop.create_future()
            self._waiting.append(passed)
            await passed

    def _begin(self) -> bool:
        """Count one that begins; say whether it followed another one."""
        follows = self._moment is not None
        if self._moment:
            self._moment.cancel()
            self._moment = None
            self._since_quiet += 1
        self._alone = not self._count and asyncio.get_running_loop().time() - self._last > LULL
        self._count += 1
        self._following += follows
        return follows

    def _end(self, follows: bool) -> None:
        loop = asyncio.get_running_loop()
        self._last = loop.time()
        self._count -= 1
        self._following -= follows
        if not self._following:
            if self._moment:
                self._moment.cancel()
            moment = QUIET if self._since_quiet < STORM else LULL
            self._moment = loop.call_later(0.0 if self._alone else moment, self._pass, 0 if self._alone else STEPS)

    def _pass(self, steps: int) -> None:
        """Let what came meanwhile be read, then what waits."""
        if steps:
            self._moment = asyncio.get_running_loop().call_soon(self._pass, steps - 1)
            return
        self._moment = None
        self._since_quiet = 0
        self._release()

    def _release(self) -> None:
        if self._longest:
            self._longest.cancel()
            self._longest = None
        waiting, self._waiting = self._waiting, []
        for passed in waiting:
            if not passed.done():
                passed.set_result(None)
