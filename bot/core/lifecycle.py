"""The one lifecycle: every state a run can be in and every way from one to another.

Nothing else in Deputy changes a state. Ends are absorbing: no row of TABLE starts in one.
The README's diagram is generated from TABLE.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.core.approval import Quorum, Vote
from bot.core.audit import Draft, Tag
from bot.core.background import Background
from bot.core.canonical import Json
from bot.core.errors import Conflict
from bot.core.principal import Who
from bot.core.run import Outcome, Run, State

DEPUTY = Who("deputy", "deputy", "Deputy")


class Event(StrEnum):
    """What can happen to a run."""

    PERMIT = "permit"
    ASK = "ask"
    REFUSE = "refuse"
    VOTE = "vote"
    APPROVE = "approve"
    DENY = "deny"
    VOID = "void"
    REMIND = "remind"
    ESCALATE = "escalate"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    START = "start"
    CANCEL = "cancel"
    SUCCEED = "succeed"
    FAIL = "fail"
    TIME_OUT = "time out"
    INTERRUPT = "interrupt"
    REQUEUE = "requeue"


TABLE: Mapping[tuple[State | None, Event], tuple[State, Tag]] = {
    (None, Event.PERMIT): (State.QUEUED, Tag.REQUEST_PERMITTED),
    (None, Event.ASK): (State.AWAITING_APPROVAL, Tag.REQUEST_NEEDS_APPROVAL),
    (None, Event.REFUSE): (State.REFUSED, Tag.REQUEST_REFUSED),
    (State.AWAITING_APPROVAL, Event.VOTE): (State.AWAITING_APPROVAL, Tag.APPROVAL_GRANTED),
    (State.AWAITING_APPROVAL, Event.APPROVE): (State.QUEUED, Tag.REQUEST_APPROVED),
    (State.AWAITING_APPROVAL, Event.DENY): (State.DENIED, Tag.APPROVAL_DENIED),
    (State.AWAITING_APPROVAL, Event.REMIND): (State.AWAITING_APPROVAL, Tag.APPROVAL_REMINDED),
    (State.AWAITING_APPROVAL, Event.ESCALATE): (State.AWAITING_APPROVAL, Tag.APPROVAL_ESCALATED),
    (State.AWAITING_APPROVAL, Event.EXPIRE): (State.EXPIRED, Tag.REQUEST_EXPIRED),
    (State.AWAITING_APPROVAL, Event.WITHDRAW): (State.WITHDRAWN, Tag.REQUEST_WITHDRAWN),
    (State.AWAITING_APPROVAL, Event.REFUSE): (State.REFUSED, Tag.RUN_REFUSED),
    (State.QUEUED, Event.START): (State.RUNNING, Tag.RUN_STARTED),
    (State.QUEUED, Event.VOID): (State.AWAITING_APPROVAL, Tag.APPROVAL_VOID),
    (State.QUEUED, Event.CANCEL): (State.CANCELLED, Tag.RUN_CANCELLED),
    (State.QUEUED, Event.REFUSE): (State.REFUSED, Tag.RUN_REFUSED),
    (State.RUNNING, Event.SUCCEED): (State.SUCCEEDED, Tag.RUN_SUCCEEDED),
    (State.RUNNING, Event.FAIL): (State.FAILED, Tag.RUN_FAILED),
    (State.RUNNING, Event.TIME_OUT): (State.TIMED_OUT, Tag.RUN_TIMED_OUT),
    (State.RUNNING, Event.CANCEL): (State.CANCELLED, Tag.RUN_CANCELLED),
    (State.RUNNING, Event.INTERRUPT): (State.INTERRUPTED, Tag.RUN_INTERRUPTED),
    (State.RUNNING, Event.REQUEUE): (State.QUEUED, Tag.RUN_REQUEUED),
}


# What a run remembers of having been told again.
_TOLD: Mapping[Event, str] = {Event.REMIND: "reminded", Event.ESCALATE: "escalated"}


@dataclass(frozen=True)
class Happening:
    """An event with what belongs to it. `by` is who caused it; Deputy itself where nobody did.

    `voided` are votes that no longer count, each with its reason; `quorum` is what is needed from here on;
    `background` what is shown from here on; `comparable` says that an earlier run of the action has ended.
    """

    event: Event
    by: Who = DEPUTY
    vote: Vote | None = None
    voided: tuple[Vote, ...] = ()
    quorum: Quorum | None = None
    background: Background | None = None
    outcome: Outcome | None = None
    worker: str = ""
    comparable: bool = False
    reasons: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    facts: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One transition: the run before (None: it is new) and after, and the fact to be written with it."""

    before: Run | None
    run: Run
    happening: Happening
    entry: Draft


