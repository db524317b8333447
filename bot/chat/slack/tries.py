"""Sending again what Slack could not take: an answer is of use for half a minute, and then no more."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.chat.slack.client import Lost
from bot.core.errors import DeputyError, Unavailable

log = logging.getLogger(__name__)

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds between the tries


async def sent(send: Callable[[], Awaitable[object]], *, twice: bool = False) -> None:
    """Send; where Slack is down or wants a pause, wait and send again.

    What may have arrived is sent again only where it does no harm `twice`: a view that replaces itself, but not a
    message.
    """
    for pause in (*PAUSES, None):
        try:
            await send()
            return
        except Unavailable as error:
            if pause is None or (isinstance(error, Lost) and not twice):
                log.warning("an answer was not given: %s", error)
                return
            await asyncio.sleep(max(pause, error.pause))
        except DeputyError as error:
            log.warning("an answer was not given: %s", error)
            return
