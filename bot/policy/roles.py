"""roles.toml: the roles policies speak of, and the Entra ID groups that give them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.core import toml
from bot.core.errors import Invalid, gathered, noted

FILE = "roles.toml"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_FIELDS = ("title", "groups", "contact", "guests")


@dataclass(frozen=True)
class Role:
    """A role. `groups` are object ids of Entra ID groups, in lower case; `contact` is a channel or address.

    `guests` says that guests of the tenant may hold it too.
    """

    name: str
    title: str
    groups: tuple[str, ...]
    contact: str = ""
    guests: bool = False


def parse(text: str) -> Mapping[str, Role]:
    """Read roles by name. Raises Invalid with line and field, also where one group gives two roles.

    Of several roles that are wrong it raises the first, with the others.
    """
    tables = toml.read(text, FILE)
    if not tables:
        raise Invalid("It names no role, so nobody could do anything.", FILE)
    roles: dict[str, Role] = {}
    taken: list[str] = []
    with gathered() as faults:
        for name, table in tables.items():
            with noted(faults):
                roles[name] = _placed(text, name, table, taken)
            taken += _named(table)
    return roles


def held(roles: Mapping[str, Role], groups: Iterable[str], *, guest: bool = False) -> frozenset[str]:
    """Return the names of the roles that membership in `groups` gives; a guest only gets what guests may hold."""
    mine = {group.lower() for group in groups}
    return frozenset(
        name for name, role in roles.items() if mine.intersection(role.groups) and (role.guests or not guest)
    )


def _placed(text: str, name: str, table: object, taken: list[str]) -> Role:
    with gathered() as faults:
        for field, sentence in _slips(table, taken):
            where = f"{FILE}:{toml.line_of(text, (name, field))}"
            faults.append(Invalid(f"[{name}] {field} {sentence}.", where))
    assert isinstance(table, dict)  # noqa: S101 - else there was a fault
    groups = tuple(group.lower() for group in table["groups"])
    return Role(name, table["title"], groups, table.get("contact", ""), table.get("guests", False))


def _named(table: object) -> list[str]:
    """Return the groups that a role names, whatever else is wrong with it."""
    groups = table.get("groups") if isinstance(table, dict) else None
    return [group.lower() for group in groups if isinstance(group, str)] if isinstance(groups, list) else []


def _slips(table: object, taken: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a role: the field, and what is said of it."""
    if not isinstance(table, dict):
        yield "stands", "outside every role; a role is a table like [helpdesk]"
        return
    for field in table:
        if field not in _FIELDS:
            yield field, f"is unknown; a role has {', '.join(_FIELDS)}"
    for field in ("title", "contact"):
        if not isinstance(table.get(field, ""), str):
            yield field, "takes text"
    if table.get("title", "") == "":
        yield "title", "is missing: what do people call this role?"
    if not isinstance(table.get("guests", False), bool):
        yield "guests", "takes true or false: may guests of the tenant hold this role too?"
    for sentence in _wrong_groups(table.get("groups"), taken):
        yield "groups", sentence


def _wrong_groups(given: object, taken: list[str]) -> Iterator[str]:
    """Check object ids. A group given twice is a slip that would hand one role's rights to another's people."""
    if not isinstance(given, list) or not given:
        yield "takes a list with at least one Entra ID group's object id"
        return
    groups: list[str] = []
    for group in given:
        if not isinstance(group, str) or not _GUID.fullmatch(group):
            yield f"takes object ids (GUIDs), and “{group}” is none"
        elif group.lower() in (*taken, *groups):
            yield f"names {group} a second time; one group gives one role"
        else:
            groups.append(group.lower())
