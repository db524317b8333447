"""Binding: what each kind takes, what it refuses and in which words, and that it is done once."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import canonical
from bot.core.parameter import (
    LONGEST,
    LONGEST_TEXT,
    MOST_ITEMS,
    Bound,
    Choice,
    Fault,
    Kind,
    Parameter,
    Value,
    bind,
)

COLOURS = (Choice("red", "Red"), Choice("green", "Green"))


def declared(kind: Kind, **more: Any) -> Parameter:
    choices = COLOURS if kind is Kind.CHOICE else ()
    return Parameter("x", kind, "The X", **{"choices": choices, **more})


def bound(parameter: Parameter, given: object) -> Bound:
    return bind((parameter,), {"x": given})


def sentence(parameter: Parameter, given: object) -> str:
    """Return what is said about a value that doesn't fit."""
    found = bound(parameter, given)
    assert found.arguments == {}
    (fault,) = found.faults
    assert fault.field == "x"
    return fault.sentence


GOOD: list[tuple[Kind, object, Value]] = [
    (Kind.STRING, "alice", "alice"),
    (Kind.STRING, " alice ", " alice "),
    (Kind.STRING, 7, "7"),
    (Kind.STRING, Decimal("1.50"), "1.50"),
    (Kind.STRING, "-rf", "-rf"),
    (Kind.STRING, "; $(id) && `id` | id", "; $(id) && `id` | id"),
    (Kind.STRING, "{{ 7*7 }}", "{{ 7*7 }}"),
    (Kind.STRING, "‘’‚‛'$()", "‘’‚‛'$()"),
    (Kind.TEXT, "one\n\ttwo", "one\n\ttwo"),
    (Kind.INTEGER, "42", 42),
    (Kind.INTEGER, " -7 ", -7),
    (Kind.INTEGER, "+007", 7),
    (Kind.INTEGER, 0, 0),
    (Kind.INTEGER, canonical.LARGEST, canonical.LARGEST),
    (Kind.NUMBER, "1.50", "1.5"),
    (Kind.NUMBER, " 1e3 ", "1000"),
    (Kind.NUMBER, 2, "2"),
    (Kind.NUMBER, 0.1, "0.1"),
    (Kind.NUMBER, Decimal("-0.250"), "-0.25"),
    (Kind.BOOLEAN, True, True),
    (Kind.BOOLEAN, "Yes", True),
    (Kind.BOOLEAN, " on ", True),
    (Kind.BOOLEAN, 1, True),
    (Kind.BOOLEAN, False, False),
    (Kind.BOOLEAN, "NO", False),
    (Kind.BOOLEAN, "off", False),
    (Kind.BOOLEAN, 0, False),
    (Kind.CHOICE, "red", "red"),
    (Kind.LIST, "a, b\nc", ("a", "b", "c")),
    (Kind.LIST, "a,, ,b,", ("a", "b")),
    (Kind.LIST, ["a, b", 7], ("a, b", "7")),
    (Kind.LIST, ("a", ""), ("a",)),
    (Kind.DATE, "2026-11-23", "2026-11-23"),
    (Kind.DATE, " 20261123 ", "2026-11-23"),
    (Kind.DATETIME, "2026-11-23T14:30", "2026-11-23T14:30:00+00:00"),
    (Kind.DATETIME, "2026-11-23 14:30+02:00", "2026-11-23T14:30:00+02:00"),
    (Kind.DATETIME, "2026-11-23T14:30Z", "2026-11-23T14:30:00+00:00"),
    (Kind.SECRET, "vault:run/r-1/x@1", "vault:run/r-1/x@1"),
    (Kind.CREDENTIAL, "vault:directory", "vault:directory"),
]


@pytest.mark.parametrize(("kind", "given", "value"), GOOD)
def test_what_fits_is_bound_in_its_canonical_form(kind: Kind, given: object, value: Value) -> None:
    found = bound(declared(kind), given)
    assert found == Bound({"x": value}, ())
    assert found.ok
    assert type(found.arguments["x"]) is type(value)


