"""The Home tab: legal whatever it holds, and its clicks come back."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.slack.home import home
from bot.chat.slack.render import Look, pressed
from bot.core.card import Card, Item, Menu, Table, Verb
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
