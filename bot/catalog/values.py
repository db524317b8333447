"""What a field of a .toml takes: each reader returns the value, or raises ValueError with words that
go on after the field's name (“takes true or false, not 5”)."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from bot.core.parameter import Choice
from bot.core.text import shorten
from bot.core.wording import listed

_REFERENCE = re.compile(r"vault:[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*")


def text(given: object) -> str:
    """Read one line of text."""
    if not isinstance(given, str) or not given.strip() or not given.isprintable():
        raise ValueError(f"takes one line of text in quotes, not {shown(given)}")
    return given


def texts(given: object) -> tuple[str, ...]:
    """Read a list of texts."""
    if not isinstance(given, list):
        raise ValueError(f'takes a list of texts like ["one", "two"], not {shown(given)}')
    return tuple(text(item) for item in given)


def flag(given: object) -> bool:
    """Read true or false."""
    if not isinstance(given, bool):
        raise ValueError(f"takes true or false, not {shown(given)}")
    return given


def number(given: object) -> Decimal:
    """Read a finite number."""
    if isinstance(given, bool) or not isinstance(given, int | Decimal) or not Decimal(given).is_finite():
        raise ValueError(f"takes a number, not {shown(given)}")
    return Decimal(given)


def whole(lowest: int, highest: int) -> Callable[[object], int]:
    """Return a reader of whole numbers between two others, both included."""

    def read(given: object) -> int:
        if isinstance(given, bool) or not isinstance(given, int) or not lowest <= given <= highest:
            raise ValueError(f"takes a whole number from {lowest} to {highest}, not {shown(given)}")
        return given

    return read


def one_of(*options: str) -> Callable[[object], str]:
    """Return a reader of one of a few texts."""

    def read(given: object) -> str:
        if not isinstance(given, str) or given not in options:
            raise ValueError(f"takes {listed(options, 'or')}, not {shown(given)}")
        return given

    return read


def reference(given: object) -> str:
    """Read a reference to a secret in the vault."""
    if not isinstance(given, str) or not _REFERENCE.fullmatch(given):
        raise ValueError(f"takes a vault reference like “vault:directory”, not {shown(given)}")
    return given


def regex(given: object) -> str:
    """Read a regular expression in Python's syntax."""
    pattern = text(given)
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"isn't a regular expression: {error}") from None
    return pattern


def choices(given: object) -> tuple[Choice, ...]:
    """Read a list of texts, or of tables with a `value` and a `label`; no value may be there twice."""
    if not isinstance(given, list) or not given:
        raise ValueError(f'takes a list like ["one", {{value = "two", label = "Two"}}], not {shown(given)}')
    found = tuple(_choice(item) for item in given)
    values = [choice.value for choice in found]
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise ValueError(f"has {shown(twice)} twice")
    return found


def _choice(given: object) -> Choice:
    if isinstance(given, dict) and given.keys() == {"value", "label"}:
        return Choice(text(given["value"]), text(given["label"]))
    if isinstance(given, dict):
        raise ValueError("takes tables with a value and a label, and nothing else in them")
    return Choice(text(given), text(given))


def table(given: object) -> Mapping[str, object]:
    """Read a table."""
    if not isinstance(given, dict):
        raise ValueError(f"takes a table, not {shown(given)}")
    return given


def shown(given: object) -> str:
    """Show a value in a sentence, briefly."""
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, dict):
        return "a table"
    return shorten(repr(given) if isinstance(given, str | list) else str(given), 60)
