"""Watching what goes on: looked at again and again in the background, so that no decision waits for it.

What was learnt counts for a short while only; then it is unknown, and unknown is not so.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from bot.core.errors import DeputyError, Invalid
from bot.oncall import schedule
from bot.oncall.schedule import Schedule
from bot.ports import Situation

log = logging.getLogger(__name__)
EVERY = 30.0  # seconds
FRESH = timedelta(seconds=90)

T = TypeVar("T")


@dataclass(frozen=True)
class Learnt:
    """What a source said last and when, or why it said nothing."""

    value: object = None
    at: datetime | None = None
    fault: str = "it has not been asked yet"


class Watch:
    """Knows who is on call and which incident is open. `ask` gets what an address answers."""

    def __init__(self, file: Path, now: Callable[[], datetime], ask: Callable[[str], Awaitable[object]]) -> None:
        self._file, self._now, self._ask = file, now, ask
        self._schedule = _read(file)
        self._learnt: Mapping[str, Learnt] = {}

    async def refresh(self) -> None:
        """Read the file and ask its sources again. What goes wrong is kept, to be told."""
        self._schedule = await asyncio.to_thread(_read, self._file)
        if isinstance(self._schedule, Invalid):
            return
        addresses = [one for one in (self._schedule.on_call, self._schedule.incident) if one]
        answers = await asyncio.gather(*(self._learn(one) for one in addresses))
        self._learnt = dict(zip(addresses, answers, strict=True))

    async def keep(self) -> None:
        """Refresh again and again, until cancelled."""
        while True:
            try:
                await self.refresh()
            except Exception:
                log.exception("what goes on could not be looked at")
            await asyncio.sleep(EVERY)

    def situation(self, now: datetime) -> Situation:
        """Return what goes on at a moment, as far as it is known."""
        if isinstance(self._schedule, Invalid):
            return Situation(
                unknown=(_unknown("Who is on call and whether there is an incident", self._schedule),)
            )
        on_call, incident, unknown = self._schedule.people(now), self._schedule.open_incident(now), []
        try:
            on_call |= self._told(self._schedule.on_call, now, self._people, frozenset[str]())
        except ValueError as error:
            unknown.append(_unknown("Who is on call", error))
        try:
            incident = self._told(self._schedule.incident, now, _incident, incident)
        except ValueError as error:
            unknown.append(_unknown("Whether there is an incident", error))
        return Situation(on_call, incident, tuple(unknown))

    async def _learn(self, address: str) -> Learnt:
        try:
            return Learnt(await self._ask(address), self._now(), "it last answered too long ago")
        except DeputyError as error:
            last = self._learnt.get(address, Learnt())
            return Learnt(last.value, last.at, str(error))

    def _told(self, address: str, now: datetime, read: Callable[[object], T], otherwise: T) -> T:
        """Return what a source says, `otherwise` where there is none. Raises ValueError with why it is unknown."""
        if not address:
            return otherwise
        learnt = self._learnt.get(address, Learnt())
        if learnt.at is None or not timedelta() <= now - learnt.at <= FRESH:
            raise ValueError(learnt.fault)
        return read(learnt.value)

    def _people(self, answer: object) -> frozenset[str]:
        tenant = self._schedule.tenant if isinstance(self._schedule, Schedule) else ""
        return frozenset(f"{tenant}/{oid}".lower() for oid in schedule.oids(_field(answer, "on_call")))


def _read(file: Path) -> Schedule | Invalid:
    try:
        return schedule.read(file)
    except Invalid as fault:
        return fault


def _incident(answer: object) -> str:
    name = _field(answer, "incident")
    return "" if name in (None, "") else schedule.title(name)


def _field(answer: object, name: str) -> object:
    if not isinstance(answer, dict) or name not in answer:
        raise ValueError(f"its answer has no “{name}”")
    return answer[name]


def _unknown(what: str, why: Exception) -> str:
    return (
        f"{what} can't be learnt at the moment ({str(why).rstrip('.')}), so nothing that depends on it is allowed."
    )
