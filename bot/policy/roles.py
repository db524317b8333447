"""roles.toml: the roles policies speak of, and the Entra ID groups that give them."""

import re
from collections.abc import Iterable, Mapping
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
    with gathered() as faults:
        for name, table in tables.items():
            with noted(faults):
                roles[name] = _placed(text, name, table, [one for role in roles.values() for one in role.groups])
    return roles


def held(roles: Mapping[str, Role], groups: Iterable[str], *, guest: bool = False) -> frozenset[str]:
    """Return the names of the roles that membership in `groups` gives; a guest only gets what guests may hold."""
    mine = {group.lower() for group in groups}
    return frozenset(
        name for name, role in roles.items() if mine.intersection(role.groups) and (role.guests or not guest)
    )


def _placed(text: str, name: str, table: object, taken: list[str]) -> Role:
    try:
        return _role(name, table, taken)
    except ValueError as error:
        field, sentence = error.args
        where = f"{FILE}:{toml.line_of(text, (name, field))}"
        raise Invalid(f"[{name}] {field} {sentence}.", where) from None


def _role(name: str, table: object, taken: list[str]) -> Role:
    if not isinstance(table, dict):
        raise ValueError("stands", "outside every role; a role is a table like [helpdesk]")
    for field in table:
        if field not in _FIELDS:
            raise ValueError(field, f"is unknown; a role has {', '.join(_FIELDS)}")
    for field in ("title", "contact"):
        if not isinstance(table.get(field, ""), str):
            raise ValueError(field, "takes text")
    if not table.get("title"):
        raise ValueError("title", "is missing: what do people call this role?")
    if not isinstance(table.get("guests", False), bool):
        raise ValueError("guests", "takes true or false: may guests of the tenant hold this role too?")
    groups = _groups(table.get("groups"), taken)
    return Role(name, table["title"], groups, table.get("contact", ""), table.get("guests", False))


def _groups(given: object, taken: list[str]) -> tuple[str, ...]:
    """Check object ids. A group given twice is a slip that would hand one role's rights to another's people."""
    if not isinstance(given, list) or not given:
        raise ValueError("groups", "takes a list with at least one Entra ID group's object id")
    groups: list[str] = []
    for group in given:
        if not isinstance(group, str) or not _GUID.fullmatch(group):
            raise ValueError("groups", f"takes object ids (GUIDs), and “{group}” is none")
        if group.lower() in (*taken, *groups):
            raise ValueError("groups", f"names {group} a second time; one group gives one role")
        groups.append(group.lower())
    return tuple(groups)
