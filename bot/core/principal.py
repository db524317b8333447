"""Who asks: persons and agents, by Entra tenant and object id, never by name or e-mail."""

from dataclasses import dataclass, field
from enum import StrEnum


class PrincipalKind(StrEnum):
    """A person decides; an agent may only ask."""

    PERSON = "person"
    AGENT = "agent"


@dataclass(frozen=True)
class Who:
    """The stable identity of a principal. `name` is for reading only and is no part of equality."""

    tenant: str
    oid: str
    name: str = ""

    @property
    def key(self) -> str:
        """The identity as one text: `tenant/oid`, in lower case."""
        return f"{self.tenant}/{self.oid}".lower()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Who) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True)
class Account:
    """Somebody as a chat platform names them: `platform` is `local`, `slack`, `teams`.

    `name` is for reading only. `who` is given where the platform itself proves who that is in Entra ID (Teams).
    """

    platform: str
    id: str
    name: str = field(default="", compare=False)
    who: Who | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """The account as one text, `platform/id`, in its one spelling: case and blanks around it make no other."""
        return f"{self.platform.strip()}/{self.id.strip()}".lower()


@dataclass(frozen=True)
class Principal:
    """A principal with the roles their groups give them now."""

    who: Who
    roles: frozenset[str]
    groups: frozenset[str] = frozenset()
    kind: PrincipalKind = PrincipalKind.PERSON

    @property
    def name(self) -> str:
        return self.who.name or self.who.oid
