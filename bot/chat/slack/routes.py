"""slack.toml: where in Slack approvals go, who is called to them, and where an action may be asked for.

    approvals = "C012APPROVE"              # the channel for approvals; left out: where it was asked

    [actions.reset-password]
    approvals = "C012SECURITY"             # of this action, in place of the one above
    asked_in = ["C012HELPDESK"]            # left out: everywhere

    [mention]
    "IT manager" = ["S012MANAGERS"]        # a role's title: ids of people (U…, W…) and groups (S…),
    "Engineers" = ["on-call"]              # or whoever is on call then, by oncall.toml

Every id is one of Slack's; a whole channel can't be mentioned.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.core import toml
from bot.core.errors import Invalid, gathered
from bot.core.text import decoded

FILE = "slack.toml"
ON_CALL = "on-call"
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,20}")
_CALLED = re.compile(rf"[UWS][A-Z0-9]{{2,20}}|{ON_CALL}")
_FIELDS = frozenset({"approvals", "actions", "mention"})
_ACTION_FIELDS = frozenset({"approvals", "asked_in"})


@dataclass(frozen=True)
class Routes:
    """Channels by action, and whom a role's title calls. Empty: everything happens where it was asked."""

    approvals: str = ""
    approvals_of: Mapping[str, str] = field(default_factory=dict)
    asked_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mention: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def actions(self) -> frozenset[str]:
        """Every action that is named."""
        return frozenset((*self.approvals_of, *self.asked_in))

    @property
    def channels(self) -> tuple[str, ...]:
        """Every conversation that is named, each once."""
        asked_in = (one for ids in self.asked_in.values() for one in ids)
        named = (self.approvals, *self.approvals_of.values(), *asked_in)
        return tuple(dict.fromkeys(one for one in named if one))

    def approvals_for(self, action: str) -> str:
        """Return the channel where an action's approvals go, empty for the one it was asked in."""
        return self.approvals_of.get(action, self.approvals)

    def called(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        """Return who is mentioned where these roles are needed, each once; ON_CALL stands for who is on call."""
        return tuple(dict.fromkeys(one for role in roles for one in self.mention.get(role, ())))

    def elsewhere(self, action: str, conversation: str) -> tuple[str, ...]:
        """Return where an action has to be asked for instead of here; nothing where here is right."""
        wanted = self.asked_in.get(action, ())
        return () if conversation in wanted else wanted


def read_routes(folder: Path) -> Routes:
    """Read slack.toml in a folder; without one there are no routes. Raises Invalid naming file, line and
    field of what is wrong first, and all the others.
    """
    path = folder / FILE
    if not path.is_file():
        return Routes()
    try:
        text = decoded(path.read_bytes(), FILE)
    except OSError as error:
        raise Invalid(f"It can't be read: {error.strerror}.", FILE) from None
    with gathered() as faults:
        return _routes(_Lines(text, faults), toml.read(text, FILE))


def unknown(folder: Path, routes: Routes, actions: Collection[str], titles: Collection[str]) -> Iterator[Invalid]:
    """Yield a fault for every action and every role's title that is named in the file and that there is not."""
    path = folder / FILE
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for name in sorted(routes.actions - set(actions)):
        yield Invalid("There is no such action.", toml.place(text, FILE, "actions", name))
    for title in [one for one in routes.mention if one not in titles]:
        sentence = f"No role has this title, so it calls nobody. There are {', '.join(titles)}."
        yield Invalid(sentence, toml.place(text, FILE, "mention", title))


def _routes(lines: "_Lines", data: dict[str, Any]) -> Routes:
    """Read what is right; what is wrong goes among the faults."""
    lines.known(data, _FIELDS)
    actions = lines.table(data, "actions")
    tables = {name: lines.table(actions, "actions", name) for name in actions}
    for name, table in tables.items():
        lines.known(table, _ACTION_FIELDS, "actions", name)
    mention = lines.table(data, "mention")
    return Routes(
        lines.channel(data, "approvals"),
        {
            name: lines.channel(one, "actions", name, "approvals")
            for name, one in tables.items()
            if "approvals" in one
        },
        {
            name: lines.ids(one["asked_in"], _CHANNEL, "actions", name, "asked_in")
            for name, one in tables.items()
            if "asked_in" in one
        },
        {role: lines.ids(ids, _CALLED, "mention", role) for role, ids in mention.items()},
    )


@dataclass(frozen=True)
class _Lines:
    """The file's text, for the lines of its fields, and the faults so far. `keys` lead to a field."""

    text: str
    faults: list[Invalid]

    def fault(self, sentence: str, *keys: str) -> None:
        self.faults.append(Invalid(sentence, toml.place(self.text, FILE, *keys)))

    def known(self, table: Mapping[str, Any], fields: frozenset[str], *keys: str) -> None:
        for name in sorted(table.keys() - fields):
            names = ", ".join(sorted(fields))
            self.fault(f"There is no such field. The fields are {names}.", *keys, name)

    def table(self, outer: Mapping[str, Any], *keys: str) -> dict[str, Any]:
        value = outer.get(keys[-1], {})
        if isinstance(value, dict):
            return value
        self.fault("It must be a table.", *keys)
        return {}

    def channel(self, table: Mapping[str, Any], *keys: str) -> str:
        value = table.get(keys[-1], "")
        return "" if value == "" else next(iter(self.ids([value], _CHANNEL, *keys)), "")

    def ids(self, value: Any, pattern: re.Pattern[str], *keys: str) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(one, str) and pattern.fullmatch(one) for one in value):
            return tuple(value)
        called = f"people and groups, such as S012AB3CD, or “{ON_CALL}”"
        kind = "channels, such as C012AB3CD" if pattern is _CHANNEL else called
        self.fault(f"It must hold Slack's ids of {kind}.", *keys)
        return ()