BAD: list[tuple[Kind, object, str]] = [
    (Kind.STRING, "a\nb", "holds the control character ⟨U+000A⟩"),
    (Kind.STRING, "a\0b", "holds the control character ⟨U+0000⟩"),
    (Kind.STRING, "a\ud800", "holds half of a character"),
    (Kind.STRING, True, "takes text"),
    (Kind.STRING, {"a": 1}, "takes text"),
    (Kind.STRING, 1.5, "takes text"),
    (Kind.STRING, "a" * (LONGEST + 1), "is 4,001 characters long; 4,000 is the most"),
    (Kind.TEXT, "a\rb", "holds the control character ⟨U+000D⟩"),
    (Kind.TEXT, "a" * (LONGEST_TEXT + 1), "is 20,001 characters long; 20,000 is the most"),
    (Kind.INTEGER, "four", "takes a whole number, not “four”"),
    (Kind.INTEGER, "1.0", "takes a whole number, not “1.0”"),
    (Kind.INTEGER, 1.0, "takes a whole number, not “1.0”"),
    (Kind.INTEGER, True, "takes a whole number, not “True”"),
    (Kind.INTEGER, "1e3", "takes a whole number"),
    (Kind.INTEGER, "٣", "takes a whole number"),
    (Kind.INTEGER, "1;id\u202e", "takes a whole number, not “1;id⟨U+202E⟩”"),
    (Kind.INTEGER, canonical.LARGEST + 1, "is too large a number"),
    (Kind.INTEGER, "9" * 20, "is too large a number"),
    (Kind.NUMBER, "one", "takes a number, not “one”"),
    (Kind.NUMBER, "nan", "takes an ordinary number"),
    (Kind.NUMBER, float("inf"), "takes an ordinary number"),
    (Kind.NUMBER, "1e99", "takes an ordinary number"),
    (Kind.NUMBER, "1e-99", "takes an ordinary number"),
    (Kind.NUMBER, True, "takes a number"),
    (Kind.NUMBER, [], "is needed"),
    (Kind.BOOLEAN, "maybe", "takes yes or no, not “maybe”"),
    (Kind.BOOLEAN, 2, "takes yes or no, not “2”"),
    (Kind.CHOICE, "blue", "takes one of red, green, not “blue”"),
    (Kind.CHOICE, "RED", "takes one of red, green"),
    (Kind.CHOICE, ["red"], "takes text"),
    (Kind.LIST, {"a": 1}, "takes a list"),
    (Kind.LIST, 7, "takes a list"),
    (Kind.LIST, ["a\nb"], "holds the control character ⟨U+000A⟩"),
    (Kind.LIST, [["a"]], "takes text"),
    (Kind.LIST, ["a"] * (MOST_ITEMS + 1), "has 501 items; 500 is the most"),
    (Kind.DATE, "23.11.2026", "takes a date like 2026-11-23, not “23.11.2026”"),
    (Kind.DATE, "2026-02-30", "takes a date"),
    (Kind.DATETIME, "noon", "takes a date and time like 2026-11-23T14:30, not “noon”"),
    (Kind.SECRET, ["s3cret"], "takes text"),
    (Kind.CREDENTIAL, 1.5, "takes text"),
]


@pytest.mark.parametrize(("kind", "given", "words"), BAD)
def test_what_does_not_fit_is_named_with_its_label(kind: Kind, given: object, words: str) -> None:
    said = sentence(declared(kind, required=True), given)
    assert said.startswith(f"“The X” {words}")
    assert said.endswith(".")


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("blank", ["", None, [], ()])
def test_a_blank_optional_argument_is_omitted_and_a_needed_one_asked_for(kind: Kind, blank: object) -> None:
    assert bound(declared(kind), blank) == Bound({}, ())
    assert bind((declared(kind),), {}) == Bound({}, ())
    assert sentence(declared(kind, required=True), blank) == "“The X” is needed."


@pytest.mark.parametrize("blank", [",", " , \n,", ["", " "]])
def test_a_list_of_blanks_is_blank(blank: object) -> None:
    assert bound(declared(Kind.LIST), blank) == Bound({}, ())
    assert bound(declared(Kind.LIST, default=("a",)), blank) == Bound({"x": ("a",)}, ())
    assert sentence(declared(Kind.LIST, required=True), blank) == "“The X” is needed."


def test_a_boolean_has_a_third_state() -> None:
    assert [bound(declared(Kind.BOOLEAN), given).arguments for given in ("yes", "no", "", False)] == [
        {"x": True},
        {"x": False},
        {},
        {"x": False},
    ]


def test_a_blank_argument_takes_its_default_and_a_given_one_does_not() -> None:
    parameter = declared(Kind.BOOLEAN, default=True)
    assert bound(parameter, "").arguments == {"x": True}
    assert bound(parameter, False).arguments == {"x": False}


@pytest.mark.parametrize("kind", [Kind.INTEGER, Kind.NUMBER])
def test_bounds_of_numbers_are_inclusive(kind: Kind) -> None:
    parameter = declared(kind, minimum=Decimal(2), maximum=Decimal(5))
    assert all(bound(parameter, given).ok for given in ("2", "3", "5"))
    assert sentence(parameter, "1") == "“The X” must be at least 2, not 1."
    assert sentence(parameter, "6") == "“The X” must be at most 5, not 6."


def test_bounds_of_decimals_are_exact() -> None:
    parameter = declared(Kind.NUMBER, maximum=Decimal("0.1"))
    assert bound(parameter, "0.10").ok
    assert sentence(parameter, "0.10000000000000001") == "“The X” must be at most 0.1, not 0.10000000000000001."


