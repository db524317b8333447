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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.core import toml
from bot.core.errors import Invalid

FILE = "oncall.toml"
FOREVER = datetime.max.replace(tzinfo=UTC)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


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
    """Read the file; nobody is on call where there is none. Raises Invalid naming the field that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Schedule()
    except OSError as error:
        raise Invalid(f"It can't be read: {error.strerror}.", FILE) from None
    except UnicodeDecodeError as error:
        raise Invalid(f"It is not UTF-8 (byte {error.start}).", FILE) from None
    data = toml.read(text, FILE)
    unknown = next((name for name in data if name not in ("tenant", "on_call", "incident", "shift")), None)
    if unknown:
        raise Invalid(f"“{unknown}” is unknown; it takes tenant, on_call, incident and [[shift]].", FILE)
    incident = data.get("incident", [])
    schedule = Schedule(
        tenant=_tenant(data),
        shifts=_periods(data.get("shift", []), "shift", "people"),
        incidents=() if isinstance(incident, str) else _periods(incident, "incident", "name"),
        on_call=_address(data.get("on_call", ""), "on_call"),
        incident=_address(incident, "incident") if isinstance(incident, str) else "",
    )
    if schedule.shifts and schedule.on_call:
        raise Invalid("“on_call” and [[shift]] say who is on call twice: keep one of them.", FILE)
    return schedule


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
        raise Invalid("“tenant” takes the Entra tenant's id (a GUID): people are known by it and their own.", FILE)
    return str(tenant)


def _periods(given: object, table: str, what: str) -> tuple[Period, ...]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Invalid(f"A {table} is a table of its own: [[{table}]].", FILE)
    return tuple(_period(one, f"[[{table}]] {place}", what) for place, one in enumerate(given, 1))


def _period(table: Mapping[str, Any], which: str, what: str) -> Period:
    needed = (what, "from") if what == "name" else (what, "from", "until")
    missing = next((field for field in needed if field not in table), None)
    strange = next((field for field in table if field not in (what, "from", "until")), None)
    if missing or strange:
        words = f"has no “{missing}”" if missing else f"has “{strange}”, which is unknown"
        raise Invalid(f"{which} {words}; it takes {what}, from and until.", FILE)
    try:
        names = (title(table[what]),) if what == "name" else oids(table[what])
    except ValueError as error:
        raise Invalid(f"{which} “{what}” {error}.", FILE) from None
    start, end = _moment(table["from"], which), _moment(table.get("until", FOREVER), which)
    if end <= start:
        raise Invalid(f"{which} ends before it begins.", FILE)
    return Period(start, end, names)


def _moment(given: object, which: str) -> datetime:
    if isinstance(given, datetime) and given.tzinfo:
        return given
    raise Invalid(f"{which} takes moments with their offset from UTC, like 2026-11-23T08:00:00Z.", FILE)


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
    raise Invalid(f"“{field}” takes an address like https://rota.example.com/now, without a password in it.", FILE)


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
