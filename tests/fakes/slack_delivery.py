"""How Slack delivers: signed over HTTP, or in envelopes over Socket Mode; and what it does when nobody answers."""

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from tests.fakes.slack_workspace import APP

Kind = str  # slash_commands, interactive, events_api: as the envelopes of Socket Mode call them
PATIENCE = 3.0  # seconds in which an app must answer
RETRIES = 3
SIGNING_SECRET = "5ec8e7f00dc0ffee5ec8e7f00dc0ffee"


@dataclass(frozen=True)
class Answer:
    """What the app answered. `status` 0: nothing in time. Over Socket Mode `body` is the ack's payload."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Delivery:
    """What was delivered, byte by byte."""

    kind: Kind
    payload: Mapping[str, Any]
    body: bytes
    headers: Mapping[str, str]


def encoded(kind: Kind, payload: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return a payload's body and content type as they go over HTTP."""
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def sign(body: bytes, secret: str = SIGNING_SECRET, at: float | None = None) -> dict[str, str]:
    """Return the headers of a signature, of now or of another time (Unix seconds)."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def delivery(kind: Kind, payload: Mapping[str, Any], attempt: int = 0) -> Delivery:
    """Sign a payload; `attempt` counts retries."""
    body, content_type = encoded(kind, payload)
    retried = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"} if attempt else {}
    return Delivery(kind, payload, body, {"Content-Type": content_type, **sign(body), **retried})


class OverHttp:
    """Posts to the app's address."""

    def __init__(self) -> None:
        self.url = ""
        self.patience = PATIENCE
        self.sent: list[Delivery] = []
        self._session: aiohttp.ClientSession | None = None

    async def post(self, sent: Delivery, to: str = "") -> Answer:
        """Post a delivery as it is; nothing is repeated or signed anew."""
        self.sent.append(sent)
        self._session = self._session or aiohttp.ClientSession()
        begun, limit = time.monotonic(), aiohttp.ClientTimeout(total=self.patience)
        try:
            posting = self._session.post(to or self.url, data=sent.body, headers=sent.headers, timeout=limit)
            async with posting as answer:
                raw = await answer.read()
                return Answer(answer.status, _body(raw), answer.headers.copy(), time.monotonic() - begun)
        except (TimeoutError, aiohttp.ClientError):
            return Answer(0, seconds=time.monotonic() - begun)

    async def deliver(self, kind: Kind, payload: Mapping[str, Any]) -> Answer:
        """Deliver; events are repeated three times where they aren't taken, without Slack's pauses."""
        answer = await self.post(delivery(kind, payload))
        for attempt in range(1, RETRIES + 1):
            if answer.ok or kind != "events_api":
                break
            answer = await self.post(delivery(kind, payload, attempt))
        return answer

    async def close(self) -> None:
        if self._session:
            await self._session.close()


class OverSocket:
    """Socket Mode: the app connects, envelopes go to one connection each, in turn."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.patience = PATIENCE
        self.connections: list[web.WebSocketResponse] = []
        self.tickets: set[str] = set()
        self.envelopes: list[dict[str, Any]] = []
        self._turn = itertools.count()
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._count = itertools.count(1)

    def ticket(self) -> str:
        """Hand out a ticket for one connection."""
        ticket = f"ticket-{next(self._count)}"
        self.tickets.add(ticket)
        return ticket

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Take a connection in and listen to its acks until it ends."""
        ticket = request.query.get("ticket", "")
        if ticket not in self.tickets:
            raise web.HTTPNotFound
        self.tickets.remove(ticket)
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        self.connections.append(connection)
        self._changed()
        hello = {"type": "hello", "num_connections": len(self.connections), "connection_info": {"app_id": APP}}
        await connection.send_json({**hello, "debug_info": {"host": "fake", "approximate_connection_time": 18060}})
        try:
            async for message in connection:
                self._take(message)
        finally:
            self._forget(connection)
        return connection

    async def deliver(self, kind: Kind, payload: Mapping[str, Any]) -> Answer:
        """Deliver; events are repeated three times on the next connection where they aren't acknowledged."""
        answer = await self.send(kind, payload)
        for attempt in range(1, RETRIES + 1):
            if answer.ok or kind != "events_api":
                break
            answer = await self.send(kind, payload, attempt)
        return answer

    async def send(self, kind: Kind, payload: Mapping[str, Any], attempt: int = 0) -> Answer:
        """Send one envelope to the next connection and wait for its ack."""
        id, begun = f"envelope-{next(self._count)}", time.monotonic()
        envelope: dict[str, Any] = {"envelope_id": id, "type": kind, "payload": payload}
        envelope["accepts_response_payload"] = kind != "events_api"
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
        return replace(await self.repeat(envelope), seconds=time.monotonic() - begun)

    async def repeat(self, envelope: dict[str, Any]) -> Answer:
        """Send an envelope as it is."""
        if not self.connections:
            return Answer(0)
        self.envelopes.append(envelope)
        acked = self._waiting[envelope["envelope_id"]] = asyncio.get_running_loop().create_future()
        connection = self.connections[next(self._turn) % len(self.connections)]
        try:
            async with asyncio.timeout(self.patience):
                await connection.send_json(envelope)
                return Answer(200, await acked)
        except (TimeoutError, ConnectionError):
            return Answer(0)
        finally:
            del self._waiting[envelope["envelope_id"]]

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to end, as Slack does every few hours."""
        for connection in list(self.connections):
            await connection.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}})
            await connection.close()
            self._forget(connection)

    def abort(self) -> None:
        """Cut every connection, without a word."""
        for connection in list(self.connections):
            transport = connection._req.transport if connection._req else None
            if transport:
                transport.abort()
            self._forget(connection)

    def _forget(self, connection: web.WebSocketResponse) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
            self._changed()

    def _take(self, message: aiohttp.WSMessage) -> None:
        if message.type is not aiohttp.WSMsgType.TEXT:
            return
        ack = json.loads(message.data)
        waiting = self._waiting.get(ack.get("envelope_id", ""))
        if waiting and not waiting.done():
            waiting.set_result(ack.get("payload"))


def _body(raw: bytes) -> Any:
    """Return an answer's JSON, its text where it is none, or None where there is nothing."""
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode(errors="replace")
