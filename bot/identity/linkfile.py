"""People by a file: who an account in chat belongs to, for where no directory is connected.

    [[person]]
    tenant = "5f0c…"                    # Entra ID's tenant and object id: who somebody is
    id = "8d1e…"
    name = "Hanna Weber"
    groups = ["11111111-…"]             # group ids as in roles.toml
    slack = "T0123ABCD:U0456EFGH"       # workspace (or Enterprise Grid) and member id, never a name or an e-mail

An edit shows at once. A file that can't be read lets nobody do anything, and says where it is wrong.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.core import toml
from bot.core.errors import DeputyError, Invalid, Refused, Unavailable, Unlinked, gathered, noted
from bot.core.principal import Account, Principal, Who
from bot.core.text import shorten, visible

PLATFORMS = {"slack": re.compile(r"[TE][A-Z0-9]{1,29}:[UW][A-Z0-9]{1,29}")}
_NEEDED = ("tenant", "id", "name")
_FIELDS = (*_NEEDED, "groups", *PLATFORMS)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class LinkedPerson:
    """Somebody in the file, with their account on each platform they are on."""

    who: Who
    groups: tuple[str, ...] = ()
    accounts: tuple[Account, ...] = ()


@dataclass(frozen=True)
class Links:
    """Everybody in the file, by who they are and by account."""

    people: Mapping[Who, LinkedPerson] = field(default_factory=dict)
    accounts: Mapping[Account, LinkedPerson] = field(default_factory=dict)


class LinkFile:
    """Satisfies `Directory` for the people of a file. `roles` turns group ids into roles."""

    def __init__(self, path: Path, roles: Callable[[Iterable[str]], frozenset[str]]) -> None:
        self._path = path
        self._roles = roles
        self._read: tuple[tuple[int, int, int], Links | DeputyError] | None = None

    async def principal(self, account: Account) -> Principal:
        """Return who an account is linked to. Raises Unlinked, Invalid, Unavailable."""
        person = self.links().accounts.get(account)
        if person is None:
            raise Unlinked(
                "Your account here is linked to nobody, so there is nothing you may do yet. Ask the people who "
                f"look after Deputy to link it to you, and give them this: {shorten(visible(account.id), 80)}"
            )
        return self._as_principal(person)

    async def recent(self, who: Who) -> Principal:
        """Return a known principal. Raises as `live` does."""
        return await self.live(who)

    async def live(self, who: Who) -> Principal:
        """Return a known principal with the groups of this moment. Raises Refused, Invalid, Unavailable."""
        person = self.links().people.get(who)
        if person is None:
            name = visible(who.name or who.oid)
            raise Refused(f"{name} is no longer among the people of Deputy, so nothing is done for them.")
        return self._as_principal(person)

    def account(self, platform: str, key: str) -> str:
        """Return the account of a principal (`tenant/oid`) on a platform; empty where they have none there."""
        tenant, _, oid = key.partition("/")
        person = self.links().people.get(Who(tenant, oid))
        return next((one.id for one in (person.accounts if person else ()) if one.platform == platform), "")

    def links(self) -> Links:
        """Return what the file says now. Raises Invalid naming file, line and field; Unavailable."""
        try:
            found = self._path.stat()
            stamp = found.st_mtime_ns, found.st_size, found.st_ino
            if self._read is None or self._read[0] != stamp:
                self._read = stamp, _kept(self._path.read_text(), self._path.name)
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
            raise Unavailable(f"Nobody is known: {self._path.name} can't be read ({why}).") from None
        read = self._read[1]
        if isinstance(read, DeputyError):
            raise read
        return read

    def _as_principal(self, person: LinkedPerson) -> Principal:
        groups = frozenset(person.groups)
        return Principal(person.who, self._roles(groups), groups)


def parse(text: str, file: str) -> Links:
    """Read the people of a file; nobody and no account may come twice.

    Raises Invalid with file, line and field of what is wrong first, and all the others.
    """
    tables = toml.read(text, file)
    listed = tables.pop("person", [])
    people: dict[Who, LinkedPerson] = {}
    accounts: dict[Account, LinkedPerson] = {}
    with gathered() as faults:
        for name in [*tables, *(() if isinstance(listed, list) else ["person"])]:
            with noted(faults), toml.at(text, file, name):
                raise Invalid(f"It holds people and nothing else, each as a table [[person]], not “{name}”.")
        for number, table in enumerate(listed if isinstance(listed, list) else ()):
            with noted(faults):
                person = _person(table, _Place(text, file, number))
                if person.who in people or not accounts.keys().isdisjoint(person.accounts):
                    twice = f"{person.who.name}, or an account of theirs, is in it twice."
                    raise _Place(text, file, number).fault(twice)
                people[person.who] = person
                accounts |= dict.fromkeys(person.accounts, person)
    return Links(people, accounts)


@dataclass(frozen=True)
class _Place:
    """Where a person stands in the file: they are the `number`th, from 0."""

    text: str
    file: str
    number: int

    def fault(self, sentence: str, *field: str) -> Invalid:
        line = toml.line_of(self.text, ("person", self.number, *field))
        return Invalid(sentence, ", ".join((f"{self.file}:{line}: person {self.number + 1}", *field)))


def _kept(text: str, file: str) -> Links | DeputyError:
    try:
        return parse(text, file)
    except DeputyError as fault:
        return fault


def _person(table: Any, place: _Place) -> LinkedPerson:
    if not isinstance(table, dict):
        raise place.fault("A person is a table [[person]].")
    with gathered() as faults:
        for name in [one for one in table if one not in _FIELDS]:
            faults.append(place.fault(f"“{name}” is unknown; a person has {', '.join(_FIELDS)}.", name))
        for name in _NEEDED:
            if not isinstance(table.get(name), str) or not table[name].strip():
                faults.append(place.fault("It is missing, or no text.", name))
            elif name in ("tenant", "id") and not _GUID.fullmatch(table[name]):
                faults.append(place.fault(f"“{table[name]}” is no id of Entra ID (a GUID).", name))
        groups = table.get("groups", [])
        if not isinstance(groups, list) or not all(
            isinstance(one, str) and _GUID.fullmatch(one) for one in groups
        ):
            faults.append(place.fault("It takes a list of group ids (GUIDs), as in roles.toml.", "groups"))
        with noted(faults):
            accounts = _accounts(table, place)
    who = Who(table["tenant"], table["id"], table["name"])
    return LinkedPerson(who, tuple(one.lower() for one in groups), accounts)


def _accounts(table: Mapping[str, Any], place: _Place) -> tuple[Account, ...]:
    accounts = []
    with gathered() as faults:
        for platform, shape in PLATFORMS.items():
            id = table.get(platform)
            if id is not None and not (isinstance(id, str) and shape.fullmatch(id)):
                wrong = "It takes workspace and member id, as T0123ABCD:U0456EFGH."
                faults.append(place.fault(wrong, platform))
            elif id is not None:
                accounts.append(Account(platform, id))
    return tuple(accounts)
