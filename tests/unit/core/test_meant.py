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
        "*Account*: `alice`",
        "*Account: alice*",
        "> - Account: alice.",
        "Account:\nalice",
        "*Ticket*\nINC7\n*Account*\nalice\n*Site*\nBerlin",
        "Ticket: INC7 | Account: alice | Site: Berlin",
        "Nobody can sign in! Account: alice. Site: Berlin; thanks",
        "2026-11-29 10:00 failed: account=alice site=berlin",
        'account="alice"\naccount: alice',
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
        "account: alice, bob",
        "account: alice\naccount: alice, or bob",
        "account: `alice`\naccount: ?",
        "`alice` or `bob`",
        'the 12" disk and 14" disk',
        "alice reads “Access denied”",
        "subaccount: alice",
        "Manager's account: alice",
        "never touch the admin account: alice",
        "https://account.example/account://alice?account=alice",
        "Account\n\n",
        "Account:\nSite:\nBerlin",
        "Account: -",
        "~Account: alice~",
        "~it is `alice`~, sorry for that",
        "Account: ~alice~",
        "Account: –",
        "*Account*\n*Manager*\nmaya",
        "Account:\n\nplease unlock `bob`",
        "account: \u0430lice",  # the first letter is Cyrillic
        "account: ali\u200bce",
    ],
)
def test_what_could_mean_several_or_nothing_stays_open(message: str) -> None:
    assert filled(message, a_field()) == [None]


@pytest.mark.parametrize("path", ["/srv/../etc", "/~/x", "/srv/*.log", "/_x_", "/srv/.hidden"])
def test_nothing_is_taken_off_a_value_but_what_sets_it_off(path: str) -> None:
    assert filled(f"Path: {path}", a_field("path")) == [path]
    assert filled(f"*Path:* {path}", a_field("path")) == [path]
    assert filled(f"Path: `{path}`", a_field("path")) == [path]


def test_what_does_not_fit_is_not_made_to() -> None:
    path, pattern = a_field("path"), a_field("pattern", value="*", default="*", pattern=".+")
    assert filled("path: ~/scratch\npattern: *.log", path, pattern) == [None, "*.log"]
    assert filled("../etc/app.log or ~/x.log", path) == [None]
    assert filled("account: _svc_web", a_field()) == ["_svc_web"]


def test_a_word_counts_without_the_punctuation_around_it() -> None:
    ticket, path = a_field("ticket"), a_field("path")
    assert filled("See (INC42), it fills /var/log.", ticket, path) == ["INC42", "/var/log"]
    assert filled("INC1 or INC2?", ticket) == [None]


def test_where_the_message_names_a_field_nothing_else_counts_for_it() -> None:
    colour = a_field("colour", Kind.CHOICE, choices=COLOURS)
    assert filled("Colour: green\nit was red before", colour) == [None]
    assert filled("Colour: certainly not red", colour) == [None]
    assert filled("Size: 1,000\nroom 12", a_field("size", Kind.INTEGER)) == [None]
    assert filled("Ticket: unknown, see also INC7", a_field("ticket")) == [None]


def test_a_choice_is_named_by_its_value_or_its_label() -> None:
    colour = a_field("colour", Kind.CHOICE, choices=COLOURS)
    assert filled("the blue one", colour) == ["blue"]
    assert filled("Colour: sky blue", colour) == ["blue"]
    assert filled("`Sky Blue` please", colour) == ["blue"]
    assert filled("colour: green", colour) == [None]


def test_a_label_of_two_choices_means_neither() -> None:
    people = (Choice("bmiller", "Bob Miller"), Choice("bmiller2", "Bob Miller"))
    account = a_field("account", Kind.CHOICE, choices=people)
    assert filled("Account: Bob Miller", account) == [None]
    assert filled("Account: bmiller2", account) == ["bmiller2"]


def test_the_items_of_a_list_are_those_named() -> None:
    colours = a_field("colours", Kind.LIST, choices=COLOURS)
    assert filled("Colours: blue, bright red", colours) == [["blue", "red"]]
    assert filled("everybody in `red`, but leave `blue` alone", colours) == [None]
    assert filled("Colours: blue, red", a_field("colours", Kind.LIST, choices=COLOURS, max_length=1)) == [None]
    assert filled("Hosts: web-1, web-2", a_field("hosts", Kind.LIST)) == [["web-1", "web-2"]]


def test_only_what_is_named_takes_the_place_of_a_default() -> None:
    force = a_field("force", Kind.BOOLEAN, False, default=False)
    days = a_field("days_back", Kind.INTEGER, 7, default=7)
    assert filled("30 files, remove them", force, days) == [False, 7]
    assert filled("force: yes | days back: 30", force, days) == [True, "30"]
    assert filled("force: on Monday we decide\ndays_back: many", force, days) == [False, 7]
    assert filled("account: bob", a_field(value="alice")) == ["alice"]


def test_a_text_takes_all_of_the_message() -> None:
    note = a_field("note", Kind.TEXT)
    assert filled(" Printer is\non fire ", note) == ["Printer is\non fire"]
    assert filled("Note:\nprinter\nis on fire", note) == ["Note:\nprinter\nis on fire"]
    assert filled("more", a_field("note", Kind.TEXT, "what I wrote")) == ["what I wrote"]


def test_no_secret_is_taken_from_a_message_and_no_guess_made_for_what_takes_any_word() -> None:
    assert filled("password: hunter2 `hunter2`", a_field("password", Kind.SECRET)) == [None]
    assert filled("`alice`", a_field("anything")) == [None]
    assert filled("anything: alice", a_field("anything")) == ["alice"]


def test_the_form_says_what_is_taken_from_the_message() -> None:
    form = Form("act", "Act", "Does it.", "change", (a_field(), a_field("ticket"), a_field("size", Kind.INTEGER)))
    read = filled_from(form, "account: alice\nINC7")
    assert read.note == "Taken from the message: Account and Ticket. Look at that before you go on."
    assert filled_from(form, "Good morning").note == ""


def test_of_a_message_that_is_cut_only_a_text_is_taken() -> None:
    form = Form("act", "Act", "Does it.", "change", (a_field(), a_field("note", Kind.TEXT)))
    read = filled_from(form, "account: svc_bac", whole=False)
    assert [field.value for field in read.fields] == [None, "account: svc_bac…"]
    assert read.note.endswith("The message is too long for Deputy to read what it means.")


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
    blanks, signs = " " * 20_000, ("account:", "account_", "a=", "| ", "*a:*", "> - ")
    for hostile in (f"account{blanks}", f"{blanks}:", "“" * 20_000, *(sign * 5_000 for sign in signs)):
        assert filled(hostile, a_field()) is not None
