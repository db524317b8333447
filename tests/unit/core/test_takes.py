"""What a parameter takes, as help says it."""

from decimal import Decimal
from typing import Any

import pytest

from bot.core.condition import Condition
from bot.core.parameter import Choice, Kind, Parameter
from bot.core.takes import needed, takes


def one(kind: Kind, **more: Any) -> Parameter:
    return Parameter("it", kind, "It", **more)


def choices(*values: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, value.title()) for value in values)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_words_of_people(kind: Kind) -> None:
    assert not {"string", "integer", "boolean", "datetime", "dn"} & {*takes(one(kind)).split()}


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        (one(Kind.STRING), "text"),
        (one(Kind.STRING, min_length=3, max_length=20), "text, 3 to 20 characters"),
        (one(Kind.STRING, max_length=1), "text, at most 1 character"),
        (one(Kind.STRING, min_length=8), "text, at least 8 characters"),
        (one(Kind.INTEGER, minimum=Decimal(1), maximum=Decimal(10)), "whole number, 1 to 10"),
        (one(Kind.NUMBER, minimum=Decimal("0.5")), "number, at least 0.5"),
        (one(Kind.INTEGER, minimum=Decimal(0), maximum=Decimal(0)), "whole number, exactly 0"),
        (one(Kind.BOOLEAN), "yes or no"),
        (one(Kind.CHOICE, choices=choices("red", "green")), "one of red, green"),
        (one(Kind.CHOICE, choices=choices("low", "odd, very")), "one of “low”, “odd, very”"),
        (one(Kind.CHOICE, choices=choices(*"abcdefgh")), "one of a, b, c, d, e, f… (8 in all)"),
        (one(Kind.CHOICE, choices_from="list-groups"), "one of those its form shows"),
        (one(Kind.LIST, max_length=3), "list, with commas between, at most 3 items"),
        (one(Kind.LIST, choices=choices("a", "b")), "some of a, b"),
        (one(Kind.LIST, choices_from="list-groups"), "some of those its form shows"),
        (one(Kind.CREDENTIAL, choices=choices("vault:a")), "one of the credentials its form shows"),
    ],
)
def test_choices_and_bounds_are_named(parameter: Parameter, words: str) -> None:
    assert takes(parameter) == words


HOW = Parameter("how", Kind.CHOICE, "How", choices=choices("lock", "move"))


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        (one(Kind.STRING, required=True), "needed"),
        (one(Kind.INTEGER, default=0), "optional (0 if not given)"),
        (one(Kind.BOOLEAN, default=False), "optional (no if not given)"),
        (one(Kind.LIST, default=("a", "b")), "optional (a, b if not given)"),
        (one(Kind.LIST, default=()), "optional"),
        (one(Kind.STRING, required=True, when=(Condition("how", ("move",)),)), "needed when “How” is move"),
        (one(Kind.SECRET, default="correct-horse"), "optional"),
    ],
)
def test_it_is_said_whether_it_is_needed_and_what_stands_for_it(parameter: Parameter, words: str) -> None:
    assert needed(parameter, (HOW, parameter)) == words
