"""The directory by Entra ID: a chat account is the person it is linked to, and roles come from their groups."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core.errors import Refused, Unavailable, Unlinked
from bot.core.linking import Link
from bot.core.principal import Account, Principal, Who
from bot.core.text import shorten, visible
from bot.identity.registration import PATIENCE, unreachable

KEPT = 50.0  # seconds that an answer serves for showing: what was taken from somebody is gone within a minute
MOST_KEPT = 10_000

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Roles(Protocol):
    """Turns groups into roles."""

    def __call__(self, groups: Iterable[str], *, guest: bool = False) -> frozenset[str]:
        """Return the roles that a set of group ids gives."""


class Asked(Protocol):
    """What is asked of Graph."""

    async def person(self, oid: str) -> Mapping[str, Any] | None:
        """Return somebody's name and state, None for one that there isn't. Raises Unavailable."""

    async def memberships(self, oid: str, groups: Iterable[str]) -> frozenset[str]:
        """Return those of `groups` that somebody is in. Raises Unavailable."""


@dataclass(frozen=True)
class Facts:
    """What Entra ID said about somebody. `at` is when it was asked, and about which groups it was `asked`."""

    at: float
    asked: frozenset[str]
    person: Mapping[str, Any] | None
    groups: frozenset[str]


class EntraDirectory:
    """Satisfies `Directory`.

    `link` finds an account's link, which serves for `relink`; `groups` gives all ids that give a role.
    """

    def __init__(
        self,
        tenant: str,
        graph: Asked,
        *,
        link: Callable[[Account], Awaitable[Link | None]],
        roles: Roles,
        groups: Callable[[], frozenset[str]],
        relink: timedelta,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tenant, self._graph, self._link = tenant, graph, link
        self._roles, self._groups = roles, groups
        self._relink, self._now, self._clock = relink, now, clock
        self._kept: dict[str, Facts] = {}
        self._asking: dict[tuple[str, frozenset[str]], asyncio.Task[Facts]] = {}

    async def principal(self, account: Account) -> Principal:
        """Return who an account is. Raises Unlinked, Refused, Unavailable."""
        return await self.recent(account.who or await self._linked(account))

    async def recent(self, who: Who) -> Principal:
        """Return a known principal with groups at most KEPT seconds old. Raises Refused, Unavailable."""
        oid = self._oid(who)
        facts = self._kept.get(oid)
        if facts is None or self._clock() - facts.at >= KEPT or facts.asked != self._groups():
            facts = await self._ask(oid)
        return self._principal(oid, who, facts)

    async def live(self, who: Who) -> Principal:
        """Return a known principal with the groups of this moment. Raises Refused, Unavailable."""
        oid = self._oid(who)
        return self._principal(oid, who, await self._ask(oid))

    async def _linked(self, account: Account) -> Who:
        link = await self._link(account)
        if link is None or link.who.tenant.lower() != self._tenant:
            raise Unlinked("Your account is not linked to anybody yet, so Deputy can't know what you may do.")
        if self._now() - link.since >= self._relink:
            raise Unlinked(
                f"It is {self._relink.days} days since your account was linked: it has to be done again."
            )
        return link.who

    def _oid(self, who: Who) -> str:
        oid = who.oid.lower()
        if who.tenant.lower() != self._tenant or not _GUID.fullmatch(oid):
            raise Refused(f"{_name(who.name or who.oid)} is not of this tenant, so nothing is done for them.")
        return oid

    async def _ask(self, oid: str) -> Facts:
        """Ask Entra ID; many who ask the same at once share one question, and none can spoil it for the others."""
        key = oid, self._groups()
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._facts(*key))
            asking.add_done_callback(lambda done: self._asking.pop(key, None))
        return await asyncio.shield(asking)

    async def _facts(self, oid: str, groups: frozenset[str]) -> Facts:
        at = self._clock()
        try:
            async with asyncio.timeout(PATIENCE):
                person, found = await asyncio.gather(self._graph.person(oid), self._graph.memberships(oid, groups))
        except TimeoutError:
            raise Unavailable(unreachable(f"no answer in {PATIENCE:.0f} s")) from None
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        facts = self._kept[oid] = Facts(at, groups, person, found)
        return facts

    def _principal(self, oid: str, who: Who, facts: Facts) -> Principal:
        """Read facts, in favour of nobody: what isn't said for certain counts against them."""
        person = facts.person
        if person is None or str(person.get("id", "")).lower() != oid:
            raise Refused(f"{_name(who.name or oid)} is no longer in Entra ID, so nothing is done for them.")
        name = str(person.get("displayName") or who.name)
        if person.get("accountEnabled") is not True:
            raise Refused(f"{_name(name)}'s account is disabled in Entra ID, so nothing is done for them.")
        guest = person.get("userType") != "Member"
        roles = self._roles(facts.groups, guest=guest)
        if guest and not roles:
            raise Refused(
                f"{_name(name)} is a guest in this tenant, and guests may do nothing here: "
                "whoever keeps the policies can give one of their groups a role with `guests = true`."
            )
        return Principal(Who(self._tenant, oid, name), roles, facts.groups)


def _name(text: str) -> str:
    return shorten(visible(text), 60)
