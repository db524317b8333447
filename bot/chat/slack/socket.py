"""Slack over Socket Mode: no address of ours is known outside; Deputy calls Slack, which delivers on that line.

Two lines are held, so that one is there while the other is made anew. Slack sends each delivery on one of them,
and again where it isn't acknowledged; which of them it came by makes no difference.
"""

import asyncio
import logging
from typing import Any

import aiohttp

from bot.chat.slack.client import SlackClient, TooFast
from bot.chat.slack.guard import LARGEST, Own, Rejected, harmless, read_json
from bot.chat.slack.web import Deliver
from bot.core.errors import DeputyError, Invalid

log = logging.getLogger(__name__)

LINES = 2
HEARTBEAT = 3.0  # seconds between pings; a line that was cut is noticed after one and a half
PAUSES = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds between tries to connect


class SocketMode:
    """Holds the lines. `client` calls with the app-level token (`xapp-…`)."""

    def __init__(self, session: aiohttp.ClientSession, client: SlackClient, own: Own, deliver: Deliver) -> None:
        self._session = session
        self._client = client
        self._own = own
        self._deliver = deliver
        self._lines: list[asyncio.Task[None]] = []
        self._taking: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to connect; it goes on for as long as it takes."""
        self._lines = [asyncio.create_task(self._hold()) for _ in range(LINES)]

    async def close(self) -> None:
        """Hang up, after what came is acknowledged."""
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _hold(self) -> None:
        failed = 0
        while True:
            try:
                await self._connect()
                failed = 0
            except Exception as error:
                level = logging.ERROR if isinstance(error, Invalid) else logging.WARNING
                log.log(level, "a line to Slack is down: %s", _why(error))
                pause = error.pause if isinstance(error, TooFast) else 0.0
                await asyncio.sleep(max(pause, PAUSES[min(failed, len(PAUSES) - 1)]))
                failed += 1

    async def _connect(self) -> None:
        """Hold one line until it ends. Raises what broke it, where it didn't end of itself."""
        opened = await self._client.call("apps.connections.open")
        async with self._session.ws_connect(
            str(opened.get("url")), heartbeat=HEARTBEAT, max_msg_size=LARGEST
        ) as line:
            async for message in line:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                envelope = _envelope(message.data)
                if envelope.get("type") == "disconnect":
                    break
                if envelope.get("envelope_id"):
                    self._keep(asyncio.create_task(self._take(line, envelope)))
            await self._acknowledged()
            if line.exception():
                raise ConnectionError(str(line.exception()))

    def _keep(self, taking: asyncio.Task[None]) -> None:
        self._taking.add(taking)
        taking.add_done_callback(self._taking.discard)

    async def _acknowledged(self) -> None:
        """Let what came be acknowledged before its line ends."""
        if self._taking:
            await asyncio.wait(set(self._taking), timeout=1.0)

    async def _take(self, line: aiohttp.ClientWebSocketResponse, envelope: dict[str, Any]) -> None:
        """Take one delivery and acknowledge it; one that is not for Deputy too, or Slack would send it again."""
        ack: dict[str, Any] = {"envelope_id": envelope["envelope_id"]}
        try:
            payload = envelope.get("payload")
            if not isinstance(payload, dict) or harmless(payload):
                raise Rejected(400, "it holds nothing to do")
            self._own.check(payload)
            answer = await self._deliver(payload)
            if answer and envelope.get("accepts_response_payload"):
                ack["payload"] = dict(answer)
        except Rejected as rejected:
            log.warning("a delivery by Socket Mode was not taken: %s", rejected)
        try:
            await line.send_json(ack)
        except (ConnectionError, RuntimeError) as error:
            log.warning("an acknowledgement was not sent, so Slack delivers again: %s", error)


def _envelope(text: str) -> dict[str, Any]:
    try:
        return read_json(text)
    except (ValueError, RecursionError):
        log.warning("a message by Socket Mode can't be read")
        return {}


def _why(error: Exception) -> str:
    if isinstance(error, DeputyError | ConnectionError):
        return str(error) or type(error).__name__
    return type(error).__name__
