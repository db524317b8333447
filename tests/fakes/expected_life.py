"""How a run must live, told a second time: plain words and sets, and nothing of Deputy's own rules.

Each function takes what is known of a run and the world of one moment, and returns what must be known after.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

AWAITING, QUEUED, RUNNING, INTERRUPTED = "awaiting_approval", "queued", "running", "interrupted"
TO_DECIDE = timedelta(hours=8)


@dataclass(frozen=True)
class World:
    """One moment: the roles of everybody in the directory, the approvals that each action needs (none named:
    nobody may), and all that is under an action's seal, its script first.
    """

    now: datetime
    roles: Mapping[str, frozenset[str]]
    needs: Mapping[str, int]
    sealed: Mapping[str, tuple[object, ...]]

    def has(self, person: str, role: str) -> bool:
        return role in self.roles.get(person, ())


@dataclass(frozen=True)
class Life:
    """What is known of one run. `approvers` are persons, however many accounts they have."""

    requester: str
    action: str
    needed: int
    sealed: tuple[object, ...]
    expires: datetime
    state: str
    approvers: frozenset[str] = frozenset()

    @property
    def ended(self) -> bool:
        return self.state not in (AWAITING, QUEUED, RUNNING)

    @property
    def idempotent(self) -> bool:
        return self.action == "tidy"

    @property
    def locks(self) -> bool:
        """Whether it works on the account that all runs of these actions work on."""
        return self.action in ("change", "wipe")

    def holds(self, world: World) -> bool:
        """Whether what was asked is still what would run."""
        return self.sealed == world.sealed[self.action]

    def late(self, world: World) -> bool:
        return world.now >= self.expires


def begun(person: str, action: str, world: World) -> Life:
    """Somebody asks."""
    needed = world.needs.get(action, 0)
    state = AWAITING if needed else QUEUED
    if action not in world.needs or not world.has(person, "desk"):
        state, needed = "refused", 0
    return Life(person, action, needed, world.sealed[action], world.now + TO_DECIDE, state)


def may_decide(life: Life, person: str, world: World) -> bool:
    """Whether somebody has a say: an approver, on a request of another who is still there."""
    return world.has(person, "boss") and person != life.requester and life.requester in world.roles


def voted(life: Life, person: str, yes: bool, world: World) -> Life:
    """Somebody approves or denies; an approval counts once, and may be taken back by a no."""
    if life.state != AWAITING or not may_decide(life, person, world):
        return life
    if life.late(world) or not life.holds(world):
        return replace(life, state="expired" if life.late(world) else "refused")
    if not yes:
        return replace(life, state="denied")
    if person in valid(life, world) or not may_run(life, world):
        return life
    approvers = valid(life, world) | {person}
    enough = len(approvers) >= max(life.needed, world.needs.get(life.action, 0))
    return replace(life, approvers=approvers, state=QUEUED if enough else AWAITING)


def may_run(life: Life, world: World) -> bool:
    """Whether who asked may run it in this moment."""
    return world.has(life.requester, "desk") and life.action in world.needs


def valid(life: Life, world: World) -> frozenset[str]:
    """Whose approvals count in this moment."""
    return frozenset(person for person in life.approvers if world.has(person, "boss") and person != life.requester)


def may_cancel(life: Life, person: str, world: World) -> bool:
    """Whether somebody asked for it or may approve it."""
    approver = world.has(person, "boss") and life.requester in world.roles
    return person in world.roles and (person == life.requester or approver)


def cancelled(life: Life, person: str, world: World) -> Life:
    """Somebody cancels."""
    if life.ended or not may_cancel(life, person, world):
        return life
    return replace(life, state="withdrawn" if life.state == AWAITING else "cancelled")


def may_see(life: Life, person: str, world: World) -> bool:
    """Whether somebody may look at it, and so ask for the same."""
    runs_it = world.has(person, "desk") and life.action in world.needs and life.state != "refused"
    return runs_it or may_cancel(life, person, world)


def claimed(life: Life, world: World, *, held: bool = False) -> Life:
    """A worker takes it: it starts with the rights of this moment, waits for approval again, or never starts.

    For a held lock it waits.
    """
    if life.state != QUEUED:
        return life
    if not may_run(life, world) or not life.holds(world) or life.late(world):
        return replace(life, state="refused")
    if len(valid(life, world)) < life.needed:
        return replace(life, state=AWAITING, approvers=valid(life, world))
    return life if held else replace(life, state=RUNNING)


def ended(life: Life, how: str) -> Life:
    """Its script ends."""
    return replace(life, state=how) if life.state == RUNNING else life


def expired(life: Life, world: World) -> Life:
    """Time is looked after."""
    return replace(life, state="expired") if life.state == AWAITING and life.late(world) else life


def recovered(life: Life) -> Life:
    """The process died and another begins."""
    return ended(life, QUEUED if life.idempotent else INTERRUPTED)


def told(life: Life, tag: str, person: str, world: World) -> Life:
    """Return what an audit entry made of a run. Raises AssertionError for one that tells of no run."""
    match tag:
        case "request:approval:granted" | "request:approved" | "request:approval:denied":
            return voted(life, person, tag != "request:approval:denied", world)
        case "request:withdrawn" | "run:cancelled":
            return cancelled(life, person, world)
        case "request:expired":
            return expired(life, world)
        case "run:started" | "request:approval:void":
            return claimed(life, world)
        case "run:refused" if life.state == AWAITING and not life.holds(world):
            return replace(life, state="refused")
        case "run:refused":
            return claimed(life, world)
        case "run:requeued":
            return recovered(life)
        case "run:interrupted" | "run:succeeded" | "run:failed" | "run:timed_out":
            return ended(life, tag.removeprefix("run:"))
    raise AssertionError(f"{tag} tells nothing that can happen to a run")
