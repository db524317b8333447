"""Reading an action's .toml: its fields, and every fault with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog import values
from bot.catalog.toml_file import parse
from bot.core.errors import Invalid
from bot.core.toml import line_of


@given(st.text())
def test_any_text_is_parsed_or_refused_with_a_line_that_exists(text: str) -> None:
    try:
        parse("people/greet.toml", text.encode())
    except Invalid as fault:
        path, _, line = fault.where.rpartition(":")
        assert path == "people/greet.toml"
        assert 1 <= int(line) <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('summary = "a"\nrisk = read\n', "a.toml:2"),
        ('summary = "a"\nsummary = "b"\n', "a.toml:2"),
        ('summary = "a"\nlocks = [\n', "a.toml:2"),
        ("x = 1e99999999999999999999", "a.toml:1"),
        ("x = " + "[" * 5_000, "a.toml:1"),
    ],
    ids=["not quoted", "twice", "left open", "huge exponent", "nested"],
)
def test_what_is_no_toml_is_refused_with_its_line(text: str, where: str) -> None:
    with pytest.raises(Invalid, match=r"isn't valid TOML") as caught:
        parse("a.toml", text.encode())
    assert caught.value.where == where


def test_a_byte_order_mark_and_windows_line_ends_are_taken() -> None:
    document = parse("a.toml", "\ufeffsummary = 'a'\r\nrisk = 'b'\r\n".encode())
    assert document.data == {"summary": "a", "risk": "b"}
    assert line_of(document.text, ["risk"]) == 2


def test_a_wrong_field_becomes_a_fault_with_line_and_name_and_its_default_stands() -> None:
    document = parse("a.toml", b'summary = "a"\ntimeout = "long"\n')
    assert document.top.get("timeout", values.whole(1, 10), 5) == 5
    assert [str(fault) for fault in document.faults] == [
        "a.toml:2: “timeout” takes a whole number from 1 to 10, not 'long'."
    ]


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (values.text, 5),
        (values.text, "  "),
        (values.text, "two\nlines"),
        (values.text, "turned \u202e round"),
        (values.texts, "one"),
        (values.texts, [1]),
        (values.flag, 1),
        (values.number, True),
        (values.number, "1"),
        (values.whole(1, 9), True),
        (values.whole(1, 9), 10),
        (values.one_of("a", "b"), ["a"]),
        (values.reference, "directory"),
        (values.reference, "vault:../key"),
        (values.regex, "(open"),
        (values.choices, []),
        (values.choices, ["a", "a"]),
        (values.choices, [{"value": "a"}]),
        (values.choices, [{"value": "a", "label": "A", "extra": "b"}]),
        (values.table, "x"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_words(read: object, wrong: object) -> None:
    assert callable(read)
    with pytest.raises(ValueError, match=r"^(takes|isn't|has) "):
        read(wrong)


def test_choices_are_texts_or_tables_with_a_label() -> None:
    one, two = values.choices(["a", {"value": "b", "label": "Bee"}])
    assert (one.value, one.label, two.value, two.label) == ("a", "a", "b", "Bee")
