"""A form filled from a message: what it names, what it quotes, what one of its words alone can mean."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.form import Field, Form
from bot.core.meant import filled_from
from bot.core.parameter import Choice, Kind, Parameter, bind_one

COLOURS = (Choice("red", "Bright Red"), Choice("blue", "Sky Blue"))
PATTERNS = {"account": '[^"/:;|=,+*?<>@]+', "ticket": r"INC\d+", "path": "/.*"}


def a_field(name: str = "account", kind: Kind = Kind.STRING, value: Any = None, **more: Any) -> Field:
    more.setdefault("pattern", PATTERNS.get(name))
    label = more.pop("label", name.capitalize().replace("_", " "))
    return Field(Parameter(name, kind, label, **more), value, choices=more.get("choices", ()))


def filled(message: str, *fields: Field) -> list[Any]:
    form = filled_from(Form("act", "Act", "Does it.", "change", fields), message)
    return [field.value for field in form.fields]


@pytest.mark.parametrize(
    "message",
    [
        "account: alice",
        "Hi all,\nACCOUNT = alice\nthanks",
        "*Account:* alice",
        "Account:\nalice",
        "Ticket\nINC7\nAccount\nalice\nSite\nBerlin",
        "the account: `alice` is locked again",
        "account: alice, since this morning",
        'account="alice" and account: alice.',
    ],
)
def test_what_a_message_names_is_filled_in(message: str) -> None:
    assert filled(message, a_field()) == ["alice"]


@pytest.mark.parametrize(
    "message", ["`alice` can't sign in", "please unlock “alice” for me", 'unlock "alice", and I mean "alice"']
)
def test_what_a_message_quotes_is_filled_in_where_it_names_nothing(message: str) -> None:
    assert filled(message, a_field()) == ["alice"]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "alice can't sign in",
        "account: alice\naccount: bob",
        "account: alice is locked",
        "`alice` or `bob`",
        "subaccount: alice",
        "https://account.example/account://alice",
        "Account\n\n",
    ],
)
def test_what_could_mean_several_or_nothing_stays_open(message: str) -> None:
    assert filled(message, a_field()) == [None]


def test_a_word_counts_without_the_punctuation_around_it() -> None:
    ticket, path = a_field("ticket"), a_field("path")
    assert filled("See (INC42), it fills /var/log.", ticket, path) == ["INC42", "/var/log"]
    assert filled("INC1 or INC2?", ticket) == [None]


def test_a_choice_is_named_by_its_value_or_its_label() -> None:
    colour = a_field("colour", Kind.CHOICE, choices=COLOURS)
    assert filled("the blue one", colour) == ["blue"]
    assert filled("Colour: sky blue", colour) == ["blue"]
    assert filled("colour: blue is what they want", colour) == ["blue"]
    assert filled("colour: green", colour) == [None]


def test_several_of_a_list_may_be_meant() -> None:
    colours = a_field("colours", Kind.LIST, choices=COLOURS)
    assert filled("both red and blue", colours) == [["red", "blue"]]
    assert filled("Colours: blue, bright red", colours) == [["blue", "red"]]
    assert filled("Hosts: web-1, web-2", a_field("hosts", Kind.LIST)) == [["web-1", "web-2"]]


def test_only_what_is_named_takes_the_place_of_a_default() -> None:
    force = a_field("force", Kind.BOOLEAN, False, default=False)
    days = a_field("days_back", Kind.INTEGER, 7, default=7)
    assert filled("30 files, remove them", force, days) == [False, 7]
    assert filled("force: yes, days back: 30", force, days) == [True, "30"]
    assert filled("days_back: many", days) == [7]
    assert filled("account: bob", a_field(value="alice")) == ["alice"]


def test_a_text_takes_all_of_the_message_unless_a_part_is_named() -> None:
    note = a_field("note", Kind.TEXT)
    assert filled(" Printer is\non fire ", note) == ["Printer is\non fire"]
    assert filled("Site: Berlin\nNote: printer is on fire, again", note) == ["printer is on fire, again"]


def test_no_secret_is_taken_from_a_message_and_no_guess_made_for_what_takes_any_word() -> None:
    assert filled("password: hunter2 `hunter2`", a_field("password", Kind.SECRET)) == [None]
    assert filled("`alice`", a_field("anything")) == [None]
    assert filled("anything: alice", a_field("anything")) == ["alice"]


KINDS = [
    a_field(),
    a_field("colour", Kind.CHOICE, choices=COLOURS),
    a_field("colours", Kind.LIST, choices=COLOURS),
    a_field("day", Kind.DATE),
    a_field("force", Kind.BOOLEAN),
    a_field("size", Kind.NUMBER),
    a_field("_-", label=" "),
]
PIECES = st.sampled_from(["account", "Colour", "day", "force", "red", "2026-11-29", ":", "=", "\n", " ", "`", "“"])


@given(st.lists(PIECES | st.text(max_size=8), max_size=30).map("".join))
def test_R6_whatever_a_message_says_what_is_filled_in_fits(message: str) -> None:
    for field, value in zip(KINDS, filled(message, *KINDS), strict=True):
        assert value is None or bind_one(field.parameter, value) is not None


def test_R6_a_message_of_blanks_and_quotes_is_read_in_one_go() -> None:
    for hostile in ("account" + " " * 20_000, "“" * 20_000, "account:" * 3_000, "account_" * 3_000):
        assert filled(hostile, a_field()) is not None
