"""Approvals: votes by distinct persons on one request digest, and their tally."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.principal import Who


@dataclass(frozen=True)
class Vote:
    """One approver's yes or no to one request digest."""

    approver: Who
    yes: bool
    digest: str
    at: datetime
    comment: str = ""


@dataclass(frozen=True)
class Tally:
    """How the votes on one digest stand. A no ends it, however many said yes."""

    approvers: tuple[Who, ...]
    denied_by: Who | None
    needed: int

    @property
    def complete(self) -> bool:
        return self.denied_by is None and len(self.approvers) >= self.needed

    @property
    def missing(self) -> int:
        return max(0, self.needed - len(self.approvers))


def tally(votes: tuple[Vote, ...], *, digest: str, requester: Who, needed: int) -> Tally:
    """Count distinct persons (tenant, object id); the requester and votes on another digest don't count."""
    valid = [vote for vote in votes if vote.digest == digest and vote.approver != requester]
    denied = next((vote.approver for vote in valid if not vote.yes), None)
    approvers = tuple(dict.fromkeys(vote.approver for vote in valid if vote.yes))
    return Tally(approvers, denied, needed)
