"""What comes in at the port and is no HTTP."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from bot.app import serve

MALFORMED = [
    b"GET /?code=s3cret" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: s3cret\r\n\r\n",
    b"s3cret\r\n\r\n",
]


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = await serve(web.Application(), listener)
    yield listener.getsockname()[1]
    await server.cleanup()


async def send(port: int, content: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(content)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("content", MALFORMED)
async def test_I4_what_is_no_http_is_answered_and_leaves_neither_a_traceback_nor_its_words_in_the_log(
    port: int, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    assert (await send(port, content)).startswith(b"HTTP/1.0 400 ")
    assert caplog.text == ""


async def test_I4_where_more_is_logged_it_is_one_line(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await send(port, MALFORMED[1])
    (told,) = [record for record in caplog.records if record.name == "aiohttp.server"]
    assert (told.levelname, told.exc_info) == ("INFO", None)
    assert told.getMessage() == "what came from 127.0.0.1 is no HTTP that can be answered"
