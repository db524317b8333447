"""The lifecycle against a model of its own: only the table's steps, ends absorbing, every state in reach."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.core.approval import Vote
from bot.core.errors import Conflict
from bot.core.lifecycle import DEPUTY, TABLE, Event, Happening, Step, advance, begin, diagram, standing
from bot.core.principal import Who
from bot.core.request import Request
from bot.core.run import Outcome, Place, Run, State

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANN = Who("acme", "ann", "Ann")
MAX = Who("acme", "max", "Max")

# Written from the design, not from TABLE: state, event, next state, tag of the audit entry.
MODEL_ROWS = """
new               | permit   | queued            | request:permitted
new               | ask      | awaiting_approval | request:approval:needed
new               | refuse   | refused           | request:refused
awaiting_approval | vote     | awaiting_approval | request:approval:granted
awaiting_approval | approve  | queued            | request:approved
awaiting_approval | deny     | denied            | request:approval:denied
awaiting_approval | remind   | awaiting_approval | request:approval:reminded
awaiting_approval | escalate | awaiting_approval | request:approval:escalated
awaiting_approval | expire   | expired           | request:expired
awaiting_approval | withdraw | withdrawn         | request:withdrawn
awaiting_approval | refuse   | refused           | run:refused
queued            | start    | running           | run:started
queued            | void     | awaiting_approval | request:approval:void
queued            | cancel   | cancelled         | run:cancelled
queued            | refuse   | refused           | run:refused
running           | succeed  | succeeded         | run:succeeded
running           | fail     | failed            | run:failed
running           | time out | timed_out         | run:timed_out
running           | cancel   | cancelled         | run:cancelled
running           | interrupt| interrupted       | run:interrupted
running           | requeue  | queued            | run:requeued
"""


def _model() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    model: dict[str, dict[str, tuple[str, str]]] = {}
    for line in MODEL_ROWS.strip().splitlines():
        before, event, after, tag = (word.strip() for word in line.split("|"))
        model.setdefault(before, {})[event] = (after, tag)
    return model


MODEL = _model()
ENDS = {
    "succeeded",
    "failed",
    "timed_out",
    "cancelled",
    "interrupted",
    "denied",
    "expired",
    "withdrawn",
    "refused",
}
EVENTS = {event for steps in MODEL.values() for event in steps}


def fresh() -> Run:
    request = Request(ANN, "look", {}, "here", "5c", "python", "v1", NOW + timedelta(hours=8), "n-1", "local")
    return Run("R-1", request, request.digest, "Look", "read", Place("local", "general"), State.QUEUED, NOW)


def happening(event: str, digest: str) -> Happening:
    """Return an event with what belongs to it."""
    vote = Vote(MAX, event != "deny", digest, NOW) if event in ("vote", "approve", "deny") else None
    outcome = Outcome("Done.", 0) if event in ("succeed", "fail", "time out") else None
    return Happening(Event(event), by=MAX, vote=vote, outcome=outcome, worker="w-1", reasons=("Because.",))


class Lifecycle(RuleBasedStateMachine):
    """Takes a run through legal and illegal steps, and many runs one after the other."""

    @initialize()
    def ask_anew(self) -> None:
        self.run: Run | None = None
        self.state, self.now = "new", NOW
        self.steps = self.starts = self.votes = 0

    @precondition(lambda self: self.state in ENDS)
    @rule()
    def next_run(self) -> None:
        self.ask_anew()

    @precondition(lambda self: self.state not in ENDS)
    @rule(data=st.data())
    def a_step_of_the_model_is_taken(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(sorted(MODEL[self.state])))
        before, after_tag = self.run, MODEL[self.state][event]
        step = self._take(event)
        assert (step.run.state, step.entry.tag) == after_tag
        assert step.before == before
        assert (step.entry.subject, step.entry.actor, step.entry.at) == ("R-1", MAX, self.now)
        assert step.entry.facts["state"] == after_tag[0]
        self.run, self.state = step.run, after_tag[0]
        self.steps += 1
        self.starts += event == "start"
        self.votes += event in ("vote", "approve", "deny")

    @rule(data=st.data())
    def any_other_step_is_a_conflict_in_words(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(sorted(EVENTS - set(MODEL.get(self.state, {})))))
        with pytest.raises(Conflict) as caught:
            self._take(event)
        assert event in caught.value.sentence
        assert "R-1" in caught.value.sentence
        if self.run:
            assert standing(State(self.state)) in caught.value.sentence

    @invariant()
    def the_run_tells_its_story(self) -> None:
        if self.run is None:
            return
        assert self.run.revision == self.steps
        assert self.run.attempt == self.starts
        assert len(self.run.votes) == self.votes
        assert (self.run.ended is not None) == self.run.state.ended == (self.state in ENDS)
        assert (self.run.id, self.run.request, self.run.digest) == ("R-1", fresh().request, fresh().digest)

    def _take(self, event: str) -> Step:
        self.now += timedelta(seconds=1)
        if self.run is None:
            return begin(fresh(), happening(event, fresh().digest), self.now)
        return advance(self.run, happening(event, self.run.digest), self.now)


TestLifecycle = Lifecycle.TestCase


def test_the_table_is_the_models() -> None:
    rows = {(str(before or "new"), str(event)): tuple(map(str, after)) for (before, event), after in TABLE.items()}
    assert rows == {(before, event): row for before, steps in MODEL.items() for event, row in steps.items()}


def test_every_state_is_in_reach_of_a_new_run() -> None:
    reached: set[State | None] = {None}
    for _ in State:
        reached |= {after for (before, _), (after, _) in TABLE.items() if before in reached}
    assert reached - {None} == set(State)


def test_an_end_is_in_reach_of_every_state_that_is_none() -> None:
    ending = {state for state in State if state.ended}
    for _ in State:
        ending |= {before for (before, _), (after, _) in TABLE.items() if before and after in ending}
    assert ending == set(State)


def test_every_event_is_used() -> None:
    assert {event for _, event in TABLE} == set(Event)


@pytest.mark.parametrize("state", sorted(ENDS))
@pytest.mark.parametrize("event", list(Event))
def test_X11_an_end_absorbs_every_late_event(state: str, event: Event) -> None:
    ended = replace(fresh(), state=State(state), revision=4)
    with pytest.raises(Conflict, match=re.escape(f"R-1 {standing(State(state))} already")):
        advance(ended, happening(event.value, ended.digest), NOW)


def test_a_start_names_its_worker_and_its_attempt_in_the_log() -> None:
    queued = begin(fresh(), Happening(Event.PERMIT), NOW).run
    step = advance(queued, Happening(Event.START, worker="w-7"), NOW + timedelta(seconds=3))
    assert (step.run.attempt, step.run.worker, step.run.started) == (1, "w-7", NOW + timedelta(seconds=3))
    assert (step.entry.facts["attempt"], step.entry.facts["worker"]) == (1, "w-7")


def test_a_vote_goes_into_the_log_with_its_comment() -> None:
    waiting = begin(fresh(), Happening(Event.ASK), NOW).run
    vote = Vote(MAX, False, waiting.digest, NOW, "not today")
    step = advance(waiting, Happening(Event.DENY, by=MAX, vote=vote), NOW)
    assert (step.entry.facts["vote"], step.entry.facts["comment"]) == ("no", "not today")
    assert step.entry.facts["digest"] == waiting.digest
    assert step.run.ended_by == MAX


def test_what_nobody_caused_deputy_did() -> None:
    waiting = begin(fresh(), Happening(Event.ASK), NOW).run
    assert advance(waiting, Happening(Event.EXPIRE), NOW).entry.actor == DEPUTY


def test_the_diagram_draws_every_row_and_every_end() -> None:
    head, *lines = diagram().splitlines()
    assert head == "stateDiagram-v2"
    arrows = [re.fullmatch(r"    (\[\*\]|\w+) --> (\[\*\]|\w+)(?:: ([a-z ]+))?", line) for line in lines]
    drawn = {arrow.groups() for arrow in arrows if arrow}
    assert len(drawn) == len(lines)
    rows = {(str(before or "[*]"), str(after), str(event)) for (before, event), (after, _) in TABLE.items()}
    assert drawn == rows | {(end, "[*]", None) for end in ENDS}
