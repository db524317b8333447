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
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.core import toml
from bot.core.errors import Invalid

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
    """Read slack.toml in a folder; without one there are no routes. Raises Invalid naming file and field."""
    path = folder / FILE
    if not path.is_file():
        return Routes()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Invalid(f"It can't be read: {error.strerror}.", FILE) from None
    except UnicodeDecodeError as error:
        raise Invalid(f"It is not UTF-8 (byte {error.start}).", FILE) from None
    data = toml.read(text, FILE)
    _known(data, _FIELDS, "")
    actions = _table(data.get("actions", {}), "actions")
    tables = {name: _table(one, f"actions.{name}") for name, one in actions.items()}
    for name, table in tables.items():
        _known(table, _ACTION_FIELDS, f"actions.{name}.")
    approvals = {name: one["approvals"] for name, one in tables.items() if "approvals" in one}
    asked_in = {name: one["asked_in"] for name, one in tables.items() if "asked_in" in one}
    mention = _table(data.get("mention", {}), "mention")
    return Routes(
        _channel(data.get("approvals", ""), "approvals"),
        {name: _channel(one, f"actions.{name}.approvals") for name, one in approvals.items()},
        {name: _ids(one, f"actions.{name}.asked_in", _CHANNEL) for name, one in asked_in.items()},
        {role: _ids(ids, f"mention.{role}", _CALLED) for role, ids in mention.items()},
    )


def _known(table: Mapping[str, Any], fields: frozenset[str], where: str) -> None:
    for name in sorted(table.keys() - fields):
        names = ", ".join(sorted(fields))
        raise Invalid(f"There is no such field. The fields are {names}.", f"{FILE}: {where}{name}")


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid("It must be a table.", f"{FILE}: {where}")
    return value


def _channel(value: Any, where: str) -> str:
    return "" if value == "" else _ids([value], where, _CHANNEL)[0]


def _ids(value: Any, where: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and pattern.fullmatch(one) for one in value):
        called = f"people and groups, such as S012AB3CD, or “{ON_CALL}”"
        kind = "channels, such as C012AB3CD" if pattern is _CHANNEL else called
        raise Invalid(f"It must hold Slack's ids of {kind}.", f"{FILE}: {where}")
    return tuple(value)
