"""The Home tab: legal whatever it holds, and its clicks come back."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.slack.home import home, typed_in
from bot.chat.slack.render import Look, pressed
from bot.core.card import FAVOURITES, MOST_USED, Card, Item, Menu, Table, Verb
from tests.fakes.slack_limits import elements, view_faults
from tests.unit.slack.cards import CARDS

HEADS = ("Run", "Action", "With", "State", "Asked by", "When")


def runs(*ids: str) -> Card:
    rows = tuple((one, "Unlock an account", "alice", "waiting", "Hanna", "now") for one in ids)
    return Card("Runs", blocks=(Table(HEADS, rows),))


def menu(*subjects: str) -> Card:
    items = tuple(Item(one, one.title(), "Does it.") for one in subjects)
    return Card("What you may do", blocks=(Menu("Most used", items[:5]), Menu("All", items)))


@given(CARDS, st.text(max_size=30))
@settings(deadline=None, max_examples=50)
def test_any_home_is_legal(card: Card, typed: str) -> None:
    assert view_faults(home(card, runs(*(f"R-{n}" for n in range(30))), Card("Your runs", lead=""), typed)) == []


def test_what_waits_for_me_opens_with_all_that_was_sealed() -> None:
    view = home(menu("unlock"), runs("R-1"), runs("R-2"))
    clicks = [pressed(one) for _, one in elements(view["blocks"]) if one["type"] == "button"]
    assert clicks == [(Look.STATUS, "R-1"), (Verb.OPEN, "unlock"), (Look.STATUS, "R-2")]


def test_a_search_shows_what_holds_every_word() -> None:
    view = home(menu("unlock-account", "disk-usage"), Card("Waiting"), Card("Runs"), "Disk does")
    clicks = [pressed(one) for _, one in elements(view["blocks"]) if one["type"] == "button"]
    assert clicks == [(Verb.OPEN, "disk-usage")]
    (search,) = [block["element"] for block in view["blocks"] if block["type"] == "input"]
    assert pressed({**search, "value": "disk"}) == (Look.SEARCH, "disk")
    assert pressed({**search, "value": None}) == (Look.SEARCH, "")


def test_more_actions_than_fit_are_in_selects() -> None:
    view = home(menu(*(f"action-{n}" for n in range(400))), Card("Waiting"), Card("Runs"))
    assert view_faults(view) == []


def test_nothing_is_said_in_words() -> None:
    view = home(
        Card("Nothing yet", lead="No role."), Card("Waiting", lead="Nothing waits."), Card("Runs", lead="None.")
    )
    assert view_faults(view) == []
    assert "Nothing waits." in str(view)


def full(favourites: int, often: int, groups: int, waiting: int) -> dict[str, Any]:
    """Return the Home tab of somebody with so much of everything."""
    items = [tuple(Item(f"{name}-{n}", f"{name} {n}", "Does it.") for n in range(120)) for name in "abc"]
    items[2] = tuple(Item(f"c-{n}" + "x" * 100, "漢" * 200, "字" * 200) for n in range(120))
    menus = (Menu(FAVOURITES, items[0][:favourites]), Menu(MOST_USED, items[1][:often]))
    categories = tuple(Menu(f"Category {n}", items[2]) for n in range(groups))
    menu = Card("What you may do", blocks=(*(one for one in menus if one.items), *categories))
    ids = [f"R-{n}" for n in range(waiting)]
    return home(menu, runs(*ids), runs(*ids), note="Why")


@given(st.integers(0, 120), st.integers(0, 120), st.integers(0, 80), st.integers(0, 30))
@settings(deadline=None, max_examples=50)
def test_however_much_there_is_nothing_falls_off_the_end(
    favourites: int, often: int, groups: int, waiting: int
) -> None:
    view = full(favourites, often, groups, waiting)
    assert view_faults(view) == []
    assert len(view["blocks"]) <= 85
    heads = [block["text"]["text"] for block in view["blocks"] if block["type"] == "header"]
    assert heads == ["Runs", "What you may do", "Runs"]


@pytest.mark.parametrize("typed", ["", "漢"])
def test_the_longest_words_in_every_place_stay_within_what_a_view_may_weigh(typed: str) -> None:
    long = "漢" * 600
    items = [Item(f"{n:060}", long, long, long) for n in range(3_000)]
    groups = [Menu(long if n > 1 else (FAVOURITES, MOST_USED)[n], tuple(items[n::40])) for n in range(40)]
    rows = Card(long, blocks=(Table(HEADS, (("R-1", *(long,) * 5),) * 30),), lead=long)
    menu = Card(long, blocks=tuple(groups), lead=long)
    assert view_faults(home(menu, rows, rows, typed, long)) == []


def test_favourites_come_first_with_a_star_then_the_most_used() -> None:
    sections = [
        block for block in full(2, 2, 1, 0)["blocks"] if block["type"] == "section" and "accessory" in block
    ]
    told = [block["text"]["text"].split(" · ")[0] for block in sections]
    assert told[:4] == ["⭐ a 0", "⭐ a 1", "b 0", "b 1"]
    assert re.fullmatch(r"Category 0 \(the search finds \d+ more\)", told[4])


def test_a_favourite_is_added_and_taken_back_by_a_choice() -> None:
    (block,) = [block for block in full(1, 1, 0, 0)["blocks"] if block["type"] == "actions"]
    add, take = block["elements"]
    assert [one["value"] for one in add["options"]] == ["b-0"]
    assert pressed({**add, "selected_option": add["options"][0]}) == (Verb.FAVOUR, "b-0")
    assert pressed({**take, "selected_option": take["options"][0]}) == (Verb.UNFAVOUR, "a-0")
    assert typed_in({}) == typed_in({"state": {"values": {"search:0": {"search:0": {"value": None}}}}}) == ""
