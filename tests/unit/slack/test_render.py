"""Cards in Slack: legal whatever they hold, literal, and nothing left out without a word."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from bot.chat.slack.render import Look, message, pressed, shown
from bot.chat.slack.views import card_view, text_view
from bot.core.card import Button, Card, Fact, Hidden, Item, Menu, Table, Text, Tone, Verb
from bot.core.errors import Invalid
from bot.core.wording import when
from tests.fakes.slack_limits import MESSAGE_TEXT, message_faults, too_long, view_faults
from tests.unit.slack.cards import CARDS

OUTPUT = "\n".join(f"line {number:05}" for number in range(3_600))  # 40,000 characters


def of_kind(blocks: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [block for block in blocks if block["type"] == kind]


def text_in(value: Any) -> str:
    """Return all that people read in blocks."""
    if isinstance(value, dict):
        return "".join(
            one if name == "text" and isinstance(one, str) else text_in(one) for name, one in value.items()
        )
    return "".join(map(text_in, value)) if isinstance(value, list) else ""


def test_a_moment_is_shown_by_its_readers_clock_and_in_utc_where_that_can_not_be() -> None:
    fact = when("Decide by", datetime(2026, 11, 23, 20, tzinfo=UTC))
    (section,) = message(Card("Unlock", facts=(fact,)))["blocks"][1]["elements"]
    label, moment = section["elements"]
    assert label["text"] == "Decide by: "
    assert (moment["type"], moment["timestamp"]) == ("date", 1795464000)
    assert moment["fallback"] == "23 Nov 2026, 20:00 UTC"


@given(CARDS)
@settings(deadline=None, max_examples=100)
def test_any_card_is_a_legal_message(card: Card) -> None:
    said = message(card, ["U1", "S1"], "its last line\n" * 50)
    assert message_faults(said["blocks"]) == []
    assert not too_long(said["blocks"])
    assert 0 < len(said["text"]) <= MESSAGE_TEXT


@given(CARDS)
@settings(deadline=None, max_examples=50)
def test_any_card_is_a_legal_view(card: Card) -> None:
    assert view_faults(card_view(card)) == []


@pytest.mark.parametrize("text", ["", "ok", OUTPUT, "漢" * 50_000, "\n" * 100])
def test_any_output_is_a_legal_view(text: str) -> None:
    assert view_faults(text_view("The result", text)) == []


def test_O1_nothing_in_a_card_is_markup() -> None:
    evil = "<!channel> <@U1> <https://evil.example|bank> *bold* :tada:"
    card = Card(
        evil, lead=evil, facts=(Fact(evil, evil),), blocks=(Text(evil),), buttons=(Button(evil, Verb.OPEN, "x"),)
    )
    said = message(card)
    assert '"mrkdwn"' not in json.dumps(said["blocks"])
    assert text_in(said["blocks"]).count("<!channel>") == 6  # once wherever it stands
    assert "<" not in said["text"]


def test_O3_a_code_fence_can_not_be_broken() -> None:
    said = message(Card("It ran", blocks=(Text("```\n<!here>\n```", code=True),)))
    (code,) = [part for block in of_kind(said["blocks"], "rich_text") for part in block["elements"]]
    assert code["type"] == "rich_text_preformatted"
    assert code["elements"] == [{"type": "text", "text": "```\n<!here>\n```"}]


def test_O3_a_long_argument_shows_its_length_and_hash() -> None:
    done = shown(Card("Asked", facts=(Fact("Note", "x" * 20_000, code=True), Fact("Account", "alice"))))
    assert done.cut
    assert "20,000 characters in all, SHA-256" in text_in(done.blocks)
    assert "alice" in text_in(done.blocks)


def test_X3_a_reordered_name_is_seen_by_who_approves() -> None:
    assert "⟨U+202E⟩" in text_in(shown(Card("Asked", facts=(Fact("Account", "bob\u202e"),))).blocks)


def test_forty_thousand_characters_are_cut_and_said_to_be() -> None:
    done = shown(
        Card("It ran", Tone.GOOD, blocks=(Text(OUTPUT, code=True),), buttons=(Button("Again", Verb.RERUN, "R-1"),))
    )
    assert done.cut
    assert "line 00000" in text_in(done.blocks)
    assert of_kind(done.blocks, "actions")
    assert not too_long(done.blocks)


def test_a_short_card_is_whole() -> None:
    done = shown(Card("It ran", lead="Done.", facts=(Fact("Asked by", "Hanna"),), blocks=(Text("ok", code=True),)))
    assert not done.cut


def test_a_table_is_a_table_and_a_second_one_is_text() -> None:
    table = Table(("Name", "Size"), (("a", "1"), ("", "2")))
    blocks = shown(Card("Sizes", blocks=(table, table))).blocks
    (native,) = of_kind(blocks, "table")
    assert [[cell["text"] for cell in row] for row in native["rows"]] == [["Name", "Size"], ["a", "1"], ["–", "2"]]
    assert "Name  Size" in text_in(blocks)


def test_rows_left_out_of_a_table_are_counted() -> None:
    done = shown(Card("Sizes", blocks=(Table(("Name",), (("a",),) * 120, cut=30),)))
    assert done.cut
    assert "and 51 more" in text_in(done.blocks)  # 99 rows beside the heads


def test_who_is_needed_is_mentioned_and_never_by_text() -> None:
    (lead, *_) = of_kind(shown(Card("Asked", lead="It needs you."), ["U1", "S9"]).blocks, "rich_text")
    assert [one for one in lead["elements"][0]["elements"] if one["type"] != "text"] == [
        {"type": "user", "user_id": "U1"},
        {"type": "usergroup", "usergroup_id": "S9"},
    ]


def test_what_has_changed_is_shown_where_no_run_can_be_asked_for_it() -> None:
    change = Text("-disk 41 %\n+disk 97 %", code=True, title="1 line added, 1 removed")
    (button,) = of_kind(shown(Card("Asked", blocks=(change,), run="R-1")).blocks, "actions")
    assert pressed(button["elements"][0]) == (Look.CHANGES, "R-1")
    compared = shown(Card("Compared", blocks=(change, change)))
    assert text_in(compared.blocks).count("-disk 41 %\n+disk 97 %") == 2
    assert (of_kind(compared.blocks, "actions"), compared.cut) == ([], False)


def test_one_button_leads_to_the_changes_of_all_files_and_stands_under_the_last() -> None:
    changes = [Text("+x", code=True, title=f"{name}.py: 1 line added") for name in "abc"]
    done = shown(Card("Asked", blocks=(*changes, Table(("Ran before",), (("yesterday",),))), run="R-1"))
    assert [block["type"] for block in done.blocks[1:]] == ["rich_text"] * 3 + ["actions", "table", "context"]
    assert len(of_kind(shown(Card("Asked", blocks=tuple(changes), run="R-1")).blocks, "actions")) == 1


def test_a_change_that_is_cut_is_said_to_be() -> None:
    compared = shown(Card("Compared", blocks=(Text("-a\n+b", code=True, cut=True, title="More"),)))
    assert compared.cut
    assert "… and more than there is room for here" in text_in(compared.blocks)


def test_a_private_result_is_a_button_and_no_text() -> None:
    done = shown(Card("The result", blocks=(Hidden("R-7"),)))
    (actions,) = of_kind(done.blocks, "actions")
    assert pressed(actions["elements"][0]) == (Look.OUTPUT, "R-7")


def test_the_last_lines_of_a_running_script_are_shown() -> None:
    assert "line 03599" in text_in(shown(Card("It runs"), live=OUTPUT).blocks)


@pytest.mark.parametrize("verb", list(Verb))
def test_a_button_comes_back_as_what_it_was(verb: Verb) -> None:
    (actions,) = of_kind(shown(Card("Asked", buttons=(Button("Press", verb, "R-7"),))).blocks, "actions")
    assert pressed(actions["elements"][0]) == (verb, "R-7")


def test_a_choice_in_a_menu_opens_the_action() -> None:
    (actions,) = of_kind(shown(Card("Menu", blocks=(Menu("All", (Item("unlock", "Unlock"),)),))).blocks, "actions")
    (select,) = actions["elements"]
    click = {"action_id": select["action_id"], "selected_option": select["options"][0]}
    assert pressed(click) == (Verb.OPEN, "unlock")


@pytest.mark.parametrize(("groups", "each", "more"), [(80, 1, 34), (1, 130, 30), (46, 1, 0)])
def test_a_menu_of_very_many_is_legal_and_says_what_it_leaves_out(groups: int, each: int, more: int) -> None:
    menus = tuple(
        Menu(f"G{group}", tuple(Item(f"a{group}-{number}", "A") for number in range(each)))
        for group in range(groups)
    )
    done = shown(Card("Menu", blocks=menus, buttons=(Button("Press", Verb.CANCEL, "R-7"),), footnote="help"))
    assert message_faults(done.blocks) == []
    assert (f"… and {more} more: /deputy opens a search" in text_in(done.blocks)) is bool(more)
    assert len(of_kind(done.blocks, "actions")) == min(groups, 46) + 1


@pytest.mark.parametrize(
    "action",
    [{}, {"action_id": "steal:1", "value": "x"}, {"action_id": "approve:1"}, {"action_id": 7, "value": []}],
)
def test_a_click_that_is_not_deputys_is_refused(action: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        pressed(action)
