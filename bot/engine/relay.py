"""The last lines of running scripts, said to every process: best effort, the newest only, and kept nowhere."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

from bot.core.run import Place

log = logging.getLogger(__name__)

PACE = 1.0  # seconds between two words of one process
LONGEST = 7_999  # bytes: PostgreSQL takes no longer notification

Show = Callable[[Place, str, str], None]


class Relay:
    """Satisfies `ports.Relay`. `send` hands a word to every process, this one too, and raises nothing."""

    def __init__(self, send: Callable[[str], Awaitable[None]], pace: float = PACE) -> None:
        self._send = send
        self._pace = pace
        self._show: Show | None = None
        self._newest: dict[str, tuple[Place, str]] = {}
        self._saying: asyncio.Task[None] | None = None

    def hear(self, show: Show) -> None:
        """Hand over what is said in any process from now on."""
        self._show = show

    def progress(self, place: Place, run: str, lines: str) -> None:
        """Say the last lines of a run that goes on here soon."""
        self._newest[run] = (place, lines)
        if self._saying is None or self._saying.done():
            self._saying = asyncio.create_task(self._say())

    def heard(self, said: str) -> None:
        """Take a word that some process sent."""
        try:
            platform, conversation, run, lines = map(str, json.loads(said))
        except (ValueError, TypeError):
            log.warning("what was said of a running script is none of Deputy's: it is passed over")
            return
        if self._show:
            self._show(Place(platform, conversation), run, lines)

    async def close(self) -> None:
        """Say no more."""
        if self._saying:
            self._saying.cancel()
            await asyncio.gather(self._saying, return_exceptions=True)

    async def _say(self) -> None:
        while self._newest:
            newest, self._newest = self._newest, {}
            for run, (place, lines) in newest.items():
                await self._send(word(place, run, lines))
            await asyncio.sleep(self._pace)


def word(place: Place, run: str, lines: str) -> str:
    """Return what is sent: pure ASCII, with as many of the last lines as go into it."""
    while True:
        said = json.dumps([place.platform, place.conversation, run, lines])
        if len(said) <= LONGEST or not lines:
            return said
        rest = lines[len(lines) // 8 + 1 :]
        lines = rest.partition("\n")[2] or rest
