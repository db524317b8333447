"""Slack over HTTP: one address that takes every kind of delivery."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bot.chat.slack.guard import LARGEST, Guard, Payload, Rejected
from bot.ports import Clock

log = logging.getLogger(__name__)

PREFIX, PATH = "/slack", "/events"
PATIENCE = 3.0  # seconds for a body to arrive: after that Slack waits no more
_SERVER = {"Server": "deputy"}  # and no version of anything

Deliver = Callable[[Payload], Awaitable[Mapping[str, Any]]]


def application(guard: Guard, deliver: Deliver, clock: Clock) -> web.Application:
    """Build the application that hangs at PREFIX; `deliver` takes what the guard admits and acknowledges it."""

    async def events(request: web.Request) -> web.Response:
        try:
            body = await _body(request)
            payload = guard.admit(request.headers, body, clock.now().timestamp())
            answer = await deliver(payload)
        except Rejected as rejected:
            log.warning("a delivery to %s was not taken: %s", PREFIX + PATH, rejected)
            return web.Response(status=rejected.status, text=f"Not taken: {rejected}.", headers=_SERVER)
        return web.json_response(answer, headers=_SERVER) if answer else web.Response(headers=_SERVER)

    app = web.Application()
    app.add_routes([web.post(PATH, events)])
    return app


async def _body(request: web.Request) -> bytes:
    """Read a body as it came, no further than it may be long. Raises Rejected."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Rejected(400, "it is compressed")
    if (request.content_length or 0) > LARGEST:
        raise Rejected(413, "it is too large")
    parts, length = [], 0
    try:
        if request.content.is_eof():  # it came with its head, as nearly all do
            return _short(request.content.read_nowait())
        async with asyncio.timeout(PATIENCE):
            async for part in request.content.iter_any():
                parts.append(part)
                length += len(part)
                if length > LARGEST:
                    raise Rejected(413, "it is too large")
    except (TimeoutError, web.RequestPayloadError):
        raise Rejected(400, "it did not arrive whole") from None
    return b"".join(parts)


def _short(body: bytes) -> bytes:
    if len(body) > LARGEST:
        raise Rejected(413, "it is too large")
    return body
