"""What every request to the local channel passes first.

In this channel anybody on this machine may be anybody, so no page from elsewhere may speak to it:
neither by another name for this address (DNS rebinding) nor across origins (W7).
"""

import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from bot.core.canonical import LARGEST as LARGEST_NUMBER
from bot.core.errors import DeputyError, Invalid, Refused
from bot.core.http_status import status_of
from bot.core.text import shorten, visible
from bot.settings import LOOPBACK

LARGEST = 64 * 1024  # bytes of a request's body
_MOST_DIGITS = len(f"-{LARGEST_NUMBER}")

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Server": "deputy",
    "X-Content-Type-Options": "nosniff",
}


_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address doesn't take that kind of request.",
    413: f"That is too much at once: {LARGEST // 1024} KB is the most.",
    415: "Send JSON, uncompressed, as application/json.",
}

T = TypeVar("T")


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Let in what comes from this machine and its own page; answer every failure as `{"error": sentence}`."""
    if len(request.match_info.apps) > 1:
        return await handler(request)  # it is for another chat, which hangs below and has a guard of its own
    try:
        _refuse_strangers(request)
        return await handler(request)
    except DeputyError as error:
        return failure(status_of(error), str(error))
    except web.HTTPException as error:
        return failure(error.status, _SENTENCES.get(error.status, "That request can't be answered."))
    except web.RequestPayloadError:
        return failure(400, "The message was cut off on its way. Send it again.")


def failure(status: int, sentence: str) -> web.Response:
    """Return the answer for something that did not work."""
    return web.json_response({"error": sentence}, status=status)


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Give every answer the headers that keep it to itself; nothing here is ever cached or framed."""
    response.headers.update(HEADERS)


async def body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object a request carries. Raises Invalid; 413 and 415 as aiohttp's exceptions."""
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise web.HTTPUnsupportedMediaType
    return parse(await request.read())


def parse(raw: bytes) -> dict[str, Any]:
    """Read one JSON object strictly: UTF-8, and only what can be sealed (`core/canonical.py`). Raises Invalid."""
    try:
        value = _DECODER.decode(raw.decode())
    except RecursionError:
        raise Invalid("The message is nested too deep.") from None
    except UnicodeDecodeError:
        raise Invalid("The message isn't text in UTF-8.") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Invalid(f"The message isn't JSON: it goes wrong at {place}.") from None
    if not isinstance(value, dict):
        raise Invalid("The message must be a JSON object.")
    return value


def take(data: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """Return a field of a message. Raises Invalid where it is missing or of another kind."""
    value = data.get(name)
    if not isinstance(value, kind):
        raise Invalid(f"“{name}” must be {'a text' if kind is str else 'an object'}.")
    return value


def _refuse_strangers(request: web.Request) -> None:
    host = request.headers.get("Host", "")
    if not ipaddress.ip_address(request.remote or "0.0.0.0").is_loopback:  # noqa: S104 - stands for nobody
        raise Refused("The local channel is for this machine alone.")
    if _hostname(host) not in LOOPBACK:
        raise Refused("The local channel answers under 127.0.0.1 and localhost only. Open it there.")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        raise Refused("The local channel takes nothing from pages of other sites. Open it by its own address.")


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, item in pairs:
        if name in value:
            raise Invalid(f"“{_shown(name)}” is given twice. Give it once.")
        if not name.isascii():
            raise Invalid(f"“{_shown(name)}” can't be a field's name: names are of ASCII characters.")
        value[name] = item
    return value


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS or abs(int(digits)) > LARGEST_NUMBER:
        raise Invalid(f"{_shown(digits)} is too large a number. Send it as a text, in quotes.")
    return int(digits)


def _no_fraction(number: str) -> NoReturn:
    raise Invalid(f"{_shown(number)} is not a whole number. Send it as a text, in quotes.")


def _no_constant(name: str) -> NoReturn:
    raise Invalid(f"{name} is not a number in JSON. Send a whole number, or a text in quotes.")


def _shown(text: str) -> str:
    return shorten(visible(text), 40)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_no_fraction, parse_constant=_no_constant
)
