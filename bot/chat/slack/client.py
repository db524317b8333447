"""Slack's Web API: one call at a time, over a session that is shared, with Slack's failures as Deputy's errors."""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.core.errors import Invalid, Unavailable

BASE = "https://slack.com/api/"
PATIENCE = aiohttp.ClientTimeout(total=10.0, sock_connect=5.0)
LONGEST_PAUSE = 600.0  # seconds; what is asked for beyond that is not believed

# Errors that pass by themselves (docs: every method lists these two, and these are what outages gave).
_PASSING = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "ratelimited"}
)


# Methods that read arguments read them from a form alone (docs: “Using the Slack Web API”, POST bodies).
_BY_JSON = ("chat.post", "chat.update", "chat.delete", "views.", "conversations.open", "files.complete")


class SlackRefused(Invalid):
    """Slack took the call and said no. `code` is Slack's own word for why (`channel_not_found`)."""

    def __init__(self, method: str, code: str, hint: str = "") -> None:
        super().__init__(f"Slack refused {method}: {code}{f' ({hint})' if hint else ''}.")
        self.code = code


class TooFast(Unavailable):
    """Slack asks for a pause before the next call of the same method."""

    def __init__(self, method: str, pause: float) -> None:
        super().__init__(f"Slack asks for a pause of {pause:.0f} s before {method}.", pause)


class Lost(Unavailable):
    """A call was sent but no answer came, so nobody knows whether Slack did it."""


class SlackClient:
    """Calls Slack with one token. The session is the caller's, who closes it; `base` ends in a slash.

    `granted` are the scopes of the token, as Slack named them with its last answer.
    """

    def __init__(self, session: aiohttp.ClientSession, token: str, base: str = BASE) -> None:
        self._session = session
        self._token = token
        self._base = base
        self.granted: frozenset[str] = frozenset()

    async def call(self, method: str, /, **payload: Any) -> dict[str, Any]:
        """Call a method with its arguments; those that are None are left out. Returns Slack's answer.

        Raises SlackRefused (an Invalid) with Slack's code, TooFast with the pause that Slack asks for, Lost
        where it may have been done without an answer, Unavailable for everything else that passes. The token
        is in no message.
        """
        sent = {name: value for name, value in payload.items() if value is not None}
        if method.startswith(_BY_JSON):
            return _checked(method, await self._send(method, {"json": sent}))
        return _checked(method, await self._send(method, {"data": {name: _field(sent[name]) for name in sent}}))

    async def respond(self, url: str, content: Mapping[str, Any]) -> None:
        """Answer to a response_url, whose origin the caller has checked. Raises as `call` does."""
        try:
            async with self._session.post(url, json=content, timeout=PATIENCE) as answer:
                if answer.status == 429:
                    raise TooFast("an answer", _pause(answer.headers.get("Retry-After", "")))
                if answer.status >= 500:
                    raise Lost(f"Slack took an answer with {answer.status}, so it may or may not have shown it.")
                if answer.status != 200:
                    raise SlackRefused("an answer", f"status {answer.status}")
        except aiohttp.ClientConnectorError:
            raise Unavailable("Slack can't be reached for an answer.") from None
        except (aiohttp.ClientError, TimeoutError):
            raise Lost("Slack did not confirm an answer, so it may or may not have shown it.") from None

    async def upload(self, url: str, content: bytes) -> None:
        """Send a file's bytes to the address that Slack gave for it. Raises Unavailable."""
        try:
            async with self._session.post(url, data=content, timeout=PATIENCE) as answer:
                if answer.status != 200:
                    raise Unavailable(f"Slack did not take a file: it answered {answer.status}.")
        except (aiohttp.ClientError, TimeoutError):
            raise Unavailable("Slack did not take a file: the connection was lost.") from None

    async def _send(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            async with self._session.post(
                self._base + method, headers=headers, timeout=PATIENCE, **body
            ) as answer:
                self.granted = _scopes(answer.headers.get("X-OAuth-Scopes", ""))
                return await _read(method, answer)
        except aiohttp.ClientConnectorError:
            raise Unavailable(f"Slack can't be reached for {method}.") from None
        except (aiohttp.ClientError, TimeoutError):
            raise Lost(f"Slack did not answer {method}, so it may or may not have done it.") from None


async def _read(method: str, answer: aiohttp.ClientResponse) -> dict[str, Any]:
    if answer.status == 429:
        raise TooFast(method, _pause(answer.headers.get("Retry-After", "")))
    if answer.status >= 500:
        raise Lost(f"Slack answered {method} with {answer.status}, so it may or may not have done it.")
    try:
        read = await answer.json(content_type=None)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise Lost(f"Slack answered {method} with something unreadable ({answer.status}).")
    return read


def _checked(method: str, answer: dict[str, Any]) -> dict[str, Any]:
    if answer.get("ok") is True:
        return answer
    code = str(answer.get("error", "unknown_error"))[:100]
    if code == "ratelimited":
        raise TooFast(method, 1.0)
    if code in _PASSING:
        raise Unavailable(f"Slack could not do {method} now: {code}.")
    raise SlackRefused(method, code, _hint(answer))


def _hint(answer: dict[str, Any]) -> str:
    """Return what Slack adds to an error: the scope that is missing, or which block is illegal."""
    if answer.get("needed"):
        return f"the scope {answer['needed']} is missing"
    said = (answer.get("response_metadata") or {}).get("messages") or answer.get("errors") or []
    return "; ".join(str(one) for one in said)[:500] if isinstance(said, list) else ""


def _scopes(header: str) -> frozenset[str]:
    return frozenset(part.strip() for part in header.split(",") if part.strip())


def _field(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _pause(header: str) -> float:
    seconds = float(header) if header.isascii() and header.isdigit() else 1.0
    return min(max(seconds, 1.0), LONGEST_PAUSE)
