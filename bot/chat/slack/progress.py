"""A running script's last lines in its card: one update a second in every conversation, the newest lines only."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.chat.slack.render import message
from bot.core.card import Card
from bot.core.errors import DeputyError, Unavailable
from bot.service.posts import Posted

log = logging.getLogger(__name__)

PACE = 1.0  # seconds between two updates in one conversation
EARLY = 200  # runs at most whose lines come before their card

Update = Callable[..., Awaitable[object]]


@dataclass(frozen=True)
class _Live:
    posted: Posted
    card: Card
    flying: asyncio.Lock = field(default_factory=asyncio.Lock)


class Progress:
    """Best effort: what can't be shown now is overtaken by newer lines. `update` is called as chat.update is."""

    def __init__(self, update: Update, pace: float = PACE) -> None:
        self._update = update
        self._pace = pace
        self._live: dict[str, _Live] = {}
        self._early: dict[str, str] = {}
        self._lines: dict[str, dict[str, str]] = {}
        self._telling: dict[str, asyncio.Task[None]] = {}

    def begin(self, run: str, posted: Posted, card: Card) -> None:
        """A run's script runs, and this is its card."""
        self._live[run] = _Live(posted, card)
        if run in self._early:
            self.tell(run, self._early.pop(run))

    async def end(self, run: str) -> None:
        """A run's card is about to change: from here on no older lines overwrite it."""
        live = self._live.pop(run, None)
        if live:
            async with live.flying:  # an update on its way arrives first
                pass

    def tell(self, run: str, lines: str) -> None:
        """Show a run's last lines soon, or once its card is there."""
        live = self._live.get(run)
        if live is None:
            self._early[run] = lines
            if len(self._early) > EARLY:
                del self._early[next(iter(self._early))]
            return
        conversation = live.posted.conversation
        self._lines.setdefault(conversation, {})[run] = lines
        if conversation not in self._telling:
            self._telling[conversation] = asyncio.create_task(self._tell(conversation))

    async def close(self) -> None:
        """Stop telling."""
        telling = list(self._telling.values())
        for one in telling:
            one.cancel()
        await asyncio.gather(*telling, return_exceptions=True)

    async def _tell(self, conversation: str) -> None:
        waiting = self._lines[conversation]
        try:
            while waiting:
                run = next(iter(waiting))
                pause = await self._show(run, waiting.pop(run))
                await asyncio.sleep(max(pause, self._pace))
        finally:
            del self._telling[conversation], self._lines[conversation]

    async def _show(self, run: str, lines: str) -> float:
        """Show lines in a run's card; return how long to wait before the next."""
        live = self._live.get(run)
        if live is None:
            return 0.0
        async with live.flying:
            if self._live.get(run) is not live:
                return 0.0
            try:
                where = {"channel": live.posted.conversation, "ts": live.posted.message}
                await self._update(**where, **message(live.card, live=lines))
            except DeputyError as error:
                log.info("lines of %s were not shown: %s", run, error)
                return error.pause if isinstance(error, Unavailable) else 0.0
        return 0.0
