"""A run: the life of one request, from asked to ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.core.approval import Tally, Vote, tally
from bot.core.background import Background
from bot.core.canonical import Json
from bot.core.principal import Who
from bot.core.request import Request


class State(StrEnum):
    """Where a run is. All but the first three are ends."""

    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"

    @property
    def ended(self) -> bool:
        return self not in (State.AWAITING_APPROVAL, State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class Place:
    """Where in chat a run was asked for, and so where it is told: platform and conversation id."""

    platform: str
    conversation: str


@dataclass(frozen=True)
class Outcome:
    """What a script left behind. `result` is its structured result (redacted), `output` its text.

    `verified` is the check's answer, None where there is none. `seconds` is the script's wall time.
    A private action's `output` and `result` are empty here: they are sealed in the store.
    """

    summary: str = ""
    code: int | None = None
    seconds: float = 0.0
    output: str = ""
    result: Json = None
    truncated: bool = False
    verified: bool | None = None
    check: str = ""


@dataclass(frozen=True)
class Run:
    """One request's life. `revision` counts its changes and guards each of them (compare-and-set).

    `id` reads `R-7K3M9QX4`. `attempt` counts starts; `worker` names who started it last. `policies` are those
    that decided last, `could` the roles whose members could run what was refused. `reminded` and `escalated`
    say who has been told that it waits: the approvers again, and others too. `labels` are what the form called
    its arguments, by name, where that is not what the name itself says. `comparable` says that when it started
    an earlier run of its action had ended.
    """

    id: str
    request: Request
    digest: str
    title: str
    risk: str
    place: Place
    state: State
    created: datetime
    private: bool = False
    idempotent: bool = False
    needed: int = 0
    approver_roles: tuple[str, ...] = ()
    seats: tuple[str, ...] = ()
    votes: tuple[Vote, ...] = ()
    reasons: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    could: tuple[str, ...] = ()
    reminded: bool = False
    escalated: bool = False
    background: Background = field(default_factory=Background)
    attempt: int = 0
    worker: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    ended_by: Who | None = None
    outcome: Outcome = field(default_factory=Outcome)
    revision: int = 0
    rerun_of: str = ""
    comparable: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def asked_again(self) -> bool:
        """Whether approvals became void, so that it had to wait for others."""
        return any(vote.void for vote in self.votes)

    @property
    def tally(self) -> Tally:
        """How the votes stand on this run's digest."""
        return tally(self.votes, digest=self.digest, requester=self.request.requester, needed=self.needed)
