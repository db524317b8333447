"""Asking a source: an answer or a reason, never more than is asked for, and never another address."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bot.core.errors import Unavailable
from bot.oncall.source import LONGEST, ask

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve on a free port of loopback."""
    site = web.Application()
    site.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_its_answer_is_read() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({"on_call": []})

    async with serving(answer) as address:
        assert await ask(f"{address}/now") == {"on_call": []}


async def test_W4_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        raise web.HTTPFound("/elsewhere")

    async with serving(answer) as address:
        with pytest.raises(Unavailable, match="answers with the status 302"):
            await ask(f"{address}/now")
    assert asked == ["/now"]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, b"{}", "answers with the status 500"),
        (200, b"<html>", "something else than JSON"),
        (200, b"\xff", "something else than JSON"),
        (200, b"[" * 60_000, "something else than JSON"),
        (200, b" " * (LONGEST + 1), "answers with more than 65,536 bytes"),
    ],
)
async def test_an_odd_answer_is_told(status: int, body: bytes, words: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body)

    async with serving(answer) as address:
        with pytest.raises(Unavailable, match=words):
            await ask(address)


async def test_a_source_that_is_down_is_named_by_its_host_alone() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response()

    async with serving(answer) as address:
        pass
    with pytest.raises(Unavailable) as fault:
        await ask(f"{address}/now?key=s3cret")
    assert str(fault.value) == "127.0.0.1 doesn't answer"
