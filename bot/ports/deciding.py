"""Who people are, and what policy says they may do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.action import Action
from bot.core.decision import Decision
from bot.core.parameter import Value
from bot.core.principal import Account, Principal, Who


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the time in UTC, with its zone."""


class Directory(Protocol):
    """Who people are and what groups they are in."""

    async def principal(self, account: Account) -> Principal:
        """Return who an account is, with groups at most a minute old.

        Raises Unlinked for one that is linked to nobody, Refused for one who left, Unavailable.
        """

    async def recent(self, who: Who) -> Principal:
        """Return a known principal with groups at most a minute old, for showing. Raises as `live` does."""

    async def live(self, who: Who) -> Principal:
        """Return a known principal with the groups of this moment. Raises Refused where they left; Unavailable."""


@dataclass(frozen=True)
class Situation:
    """What goes on, as far as it is known. What can't be learnt counts as not so; `unknown` says why in words.

    `on_call` holds the keys (`tenant/oid`) of those on call now; `incident` is what the open one is called.
    """

    on_call: frozenset[str] = frozenset()
    incident: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """May this principal run this action, with these arguments, through this door, now?

    `approvers` are the roles of each person whose approval counts so far. `escalated` says that the first
    approvers let most of their time pass, `delegated` that who votes does so in the place of somebody away.
    `break_glass` says it is asked as an emergency, and `unreviewed` how many of the principal's own earlier
    emergencies nobody has reviewed yet.
    """

    principal: Principal
    action: Action
    arguments: Mapping[str, Value]
    door: str
    now: datetime
    situation: Situation = field(default_factory=Situation)
    break_glass: bool = False
    unreviewed: int = 0
    approvers: tuple[frozenset[str], ...] = ()
    escalated: bool = False
    delegated: bool = False


@dataclass(frozen=True)
class About:
    """What a menu is about: all of a question but the action and its arguments."""

    principal: Principal
    door: str
    now: datetime
    situation: Situation = field(default_factory=Situation)
    break_glass: bool = False


@dataclass(frozen=True)
class RoleInfo:
    """A role as people know it: its name in policies, its title, and where its people are found."""

    name: str
    title: str
    contact: str = ""


class Policy(Protocol):
    """Decides. An error, a policy that can't be read, or a question outside the schema denies."""

    def version(self) -> str:
        """Return the SHA-256 over all policy files, in hex. Raises Invalid where they are broken."""

    def decide(self, question: Question) -> Decision:
        """Say whether it may run: at once, with how many approvals, or not and why."""

    def may_approve(self, approver: Principal, question: Question) -> Decision:
        """Say whether `approver` may vote on `question`: Permit or Deny."""

    def opens(self, question: Question) -> datetime | None:
        """Return the first hour, of the coming week or after a freeze that is on, at which asking is allowed."""

    def may_review(self, reviewer: Principal, question: Question) -> Decision:
        """Say whether `reviewer` may review afterwards what was run as an emergency: Permit or Deny."""

    def menu(self, about: About, actions: Iterable[Action]) -> Mapping[str, Decision]:
        """Decide many actions at once, without arguments, for showing what somebody may do now."""

    def roles(self, groups: Iterable[str], *, guest: bool = False) -> frozenset[str]:
        """Return the roles that a set of group ids gives; to a guest only those that guests may hold."""

    def role(self, name: str) -> RoleInfo:
        """Return what people call a role."""
