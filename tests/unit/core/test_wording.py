"""The sentences people read: what happened, why, and what comes next."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.core import wording
from bot.core.action import Risk
from bot.core.approval import Vote
from bot.core.principal import Who
from bot.core.run import Outcome, Run, State

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAX, MIA = Who("acme", "max-1", "Max"), Who("acme", "mia-1", "Mia")


def test_every_state_has_its_sentences(run: Run) -> None:
    leads = {wording.lead(replace(run, state=state)) for state in State}
    assert len(leads) == len(State)
    assert all(lead[0].isupper() and lead[-1] in ".!" for lead in leads)


def test_every_risk_has_its_words() -> None:
    assert set(wording.RISKS) == {risk.value for risk in Risk}


def test_a_request_says_what_it_still_needs_and_from_whom(run: Run) -> None:
    assert wording.lead(run) == "Ann asks to run this. It needs 2 approvals from the managers or on-call."
    voted = replace(run, votes=(Vote(MAX, True, run.digest, NOON),))
    assert wording.lead(voted) == "Ann asks to run this. It needs 1 more approval from the managers or on-call."
    nobody = replace(run, approver_roles=(), needed=1)
    assert wording.lead(nobody) == "Ann asks to run this. It needs 1 approval from somebody who may approve it."


def test_an_approved_run_names_its_approvers(run: Run) -> None:
    votes = tuple(Vote(who, True, run.digest, NOON) for who in (MAX, MIA))
    assert wording.lead(replace(run, votes=votes, state=State.QUEUED)) == (
        "Approved by Max and Mia. It starts at once, or after what it may not run beside."
    )
    assert wording.lead(replace(run, votes=votes, state=State.RUNNING)) == (
        "Approved by Max and Mia. It is running for Ann."
    )


@pytest.mark.parametrize(
    ("state", "outcome", "sentence"),
    [
        (State.SUCCEEDED, Outcome("Unlocked alice."), "Unlocked alice."),
        (State.SUCCEEDED, Outcome(seconds=0.84), "Done in 0.8 s."),
        (
            State.SUCCEEDED,
            Outcome("Unlocked.", verified=True, check="alice is not locked."),
            "Unlocked. Checked: alice is not locked.",
        ),
        (State.FAILED, Outcome("No such account."), "It failed: No such account."),
        (State.FAILED, Outcome(code=3), "It failed with exit code 3."),
        (
            State.FAILED,
            Outcome("Unlocked.", verified=False, check="alice is still locked."),
            "The script ended well, but the check after it did not: alice is still locked.",
        ),
    ],
)
def test_an_outcome_is_told(run: Run, state: State, outcome: Outcome, sentence: str) -> None:
    assert wording.lead(replace(run, state=state, outcome=outcome)) == sentence


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED])
def test_a_private_outcome_is_told_without_its_summary(run: Run, state: State) -> None:
    lead = wording.lead(replace(run, state=state, private=True, outcome=Outcome("hunter2", 1, 2.0, "hunter2")))
    assert "hunter2" not in lead
    assert "is for Ann alone" in lead


def test_a_no_names_who_said_it_and_why(run: Run) -> None:
    denied = replace(run, state=State.DENIED, votes=(Vote(MAX, False, run.digest, NOON, "not today"),))
    assert wording.lead(denied) == "Max said no: “not today”. It will not run."
    whole = replace(run, state=State.DENIED, votes=(Vote(MAX, False, run.digest, NOON, "Not today!"),))
    assert wording.lead(whole) == "Max said no: “Not today!” It will not run."
    silent = replace(run, state=State.DENIED, votes=(Vote(MAX, False, run.digest, NOON),))
    assert wording.lead(silent) == "Max said no. It will not run."


def test_a_cancelled_run_says_whether_it_had_started(run: Run) -> None:
    cancelled = replace(run, state=State.CANCELLED, ended_by=MAX)
    assert wording.lead(cancelled) == "Cancelled by Max. It had not started."
    assert "may have done part of its work" in wording.lead(replace(cancelled, started=NOON))


def test_a_refusal_gives_its_reasons(run: Run) -> None:
    refused = replace(run, state=State.REFUSED, reasons=("The script changed.", "Ask again."))
    assert wording.lead(refused) == "The script changed. Ask again."


def test_X13_an_unknown_outcome_is_named_as_one(run: Run) -> None:
    assert "nobody knows how far it came" in wording.lead(replace(run, state=State.INTERRUPTED))


@pytest.mark.parametrize(
    ("words", "phrase"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), (("a", "b"), "a and b")],
)
def test_words_are_joined_as_a_phrase(words: list[str], phrase: str) -> None:
    assert wording.listed(words) == phrase


def test_a_person_without_a_name_goes_by_their_id() -> None:
    assert wording.names((MAX, Who("acme", "x-1"))) == "Max and x-1"


@pytest.mark.parametrize(
    ("number", "phrase"), [(0, "0 votes"), (1, "1 vote"), (2, "2 votes"), (12345, "12,345 votes")]
)
def test_a_count_agrees_with_its_noun(number: int, phrase: str) -> None:
    assert wording.count(number, "vote") == phrase
    assert wording.count(number, "entry", "entries").endswith("entry" if number == 1 else "entries")


@pytest.mark.parametrize(
    ("duration", "phrase"),
    [(0, "less than 0.1 s"), (0.84, "0.8 s"), (59.9, "59.9 s"), (60, "1 min 0 s"), (185.7, "3 min 5 s")],
)
def test_a_duration_in_words(duration: float, phrase: str) -> None:
    assert wording.seconds(duration) == phrase


def test_a_moment_for_reading() -> None:
    assert wording.clock(datetime(2026, 3, 4, 5, 6, tzinfo=UTC)) == "4 Mar 2026, 05:06 UTC"
