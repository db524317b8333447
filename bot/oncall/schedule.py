"""oncall.toml: who is on call, and which incidents are open. Facts: no part of the policies' version.

tenant = "…"                               # the Entra tenant of everybody here
on_call = "https://rota.example.com/now"   # asked for {"on_call": ["<object id>", …]}, or instead of it:

[[shift]]
people = ["<object id>"]
from = 2026-11-23T08:00:00Z
until = 2026-11-30T08:00:00Z

[[incident]]                               # or: incident = "https://…", asked for {"incident": "Mail is down"}
name = "Mail is down"
from = 2026-11-23T09:00:00Z
until = 2026-11-23T12:00:00Z               # open until this is written
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.core import toml
from bot.core.errors import Invalid, gathered, noted
from bot.core.text import decoded

FILE = "oncall.toml"
_FIELDS = ("tenant", "on_call", "incident", "shift")
FOREVER = datetime.max.replace(tzinfo=UTC)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


At = Callable[..., AbstractContextManager[None]]


@dataclass(frozen=True)
class Period:
    """Something that holds from `start` up to, and without, `end`: names of people, or an incident's."""

    start: datetime
    end: datetime
    names: tuple[str, ...]


@dataclass(frozen=True)
class Schedule:
    """What the file says. An address in place of periods is asked for them; people are `tenant/oid`."""

    tenant: str = ""
    shifts: tuple[Period, ...] = ()
    incidents: tuple[Period, ...] = ()
    on_call: str = ""
    incident: str = ""

    def people(self, now: datetime) -> frozenset[str]:
        """Return who is on call by the file."""
        return frozenset(f"{self.tenant}/{oid}".lower() for oid in _at(self.shifts, now))

    def open_incident(self, now: datetime) -> str:
        """Return what the oldest open incident of the file is called, empty where none is open."""
        return next(iter(_at(self.incidents, now)), "")


def _at(periods: Iterable[Period], now: datetime) -> list[str]:
    return [name for one in periods if one.start <= now < one.end for name in one.names]


def read(path: Path) -> Schedule:
    """Read the file; nobody is on call where there is none. Raises Invalid naming line and
    field of what is wrong first, and all the others.
    """
    try:
        text = decoded(path.read_bytes(), FILE)
    except FileNotFoundError:
        return Schedule()
    except OSError as error:
        raise Invalid(f"It can't be read: {error.strerror}.", FILE) from None
    data = toml.read(text, FILE)
    at = partial(toml.at, text, FILE)
    with gathered() as faults:
        for name in data:
            with noted(faults), at(name):
                if name not in _FIELDS:
                    raise Invalid(f"“{name}” is unknown; it takes tenant, on_call, incident and [[shift]].")
        return _schedule(data, faults, at)


def _schedule(data: Mapping[str, Any], faults: list[Invalid], at: At) -> Schedule:
    """Read what is right; what is wrong goes among the faults."""
    tenant = on_call = asked = ""
    shifts: tuple[Period, ...] = ()
    incidents: tuple[Period, ...] = ()
    incident = data.get("incident", [])
    with noted(faults), at("tenant"):
        tenant = _tenant(data)
    with noted(faults):
        shifts = _periods(data.get("shift", []), "people", partial(at, "shift"))
    with noted(faults), at("on_call"):
        on_call = _address(data.get("on_call", ""), "on_call")
        if shifts and on_call:
            raise Invalid("“on_call” and [[shift]] say who is on call twice: keep one of them.")
    with noted(faults), at("incident"):
        if isinstance(incident, str):
            asked = _address(incident, "incident")
        else:
            incidents = _periods(incident, "name", partial(at, "incident"))
    return Schedule(tenant, shifts, incidents, on_call, asked)


def oids(given: object) -> tuple[str, ...]:
    """Read object ids. Raises ValueError for anything else, so that a name never makes anybody be on call."""
    if not isinstance(given, list) or not all(isinstance(one, str) and _GUID.fullmatch(one) for one in given):
        raise ValueError("takes a list of Entra ID object ids (GUIDs)")
    return tuple(given)


def title(given: object) -> str:
    """Read what an incident is called. Raises ValueError for anything but a line of words."""
    if not isinstance(given, str) or not given.strip() or not given.isprintable() or len(given) > 200:
        raise ValueError("takes a name in words, 200 characters at most")
    return given


def _tenant(data: Mapping[str, Any]) -> str:
    tenant = data.get("tenant", "")
    names_people = "shift" in data or "on_call" in data
    if names_people and not (isinstance(tenant, str) and _GUID.fullmatch(tenant)):
        raise Invalid("“tenant” takes the Entra tenant's id (a GUID): people are known by it and their own.")
    return str(tenant)


def _periods(given: object, what: str, at: At) -> tuple[Period, ...]:
    """Read the tables of one name, each for `what` it names. Raises Invalid, with all the others."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        table = "incident" if what == "name" else "shift"
        with at():
            raise Invalid(f"{table[0].upper()}{table[1:]} is a table of its own: [[{table}]].")
    periods: list[Period] = []
    with gathered() as faults:
        for number, table in enumerate(given):
            with noted(faults):
                periods.append(_period(table, what, partial(at, number)))
    return tuple(periods)


def _period(table: Mapping[str, Any], what: str, at: At) -> Period:
    needed = (what, "from") if what == "name" else (what, "from", "until")
    names: tuple[str, ...] = ()
    start = end = FOREVER
    with gathered() as faults:
        for field in needed:
            with noted(faults), at(field):
                if field not in table:
                    raise Invalid(f"“{field}” is missing; it takes {what}, from and until.")
        for field in table:
            with noted(faults), at(field):
                if field == what:
                    names = _names(table[what], what)
                elif field == "from":
                    start = _moment(table["from"], field)
                elif field == "until":
                    end = _moment(table["until"], field)
                else:
                    raise Invalid(f"“{field}” is unknown; it takes {what}, from and until.")
        with noted(faults), at("until"):
            if not faults and end <= start:
                raise Invalid("“until” ends it before it begins.")
    return Period(start, end, names)


def _names(given: object, what: str) -> tuple[str, ...]:
    try:
        return (title(given),) if what == "name" else oids(given)
    except ValueError as error:
        raise Invalid(f"“{what}” {error}.") from None


def _moment(given: object, field: str) -> datetime:
    if isinstance(given, datetime) and given.tzinfo:
        return given
    raise Invalid(f"“{field}” takes a moment with its offset from UTC, like 2026-11-23T08:00:00Z.")


def _address(given: object, field: str) -> str:
    """Check an address: https, or http on this machine, and no password in it (attack W4)."""
    if given == "":
        return ""
    if isinstance(given, str):
        try:
            parts = urlsplit(given)
            safe = parts.scheme == "https" or (parts.scheme == "http" and _here(parts.hostname or ""))
            if safe and parts.hostname and not (parts.username or parts.password):
                return given
        except ValueError:
            pass
    raise Invalid(f"“{field}” takes an address like https://rota.example.com/now, without a password in it.")


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
