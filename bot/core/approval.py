"""Approvals: votes by distinct persons on one request digest, their tally, and who votes while another is away."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.principal import Who

# Of the time there is to decide: when the approvers are reminded, and when others are asked as well.
REMIND_AFTER = 0.5
ESCALATE_AFTER = 0.75


@dataclass(frozen=True)
class Vote:
    """One approver's yes or no to one request digest.

    `roles` are those the approver held then. `holder` is the person who is away and in whose place it was
    given. `void` says why it no longer counts; it stays on record.
    """

    approver: Who
    yes: bool
    digest: str
    at: datetime
    comment: str = ""
    roles: tuple[str, ...] = ()
    holder: Who | None = None
    void: str = ""


@dataclass(frozen=True)
class Quorum:
    """What a request needs: `needed` approvals in all, by members of `roles`.

    `seats` are the roles of each of which one more approver has to be. Roles go by their titles.
    """

    needed: int
    roles: tuple[str, ...] = ()
    seats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tally:
    """How the votes on one digest stand. A no ends it, however many said yes. `counted` are the yes that count."""

    counted: tuple[Vote, ...]
    denied_by: Who | None
    needed: int

    @property
    def approvers(self) -> tuple[Who, ...]:
        return tuple(vote.approver for vote in self.counted)

    @property
    def complete(self) -> bool:
        return self.denied_by is None and len(self.approvers) >= self.needed

    @property
    def missing(self) -> int:
        return max(0, self.needed - len(self.approvers))


@dataclass(frozen=True)
class Absence:
    """While `holder` is away, until `until`, `deputy` may approve what both of them may approve."""

    holder: Who
    deputy: Who
    until: datetime


def tally(votes: tuple[Vote, ...], *, digest: str, requester: Who, needed: int) -> Tally:
    """Count distinct persons (tenant, object id).

    What doesn't count: a vote that is void or on another digest, the requester's own, and one given in the
    requester's place.
    """
    valid = [vote for vote in votes if _valid(vote, digest, requester)]
    denied = next((vote.approver for vote in valid if not vote.yes), None)
    return Tally(_counted(valid), denied, needed)


def _counted(votes: list[Vote]) -> tuple[Vote, ...]:
    """Return the yes that count: one a person, and one for the right of each person who is away."""
    yes = [vote for vote in votes if vote.yes]
    own = {vote.approver: vote for vote in reversed(yes) if vote.holder is None}
    spent = set(own)
    stand_ins = []
    for vote in yes:
        if vote.holder and not spent & {vote.approver, vote.holder}:
            spent |= {vote.approver, vote.holder}
            stand_ins.append(vote)
    return (*reversed(own.values()), *stand_ins)


def _valid(vote: Vote, digest: str, requester: Who) -> bool:
    return vote.digest == digest and not vote.void and requester not in (vote.approver, vote.holder)


def moment_after(created: datetime, expires: datetime, share: float) -> datetime:
    """Return the moment at which a share (0 to 1) of the time to decide has passed."""
    return created + timedelta(seconds=(expires - created).total_seconds() * share)
