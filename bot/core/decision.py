"""What policy says: a value with reasons, never a bool."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One policy's say: its id and its sentence for people."""

    policy: str
    sentence: str = ""


@dataclass(frozen=True)
class Permit:
    """It may run now."""

    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class NeedsApproval:
    """It may run with `count` approvals: the smallest number with which policy permits it.

    `roles` are those whose members may approve it. `seats` are the roles of each of which one more approver
    has to be: different persons, whatever other roles they hold.
    """

    count: int
    roles: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    seats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deny:
    """It may not run. `roles` are those whose members could run it or ask for it."""

    reasons: tuple[Reason, ...] = ()
    roles: tuple[str, ...] = ()


Decision = Permit | NeedsApproval | Deny


# The policy's name of a denial that no policy brought about: none allows it.
DEFAULT = "default-deny"
# The policy's name of a reason that says what could not be learnt, where knowing it would have decided otherwise.
UNKNOWN = "unknown-facts"


def untold(decision: Decision) -> tuple[str, ...]:
    """Return what could not be learnt and would have decided otherwise, in sentences."""
    return tuple(reason.sentence for reason in decision.reasons if reason.policy == UNKNOWN)


def policies(decision: Decision) -> tuple[str, ...]:
    """Return the ids of the policies that brought a decision about, each once."""
    return tuple(dict.fromkeys(reason.policy for reason in decision.reasons))


# More approvals than this nobody can require: the search for the smallest number ends here.
MOST_APPROVALS = 5
