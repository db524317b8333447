"""calendar.toml: the time zone of policies, business hours, holidays, and the periods in which changes rest.

zone = "Europe/Berlin"                    # UTC where there is no such file
business_hours = ["08:00", "18:00"]       # none: it is never business time
business_days = ["Mon", "Tue", "Wed", "Thu", "Fri"]
holidays = [2026-12-25]

[[freeze]]
name = "Year-end closing"
from = 2026-12-18                         # a day, or a moment
until = 2027-01-06                        # a day is frozen to its end
reason = "Finance closes the books."
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from bot.core import toml
from bot.core.errors import Invalid, gathered, noted
from bot.core.wording import listed

FILE = "calendar.toml"
NOWHERE = ZoneInfo("UTC")
HOUR = timedelta(hours=1)
WEEK = 7 * 24  # hours
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


@dataclass(frozen=True)
class Freeze:
    """A period in which changes rest: from `start` up to, and without, `end`."""

    name: str
    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True)
class Moment:
    """A moment as the calendar sees it. `utc` is how Cedar writes it; `words` are for people, by placeholder."""

    local: datetime
    utc: str
    business: bool
    freeze: str
    words: Mapping[str, str]


@dataclass(frozen=True)
class Calendar:
    """When is it business time, and when do changes rest? `hours` are minutes since midnight."""

    zone: ZoneInfo = NOWHERE
    hours: tuple[int, int] = (0, 0)
    days: tuple[str, ...] = DAYS[:5]
    holidays: frozenset[date] = frozenset()
    freezes: tuple[Freeze, ...] = ()

    def at(self, now: datetime) -> Moment:
        """Look at a moment. Raises OverflowError where the zone can't show it."""
        local = now.astimezone(self.zone)
        utc = now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        freeze = self.freeze(now)
        words = {"business_hours": self._hours(), "freeze": self._told(freeze)}
        return Moment(local, utc, self._business(local), freeze.name if freeze else "", words)

    def freeze(self, now: datetime) -> Freeze | None:
        """Return the freeze that is on at a moment."""
        return next((one for one in self.freezes if one.start <= now < one.end), None)

    def ahead(self, now: datetime) -> Iterator[datetime]:
        """Yield the full hours of the coming week, and those of the week from the end of a freeze that is on."""
        freeze = self.freeze(now)
        starts = [now.replace(minute=0, second=0, microsecond=0) + HOUR, *([freeze.end] if freeze else [])]
        for start in starts:
            yield from (start + HOUR * later for later in range(WEEK))

    def _business(self, local: datetime) -> bool:
        minute = local.hour * 60 + local.minute
        day = DAYS[local.weekday()] in self.days and local.date() not in self.holidays
        return day and self.hours[0] <= minute < self.hours[1]

    def _hours(self) -> str:
        if self.hours[0] >= self.hours[1]:
            return "no time of the week"
        start, end = (f"{minutes // 60:02}:{minutes % 60:02}" for minutes in self.hours)
        return f"{listed(self.days)}, {start} to {end} ({self.zone.key})"

    def _told(self, freeze: Freeze | None) -> str:
        if freeze is None:
            return "no freeze"
        end = freeze.end.astimezone(self.zone)
        return f"{freeze.name}, until {end:%-d %b %Y, %H:%M} ({self.zone.key}): {freeze.reason.rstrip('.')}"


def parse(text: str) -> Calendar:
    """Read a calendar. Raises Invalid naming line and field of what is wrong."""
    data = toml.read(text, FILE)
    at = partial(toml.at, text, FILE)
    given: dict[str, Any] = {}
    freezes: tuple[Freeze, ...] = ()
    with gathered() as faults:
        for name in data:
            with noted(faults), at(name):
                if name in _FIELDS:
                    field, read = _FIELDS[name]
                    given[field] = read(data[name])
                elif name != "freeze":
                    raise Invalid(f"“{name}” is unknown; a calendar has {', '.join(_FIELDS)} and [[freeze]].")
        with noted(faults):
            freezes = _freezes(data.get("freeze", []), given.get("zone", NOWHERE), partial(at, "freeze"))
    return Calendar(**given, freezes=freezes)