def begin(run: Run, happening: Happening, now: datetime) -> Step:
    """Let a new run begin; `run` carries what was asked, its state is set here."""
    return _step(None, run, happening, now)


def advance(run: Run, happening: Happening, now: datetime) -> Step:
    """Take a run one step on. Raises Conflict where TABLE has no such step (an end is absorbing)."""
    return _step(run, run, happening, now)


def _step(before: Run | None, run: Run, happening: Happening, now: datetime) -> Step:
    row = TABLE.get((before.state if before else None, happening.event))
    if row is None:
        raise Conflict(f"{run.id} {standing(run.state)} already; there is nothing to {happening.event.value}.")
    state, tag = row
    after = replace(run, state=state, revision=run.revision + 1, **_changed(run, state, happening, now))
    return Step(before, after, happening, Draft(tag, happening.by, run.id, now, _facts(after, happening)))


def wording(state: State) -> str:
    """Return a state as people read it: `awaiting approval`."""
    return state.value.replace("_", " ")


def standing(state: State) -> str:
    """Return how a run in a state stands, as the rest of a sentence: `was denied`."""
    return _STANDINGS.get(state, f"is {wording(state)}")


_STANDINGS: Mapping[State, str] = {
    State.AWAITING_APPROVAL: "waits for approval",
    State.SUCCEEDED: "has succeeded",
    State.FAILED: "has failed",
    State.TIMED_OUT: "was stopped at its time limit",
    State.EXPIRED: "has expired",
    **{state: f"was {state.value}" for state in (State.CANCELLED, State.INTERRUPTED, State.DENIED)},
    **{state: f"was {state.value}" for state in (State.WITHDRAWN, State.REFUSED)},
}


def _changed(run: Run, state: State, happening: Happening, now: datetime) -> dict[str, Any]:
    changed: dict[str, Any] = _changed_votes(run, happening)
    if happening.event is Event.START:
        changed |= {"attempt": run.attempt + 1, "worker": happening.worker, "started": now}
    if happening.event in _TOLD:
        changed[_TOLD[happening.event]] = True
    for name in ("outcome", "policies", "background", "comparable"):
        if getattr(happening, name):
            changed[name] = getattr(happening, name)
    if happening.event is Event.REFUSE:
        changed["policies"] = happening.policies  # not those that had let it in
    if happening.reasons or state is not run.state:
        changed["reasons"] = happening.reasons  # why it came to this state; those of the last one are over
    if state.ended:
        changed |= {"ended": now, "ended_by": happening.by}
    return changed


def _changed_votes(run: Run, happening: Happening) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    void = {(vote.approver, vote.at): vote for vote in happening.voided}
    if void or happening.vote:
        kept = (void.get((vote.approver, vote.at), vote) for vote in run.votes)
        changed["votes"] = (*kept, *([happening.vote] if happening.vote else []))
    if happening.quorum:
        quorum = happening.quorum
        changed |= {"needed": quorum.needed, "approver_roles": quorum.roles, "seats": quorum.seats}
    return changed


def _facts(run: Run, happening: Happening) -> dict[str, Json]:
    facts: dict[str, Json] = {"action": run.request.action, "digest": run.digest, "state": run.state.value}
    if run.revision == 1:
        facts["request"] = run.request.sealed()
    if happening.reasons:
        facts["reasons"] = happening.reasons
    if happening.policies:
        facts["policies"] = happening.policies
        facts["policy_version"] = run.request.policy_version
    if happening.vote:
        facts |= _vote_facts(happening.vote)
    if happening.voided:
        facts["void"] = [{"approver": vote.approver.key, "why": vote.void} for vote in happening.voided]
    if happening.event in (Event.APPROVE, Event.START) and run.needed:
        facts["approved_by"] = [who.key for who in run.tally.approvers]
    if happening.outcome:
        facts["summary"], facts["code"] = happening.outcome.summary, happening.outcome.code
        facts["verified"], facts["check"] = happening.outcome.verified, happening.outcome.check
    if happening.event is Event.START:
        facts["attempt"], facts["worker"] = run.attempt, run.worker
    return {**happening.facts, **facts}


def _vote_facts(vote: Vote) -> dict[str, Json]:
    facts: dict[str, Json] = {"vote": "yes" if vote.yes else "no", "comment": vote.comment, "roles": vote.roles}
    return {**facts, "in_place_of": vote.holder.key} if vote.holder else facts


def diagram() -> str:
    """Draw TABLE as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for (before, event), (after, _) in TABLE.items():
        lines.append(f"    {before or '[*]'} --> {after}: {event.value}")
    lines += [f"    {state} --> [*]" for state in State if state.ended]
    return "\n".join(lines)
