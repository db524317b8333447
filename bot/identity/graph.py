"""Microsoft Graph, as far as Deputy asks it: who somebody is, and which of some groups they are in.

It takes the application permissions User.Read.All and GroupMember.Read.All.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import aiohttp

from bot.core.errors import Invalid, Unavailable
from bot.identity.registration import PATIENCE, unreachable

MOST_GROUPS = 20  # ids in one checkMemberGroups (its documented limit)
TRIES = 3
SHORT = 2.0  # seconds that a throttled question waits; longer ones fail at once, and so do all until then
PAUSE = 0.2  # seconds before a question that failed is asked again
MOST_PAGES = 50
FIELDS = "id,displayName,accountEnabled,userType"

_NO_RIGHT = "Graph refuses: Deputy's app registration needs User.Read.All and GroupMember.Read.All"


class NoRight(Unavailable):
    """Graph lets Deputy in, but not see what it was asked for."""


class Tokens(Protocol):
    """Where tokens come from."""

    async def token(self, *, fresh: bool = False) -> str:
        """Return a token; a `fresh` one where the last was refused. Raises Unavailable, Invalid."""


class Graph:
    """Asks Graph with Deputy's own rights. `base` is its address, without a path."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base: str,
        tokens: Tokens,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session, self._base, self._tokens, self._clock = session, base, tokens, clock
        self._closed_until = 0.0

    async def person(self, oid: str) -> Mapping[str, Any] | None:
        """Return a person's FIELDS, None for one that there isn't. Raises Unavailable."""
        return await self._ask("GET", f"{self._base}/v1.0/users/{oid}?$select={FIELDS}")

    async def memberships(self, oid: str, groups: Iterable[str]) -> frozenset[str]:
        """Return those of `groups` (ids) that a person is in, also by way of other groups. Raises Unavailable."""
        asked = sorted(set(groups))
        parts = [asked[start : start + MOST_GROUPS] for start in range(0, len(asked), MOST_GROUPS)]
        found = await asyncio.gather(*(self._check(oid, part) for part in parts))
        return frozenset().union(*found) & frozenset(asked)

    async def _check(self, oid: str, groups: list[str]) -> frozenset[str]:
        page = await self._ask("POST", f"{self._base}/v1.0/users/{oid}/checkMemberGroups", {"groupIds": groups})
        found: set[str] = set()
        for _ in range(MOST_PAGES):
            if page is None:
                return frozenset()
            found |= _ids(page)
            following = page.get("@odata.nextLink")
            if following is None:
                return frozenset(found)
            if not isinstance(following, str) or not following.startswith(f"{self._base}/"):
                break  # the token goes to Graph and nowhere else (attack W4)
            page = await self._ask("GET", following)
        raise Unavailable(unreachable("Graph's answer doesn't end"))

    async def _ask(
        self, method: str, address: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """Ask, and ask again where that may help. Returns None for what there isn't. Raises Unavailable."""
        why, fresh = "", False
        for _ in range(TRIES):
            left = self._closed_until - self._clock()
            if left > 0:
                raise Unavailable(unreachable(f"Microsoft asks to wait {left:.0f} s"))
            try:
                status, wait, answer = await self._once(method, address, body, fresh)
            except Invalid as error:  # the settings' fault, found out after the start
                raise Unavailable(unreachable(str(error))) from None
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                status, wait, answer, why = 0, PAUSE, None, type(error).__name__
            if status == 404:
                return None
            if status in (200, 201) and isinstance(answer, dict):
                return answer
            if status == 403:
                raise NoRight(unreachable(_NO_RIGHT))
            why = why if status == 0 else f"Graph answers {status}"
            fresh = status == 401
            await self._pause(wait)
        raise Unavailable(unreachable(why))

    async def _once(
        self, method: str, address: str, body: Mapping[str, Any] | None, fresh: bool
    ) -> tuple[int, float, Any]:
        """Ask once: the status, the seconds to wait before the next time, the JSON of a good answer."""
        headers = {"Authorization": f"Bearer {await self._tokens.token(fresh=fresh)}"}
        limit = aiohttp.ClientTimeout(total=PATIENCE)
        async with self._session.request(
            method, address, json=body, headers=headers, timeout=limit, allow_redirects=False
        ) as answer:
            good = await answer.json() if answer.status in (200, 201) else None
            return answer.status, _seconds(answer.headers.get("Retry-After", "")), good

    async def _pause(self, seconds: float) -> None:
        if seconds > SHORT:
            self._closed_until = self._clock() + seconds
            raise Unavailable(unreachable(f"Microsoft asks to wait {seconds:.0f} s"))
        await asyncio.sleep(seconds)


def _ids(page: Mapping[str, Any]) -> set[str]:
    value = page.get("value")
    if not isinstance(value, list):
        raise Unavailable(unreachable("Graph's answer is not one"))
    return {one.lower() for one in value if isinstance(one, str)}


def _seconds(retry_after: str) -> float:
    """Read `Retry-After` in seconds (Graph never gives a date); PAUSE where there is none."""
    return float(min(int(retry_after), 3600)) if retry_after.isdecimal() and len(retry_after) < 9 else PAUSE
