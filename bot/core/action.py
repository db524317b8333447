"""Actions: catalogued scripts with all that is known about them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.canonical import sha256_bytes
from bot.core.parameter import Kind, Parameter, Value

_PLACE = re.compile(r"\{(\w+)\}")


class Risk(StrEnum):
    """What an action may do at worst. `unclassified` counts as destructive until somebody looks."""

    READ = "read"
    CHANGE = "change"
    DESTRUCTIVE = "destructive"
    UNCLASSIFIED = "unclassified"


@dataclass(frozen=True)
class Script:
    """The bytes of one file and their SHA-256 in hex; `name` is its file name."""

    name: str
    content: bytes = field(repr=False)

    @property
    def sha(self) -> str:
        return sha256_bytes(self.content)


@dataclass(frozen=True)
class Action:
    """One entry of the catalogue.

    `id` is what people type (`unlock-account`), `path` where its .toml is, relative to `actions/`.
    `credentials` binds a name in the script to a vault reference (`vault:directory`).
    `verify` is run after the script with the same arguments and says whether it really worked.
    `definition` is the SHA-256 of the .toml. `private` shows the result to the requester alone.
    `environment` is where it acts (`production`, `test`). `timeout` is in seconds.
    `at_once` is how many runs of it there may be, in all processes; 0: any number.
    """

    id: str
    category: str
    path: str
    title: str
    summary: str
    risk: Risk
    script: Script
    definition: str = ""
    runner: str = "local"
    target: str = "this machine"
    environment: str = "production"
    parameters: tuple[Parameter, ...] = ()
    libraries: tuple[Script, ...] = ()
    verify: Script | None = None
    credentials: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 60.0
    locks: tuple[str, ...] = ()
    at_once: int = 0
    idempotent: bool = False
    private: bool = False
    minutes_saved: int = 0

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter called `name`, or None."""
        return next((one for one in self.parameters if one.name == name), None)

    def lock_names(self, arguments: Mapping[str, Value]) -> tuple[str, ...]:
        """Return the locks of one run: `account:{account}` with its arguments put in."""
        given = {**arguments, "target": self.target}
        return tuple(_PLACE.sub(lambda place: str(given.get(place[1], "")), lock) for lock in self.locks)

    def limits(self, target_at_once: int) -> Mapping[str, int]:
        """Return what a run of this takes a place under, and how many places there are; 0 is no limit."""
        found = {f"action {self.id}": self.at_once, f"target {self.target}": target_at_once}
        return {name: most for name, most in found.items() if most}

    @property
    def secrets(self) -> frozenset[str]:
        """Names of the parameters whose values are secret."""
        return frozenset(one.name for one in self.parameters if one.kind is Kind.SECRET)

    @property
    def scripts(self) -> tuple[Script, ...]:
        """Every file that will run: the script, its libraries and its check."""
        return (self.script, *self.libraries, *([self.verify] if self.verify else []))
