"""What a parameter takes, in the words of people who never saw a catalogue."""

from decimal import Decimal

from bot.core.parameter import Kind, Parameter, Value, choices_in_words, condition_in_words
from bot.core.text import shorten

MOST = 6  # choices named
LONGEST = 60  # characters of a default

_WORDS = {
    Kind.STRING: "text",
    Kind.TEXT: "text of any number of lines",
    Kind.INTEGER: "whole number",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "yes or no",
    Kind.CHOICE: "one of those its form shows",
    Kind.LIST: "list, with commas between",
    Kind.DATE: "date like 2026-11-23",
    Kind.DATETIME: "date and time like 2026-11-23T14:30, in UTC",
    Kind.DN: "distinguished name",
    Kind.SECRET: "secret, given in the form alone",
    Kind.CREDENTIAL: "one of the credentials its form shows",
}
_SEALED = frozenset({Kind.SECRET, Kind.CREDENTIAL})


def takes(parameter: Parameter) -> str:
    """Say what fits: `whole number, 1 to 10`, `one of red, green`."""
    what = _offered(parameter) if parameter.kind in (Kind.CHOICE, Kind.LIST) else _WORDS[parameter.kind]
    return ", ".join(part for part in (what, _bounds(parameter)) if part)


def needed(parameter: Parameter, parameters: tuple[Parameter, ...]) -> str:
    """Say whether it has to be given, when, and what stands for it otherwise: `optional (5 if not given)`."""
    need, when = "needed" if parameter.required else "optional", condition_in_words(parameter, parameters)
    default = parameter.default if parameter.kind not in _SEALED else None
    otherwise = "" if default in (None, "", ()) else f" ({_value(default)} if not given)"
    return f"{need}{f' when {when}' if when else ''}{otherwise}"


def _offered(parameter: Parameter) -> str:
    many = parameter.kind is Kind.LIST
    if not parameter.choices:
        return "some of those its form shows" if many and parameter.choices_from else _WORDS[parameter.kind]
    count = len(parameter.choices)
    more = f" ({count:,} in all)" if count > MOST else ""
    return f"{'some' if many else 'one'} of {choices_in_words(parameter.choices, MOST)}{more}"


def _bounds(parameter: Parameter) -> str:
    if parameter.kind in (Kind.INTEGER, Kind.NUMBER):
        return _range(parameter.minimum, parameter.maximum)
    if parameter.kind in _SEALED or parameter.kind is Kind.CHOICE:
        return ""
    lengths = _range(parameter.min_length, parameter.max_length)
    unit = "item" if parameter.kind is Kind.LIST else "character"
    alone = (parameter.max_length or parameter.min_length) == 1
    return f"{lengths} {unit}{'' if alone else 's'}" if lengths else ""


def _range(least: Decimal | int | None, most: Decimal | int | None) -> str:
    if least is not None and most is not None:
        return f"{least} to {most}" if least != most else f"exactly {least}"
    if least is not None:
        return f"at least {least}"
    return f"at most {most}" if most is not None else ""


def _value(value: Value | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shorten(", ".join(value) if isinstance(value, tuple) else str(value), LONGEST)