@pytest.mark.parametrize("kind", [Kind.STRING, Kind.TEXT, Kind.LIST])
def test_lengths_are_inclusive(kind: Kind) -> None:
    parameter = declared(kind, min_length=2, max_length=3)
    unit = "items" if kind is Kind.LIST else "characters"
    sizes = [["a"] * size if kind is Kind.LIST else "a" * size for size in range(1, 5)]
    assert [bound(parameter, one).ok for one in sizes] == [False, True, True, False]
    assert sentence(parameter, sizes[0]) == f"“The X” needs at least 2 {unit}."
    assert sentence(parameter, sizes[3]) == f"“The X” takes at most 3 {unit}."


def test_X1_a_pattern_fits_the_whole_value() -> None:
    parameter = declared(Kind.STRING, pattern="[a-z]+")
    assert bound(parameter, "alice").ok
    for hostile in ("alice; id", "-alice", "alice\u00a0"):
        assert sentence(parameter, hostile) == "“The X” doesn't fit the pattern [a-z]+."


def test_a_pattern_is_for_each_item_of_a_list() -> None:
    parameter = declared(Kind.LIST, pattern="[a-z]+")
    assert bound(parameter, "a, b,").arguments == {"x": ("a", "b")}
    assert "pattern" in sentence(parameter, "a, B")


def test_X6_an_argument_that_was_not_declared_is_named() -> None:
    found = bind((declared(Kind.STRING),), {"x": "a", "LD_PRELOAD": "/tmp/x.so", "PATH": ""})
    assert found.arguments == {"x": "a"}
    assert found.faults == (
        Fault("LD_PRELOAD", "“LD_PRELOAD” is not a parameter of this action."),
        Fault("PATH", "“PATH” is not a parameter of this action."),
    )
    assert not found.ok


def test_every_fault_is_told_at_once() -> None:
    parameters = (
        Parameter("a", Kind.INTEGER, "A"),
        Parameter("b", Kind.DATE, "B"),
        Parameter("c", Kind.TEXT, "C"),
    )
    found = bind(parameters, {"a": "x", "b": "x", "c": "fine", "d": "x"})
    assert [fault.field for fault in found.faults] == ["d", "a", "b"]
    assert found.arguments == {"c": "fine"}


def test_choices_from_a_query_take_any_text_until_they_are_known() -> None:
    assert bound(declared(Kind.CHOICE, choices=(), choices_from="list-colours"), "blue").ok
    assert "takes one of" in sentence(declared(Kind.CHOICE, choices_from="list-colours"), "blue")


def test_many_choices_are_not_all_listed() -> None:
    many = tuple(Choice(f"c{number}", "") for number in range(9))
    assert sentence(declared(Kind.CHOICE, choices=many), "z") == (
        "“The X” takes one of c0, c1, c2, c3, c4, c5, c6, c7…, not “z”."
    )


def test_choices_with_a_comma_in_one_of_them_are_told_apart() -> None:
    odd = tuple(Choice(value, "") for value in ("high", "odd, very"))
    assert sentence(declared(Kind.CHOICE, choices=odd), "odd") == (
        "“The X” takes one of “high”, “odd, very”, not “odd”."
    )


def test_a_credential_is_one_of_those_offered() -> None:
    parameter = declared(Kind.CREDENTIAL, choices=(Choice("vault:a", "A"),))
    assert bound(parameter, "vault:a").ok
    assert sentence(parameter, "vault:b") == "“The X” takes one of the credentials offered."


@pytest.mark.parametrize("given", ["s3cret\0", "s3cret" * 1000, "s3cret"])
def test_V3_a_fault_never_repeats_a_secret(given: str) -> None:
    assert "s3cret" not in sentence(declared(Kind.SECRET, pattern="[0-9]+"), given)


DEFAULTS: Mapping[Kind, Value] = {Kind.INTEGER: 3, Kind.BOOLEAN: True, Kind.LIST: ("a", "b"), Kind.CHOICE: "red"}
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)
near = st.sampled_from(
    [
        "yes",
        "0",
        "-0",
        "1e5",
        "1e28",
        "1_0",
        "007",
        "a, b",
        ",",
        " ",
        "2026-11-23",
        "2026-W48-1",
        "2026-11-23T01:02+01:30",
        "red",
    ]
)


@pytest.mark.parametrize("kind", list(Kind))
@given(value=json_like | near | st.decimals(), has_default=st.booleans())
def test_binding_twice_is_binding_once(kind: Kind, value: object, has_default: bool) -> None:
    parameters = (declared(kind, default=DEFAULTS.get(kind) if has_default else None),)
    once = bind(parameters, {"x": value})
    if once.ok:
        assert bind(parameters, once.arguments) == once
        canonical.encode(dict(once.arguments))
    else:
        assert once.faults[0].sentence.startswith("“The X” ")