def _zone(given: object) -> ZoneInfo:
    try:
        return ZoneInfo(given)  # type: ignore[arg-type]
    except (ValueError, TypeError, OSError, KeyError):
        raise Invalid(f"“zone” takes a time zone like Europe/Berlin, not {given!r}.") from None


def _hours(given: object) -> tuple[int, int]:
    if isinstance(given, list) and len(given) == 2:
        matches = [_CLOCK.fullmatch(one) if isinstance(one, str) else None for one in given]
        start, end = (int(one[0][:2]) * 60 + int(one[0][3:]) if one else -1 for one in matches)
        if 0 <= start < end:
            return start, end
    raise Invalid('“business_hours” takes two times of one day, like ["08:00", "18:00"].')


def _days(given: object) -> tuple[str, ...]:
    if isinstance(given, list) and all(day in DAYS for day in given):
        return tuple(day for day in DAYS if day in given)
    raise Invalid(f"“business_days” takes a list of {', '.join(DAYS)}.")


def _holidays(given: object) -> frozenset[date]:
    if isinstance(given, list) and all(type(day) is date for day in given):
        return frozenset(given)
    raise Invalid("“holidays” takes a list of days, like [2026-12-25].")


_FREEZE = ("name", "from", "until", "reason")
At = Callable[..., AbstractContextManager[None]]  # gives a fault the line of the keys it is called with
_FIELDS: Mapping[str, tuple[str, Callable[[object], Any]]] = {
    "zone": ("zone", _zone),
    "business_hours": ("hours", _hours),
    "business_days": ("days", _days),
    "holidays": ("holidays", _holidays),
}


def _freezes(given: object, zone: ZoneInfo, at: At) -> tuple[Freeze, ...]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        with at():
            raise Invalid("A freeze is a table of its own: [[freeze]].")
    read: list[Freeze] = []
    with gathered() as faults:
        for place, one in enumerate(given):
            with noted(faults):
                read.append(_freeze(one, zone, partial(at, place)))
    freezes = sorted(read, key=lambda freeze: freeze.start)
    for before, after in pairwise(freezes):
        with at(read.index(after)):
            if after.start < before.end:
                raise Invalid(f"The freezes “{before.name}” and “{after.name}” overlap: make them one.")
    return tuple(freezes)


def _freeze(table: Mapping[str, object], zone: ZoneInfo, at: At) -> Freeze:
    read: dict[str, Any] = {}
    with gathered() as faults:
        for field in _FREEZE:
            with noted(faults), at():
                if field not in table:
                    raise Invalid(f"This freeze has no “{field}”; it needs {listed(_FREEZE)}.")
        for field in table:
            with noted(faults), at(field):
                read[field] = _freeze_field(field, table[field], zone)
        with noted(faults), at("until"):
            if {"from", "until"} <= read.keys() and read["until"] <= read["from"]:
                raise Invalid("This freeze ends before it begins.")
    return Freeze(read["name"], read["from"], read["until"], read["reason"])


def _freeze_field(name: str, given: object, zone: ZoneInfo) -> str | datetime:
    if name in ("from", "until"):
        return moment(given, zone, f"“{name}”", whole_day=name == "until")
    if name not in _FREEZE:
        raise Invalid(f"“{name}” is unknown; a freeze has {listed(_FREEZE)}.")
    if not isinstance(given, str) or not given.strip() or not given.isprintable():
        raise Invalid(f"“{name}” takes words for the people who are stopped by it.")
    return given


def moment(given: object, zone: ZoneInfo, which: str, *, whole_day: bool = False) -> datetime:
    """Read a moment, or a day's start (with `whole_day` its end), in `zone` where it names no offset."""
    try:
        if isinstance(given, datetime):
            return (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
        if isinstance(given, date):
            day = given + timedelta(days=1) if whole_day else given
            return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        raise Invalid(f"{which} is beyond what a calendar holds.") from None
    raise Invalid(f"{which} takes a day like 2026-12-18 or a moment like 2026-12-18T18:00.")
