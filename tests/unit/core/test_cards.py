"""The cards of a run: an approver sees everything that will run, letter by letter, and no secret."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.approval import Vote
from bot.core.canonical import Json, sha256_bytes
from bot.core.card import Block, Card, Hidden, Table, Text, Tone, Verb, to_json
from bot.core.cards import (
    LONG_ARGUMENT,
    LONG_OUTPUT,
    MOST_ROWS,
    cell,
    full_card,
    interrupted_notice,
    outcome_blocks,
    private_result,
    run_card,
)
from bot.core.principal import Who
from bot.core.run import Outcome, Run, State

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAX = Who("acme", "max-1", "Max")


def with_arguments(run: Run, **arguments: Any) -> Run:
    return replace(run, request=replace(run.request, arguments=arguments))


def fact(card: Card, label: str) -> str:
    (value,) = [fact.value for fact in card.facts if fact.label == label]
    return value


def everything(card: Card) -> str:
    return json.dumps(to_json(card), ensure_ascii=False)


def verbs(card: Card) -> list[Verb]:
    return [button.verb for button in card.buttons]


def test_an_approver_sees_everything_that_will_run(run: Run) -> None:
    shown = {fact.label: fact.value for fact in run_card(run).facts}
    assert shown == {
        "Asked by": "Ann",
        "Account": "alice",
        "Tries": "3",
        "Notify": "yes",
        "Groups": "staff, vpn",
        "Reason": "called in at noon",
        "Risk": "changes things",
        "Target": "dc01.acme.test",
        "Credential": "vault:directory@4",
        "Script": f"unlock-account {'5c' * 6}",
        "Decide by": "23 Nov 2026, 20:00 UTC",
        "Approvals": "0 of 2: nobody yet",
    }


def test_once_a_request_has_ended_nobody_is_waited_for(run: Run) -> None:
    assert fact(run_card(replace(run, state=State.DENIED)), "Approvals") == "0 of 2: nobody"


def test_arguments_and_hashes_are_shown_letter_by_letter(run: Run) -> None:
    code = {fact.label for fact in run_card(run).facts if fact.code}
    assert code == {"Account", "Tries", "Notify", "Groups", "Credential", "Script"}


def test_X3_an_approver_sees_what_an_argument_hides(run: Run) -> None:
    card = run_card(with_arguments(run, account="\u0430dmin\u202e", notes="one\ntwo\u200b"))
    assert fact(card, "Account") == "⟨U+0430⟩dmin⟨U+202E⟩"
    assert fact(card, "Notes") == "one ⏎ two⟨U+200B⟩"


def test_X3_an_approver_reads_the_parts_of_an_argument_in_the_order_that_they_have(run: Run) -> None:
    turned = "/srv/\u05d0/1/2"
    asked = with_arguments(run, account=turned, notes=f"{turned} " * 60, groups=("a\u05d0", "1"))
    assert fact(run_card(asked), "Account") == "/srv/⟨U+05D0⟩/1/2"
    assert fact(run_card(asked), "Groups") == "a⟨U+05D0⟩, 1"
    assert "\u05d0" not in everything(full_card(asked))


@pytest.mark.parametrize("field", ["reason", "target"])
def test_X3_an_approver_sees_what_the_rest_of_a_request_hides(run: Run, field: str) -> None:
    hidden: Any = {field: "dc\u202e01"}
    card = run_card(replace(run, request=replace(run.request, **hidden)))
    assert fact(card, field.capitalize()) == "dc⟨U+202E⟩01"


def test_O3_a_long_argument_names_its_length_and_its_hash(run: Run) -> None:
    text = "a" * 5_000 + "; drop everything"
    shown = fact(run_card(with_arguments(run, notes=text)), "Notes")
    assert shown.startswith("a" * LONG_ARGUMENT + "…")
    assert "5,017 characters in all" in shown
    assert f"SHA-256 {sha256_bytes(text.encode())[:12]}" in shown
    assert "`status` shows it whole" in shown


@pytest.mark.parametrize(
    "text", ["a" * 5_000 + "tail", "\u202e" * 300 + "tail", "a\n" * 290 + "tail"], ids=["a", "b", "c"]
)
def test_O3_status_shows_whole_what_the_card_cut(run: Run, text: str) -> None:
    asked = with_arguments(run, notes=text)
    assert "`status` shows it whole" in fact(run_card(asked), "Notes")
    (block,) = [block for block in full_card(asked).blocks if isinstance(block, Text)]
    assert block.code
    assert block.text.endswith("tail")
    assert block.text.startswith("Notes =\n")


def test_an_argument_that_is_just_short_enough_is_shown_whole(run: Run) -> None:
    asked = with_arguments(run, notes="a" * LONG_ARGUMENT)
    assert fact(run_card(asked), "Notes") == "a" * LONG_ARGUMENT
    assert full_card(asked).blocks == ()


def test_V3_a_secret_argument_shows_as_dots_on_every_card(run: Run) -> None:
    asked = with_arguments(run, token="vault:run/r-7k3m9qx4/token@1")
    for card in (run_card(asked), full_card(asked)):
        assert fact(card, "Token") == "••••••"
        assert "vault:run" not in everything(card)


def test_a_reference_of_another_run_hides_nothing(run: Run) -> None:
    card = run_card(with_arguments(run, account="vault:run/r-other/token@1"))
    assert fact(card, "Account") == "vault:run/r-other/token@1"


@pytest.mark.parametrize("state", list(State))
def test_a_private_run_shows_no_output_in_any_state(run: Run, state: State) -> None:
    outcome = Outcome("Password: hunter2", 0, 1.0, "hunter2", {"password": "hunter2"})
    private = replace(run, state=state, private=True, outcome=outcome)
    for card in (run_card(private), full_card(private)):
        assert "hunter2" not in everything(card)


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED])
def test_a_private_result_carries_its_place_alone(run: Run, state: State) -> None:
    card = private_result(replace(run, state=state, outcome=Outcome("hunter2", 0, 1.0, "hunter2")))
    assert card.blocks == (Hidden(run.id),)
    assert "hunter2" not in everything(card)
    assert card.tone is (Tone.GOOD if state is State.SUCCEEDED else Tone.BAD)


BUTTONS = {
    State.AWAITING_APPROVAL: [Verb.APPROVE, Verb.DENY, Verb.CANCEL],
    State.QUEUED: [Verb.CANCEL],
    State.RUNNING: [Verb.CANCEL],
    State.WITHDRAWN: [],
    State.REFUSED: [],
}


@pytest.mark.parametrize("state", list(State))
def test_the_buttons_are_those_of_the_state(run: Run, state: State) -> None:
    card = run_card(replace(run, state=state))
    assert verbs(card) == BUTTONS.get(state, [Verb.RERUN])
    assert all(button.subject == run.id for button in card.buttons)
    assert (card.run, card.state) == (run.id, state.value)


def test_what_ran_before_can_be_compared_with_once_it_has_ended(run: Run) -> None:
    ran = replace(run, state=State.FAILED, started=NOON, comparable=True)
    assert verbs(run_card(ran)) == [Verb.RERUN, Verb.COMPARE]
    assert verbs(run_card(replace(ran, state=State.RUNNING))) == [Verb.CANCEL]
    assert verbs(run_card(replace(ran, comparable=False))) == [Verb.RERUN]


@pytest.mark.parametrize(
    ("state", "said"),
    [(State.FAILED, "It failed."), (State.CANCELLED, "It was cancelled"), (State.TIMED_OUT, "its time limit")],
)
def test_who_alone_sees_what_was_said_reads_how_it_ended(run: Run, state: State, said: str) -> None:
    private = replace(run, state=state, private=True)
    assert said in private_result(private).lead
    assert "the output" not in run_card(private).lead


TONES = {
    Tone.WAITING: {State.AWAITING_APPROVAL},
    Tone.RUNNING: {State.QUEUED, State.RUNNING},
    Tone.GOOD: {State.SUCCEEDED},
    Tone.NEUTRAL: {State.CANCELLED, State.WITHDRAWN},
}


@pytest.mark.parametrize("state", list(State))
def test_the_tone_is_that_of_the_state(run: Run, state: State) -> None:
    tone = next((tone for tone, states in TONES.items() if state in states), Tone.BAD)
    assert run_card(replace(run, state=state)).tone is tone


def test_votes_are_counted_on_the_card_and_listed_on_the_full_one(run: Run) -> None:
    voted = replace(run, votes=(Vote(MAX, True, run.digest, NOON, "go on"),))
    assert fact(run_card(voted), "Approvals") == "1 of 2: Max (“go on”)"
    assert fact(full_card(voted), "Max said yes") == "23 Nov 2026, 12:00 UTC go on"


def test_a_run_that_needs_no_approval_has_no_line_for_it(run: Run) -> None:
    assert "Approvals" not in {fact.label for fact in run_card(replace(run, needed=0)).facts}


def test_X13_an_interruption_is_told_with_a_button_to_run_again(run: Run) -> None:
    card = interrupted_notice(replace(run, state=State.INTERRUPTED))
    assert card.lead.startswith("Ann, ")
    assert "Deputy was stopped while this was running" in card.lead
    assert fact(card, "Account") == "alice"
    assert verbs(card) == [Verb.RERUN]


@pytest.mark.parametrize(
    ("result", "output", "blocks"),
    [
        (None, "", ()),
        (None, " \n", ()),
        ({}, "", ()),
        ([], "", ()),
        (None, "done\n\n", (Text("done", code=True),)),
        ({"last_login": "today", "locked": False}, "", (Table((), (("Last login", "today"), ("Locked", "no"))),)),
        ([{"a": 1}, {"b": None}], "", (Table(("A", "B"), (("1", "–"), ("–", "–"))),)),
        (["x", 2], "", (Table((), (("x",), ("2",))),)),
        ([{"a": 1}, 2], "", (Table((), (("a: 1",), ("2",))),)),
        ("a word", "said", (Text("said", code=True),)),
        (["x"], "said", (Table((), (("x",),)), Text("said", code=True))),
    ],
)
def test_an_outcome_is_shown_as(result: Json, output: str, blocks: tuple[Block, ...]) -> None:
    assert outcome_blocks(result, output) == blocks


@pytest.mark.parametrize(
    "result",
    [
        [{"a": number} for number in range(MOST_ROWS + 5)],
        list(range(MOST_ROWS + 5)),
        {f"k{number}": number for number in range(MOST_ROWS + 5)},
    ],
)
def test_rows_left_out_are_counted(result: Json) -> None:
    (table,) = outcome_blocks(result, "")
    assert isinstance(table, Table)
    assert (len(table.rows), table.cut) == (MOST_ROWS, 5)


def test_a_long_output_is_marked_as_cut() -> None:
    assert outcome_blocks(None, "a" * LONG_OUTPUT) == (Text("a" * LONG_OUTPUT, code=True),)
    assert outcome_blocks(None, "a" * (LONG_OUTPUT + 1)) == (Text("a" * LONG_OUTPUT, code=True, cut=True),)


def test_X3_a_result_hides_nothing_in_its_heads_or_its_cells() -> None:
    hidden = "ad\u202emin"
    results: list[Json] = [{hidden: hidden}, [{hidden: hidden}], [hidden], {"a": {hidden: [hidden]}}]
    for result in results:
        assert "\u202e" not in everything(Card("One", blocks=outcome_blocks(result, "")))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (True, "yes"),
        (False, "no"),
        (-7, "-7"),
        ("one\ntwo", "one ⏎ two"),
        ({"a": 1, "b": [True, None]}, "a: 1, b: yes, –"),
        ([], ""),
        ("a" * 500, "a" * 399 + "…"),
        (["a" * 300, "b" * 300], "a" * 300 + ", " + "b" * 97 + "…"),
    ],
)
def test_a_cell_is_one_line(value: Json, shown: str) -> None:
    assert cell(value) == shown


def test_X8_a_card_says_that_output_was_dropped(run: Run) -> None:
    card = run_card(replace(run, state=State.FAILED, outcome=Outcome(code=1, output="a", truncated=True)))
    assert "longer than Deputy keeps" in card.footnote


def test_an_argument_is_shown_under_the_label_of_its_form(run: Run) -> None:
    labelled = replace(run, labels={"account": "Sign-in name", "tries": "At most", "notify": "At most"})
    for card in (run_card(labelled), interrupted_notice(labelled)):
        assert [fact(card, one) for one in ("Sign-in name", "At most (tries)", "At most (notify)")] == [
            *("alice", "3", "yes")
        ]
    long = full_card(replace(with_arguments(run, notes="x" * 700), labels={"notes": "Your notes"}))
    (block,) = [one for one in long.blocks if isinstance(one, Text)]
    assert block.text.startswith("Your notes =\n")
