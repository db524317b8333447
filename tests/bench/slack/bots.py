"""What Deputy is measured against in Slack: a signature and nothing else, Bolt doing nothing, and a thin bot."""

import asyncio
import hashlib
import hmac
import logging
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from tests.fakes.slack_delivery import SIGNING_SECRET

OLDEST = 300
SECRET = SIGNING_SECRET.encode()


def signed(request: web.BaseRequest, body: bytes) -> bool:
    """Say whether a request carries Slack's signature of now."""
    stamp = request.headers.get("X-Slack-Request-Timestamp", "")
    given = request.headers.get("X-Slack-Signature", "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > OLDEST:
        return False
    digest = hmac.new(SECRET, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}".encode(), given.encode())


def floor() -> web.Application:
    """Check the signature and answer."""

    async def take(request: web.Request) -> web.Response:
        return web.Response() if signed(request, await request.read()) else web.Response(status=401)

    return _site(take)


def bolt(*, process_before_response: bool) -> web.Application:
    """Build Bolt with one command that is acknowledged and nothing else."""

    async def authorize(**_: object) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T0DEPUTY", bot_token="xoxb-none")

    logging.disable()
    app = AsyncApp(
        signing_secret=SIGNING_SECRET, authorize=authorize, process_before_response=process_before_response
    )

    @app.command("/deputy")
    async def command(ack: Callable[[], Awaitable[None]]) -> None:
        await ack()

    site = app.web_app("/slack/events", 0)
    site.router.add_get("/healthz", _health)
    return site


def thin(script: str, api: str, token: str) -> web.Application:
    """Acknowledge, run a script, and post what it printed."""
    running: set[asyncio.Task[None]] = set()

    async def run(channel: str) -> None:
        process = await asyncio.create_subprocess_exec("/bin/bash", script, stdout=PIPE)
        output, _ = await process.communicate()
        said = {"channel": channel, "text": output.decode()}
        async with site["session"].post(f"{api}chat.postMessage", json=said) as answer:
            await answer.read()

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        if not signed(request, body):
            return web.Response(status=401)
        doing = asyncio.create_task(run(parse_qs(body.decode())["channel_id"][0]))
        running.add(doing)
        doing.add_done_callback(running.discard)
        return web.Response()

    async def connected(site: web.Application) -> None:
        site["session"] = aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"})

    site = _site(take)
    site.on_startup.append(connected)
    return site


def _site(take: Callable[[web.Request], Awaitable[web.Response]]) -> web.Application:
    site = web.Application()
    site.add_routes([web.post("/slack/events", take), web.get("/healthz", _health)])
    return site


async def _health(request: web.Request) -> web.Response:
    return web.Response(text="ok")


KINDS: dict[str, Callable[..., web.Application]] = {
    "floor": floor,
    "bolt": lambda: bolt(process_before_response=False),
    "bolt-before": lambda: bolt(process_before_response=True),
    "thin": thin,
}

if __name__ == "__main__":
    kind, port, *words = sys.argv[1:]
    web.run_app(KINDS[kind](*words), host="127.0.0.1", port=int(port), access_log=None, print=None)
