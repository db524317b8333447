"""Typed parameters, and the binding of what somebody gave to them.

A bound argument is one of the canonical forms below, so that it can be sealed, stored and shown:
text kinds `str`; integer `int`; number its decimal text; boolean `bool`; list a tuple of `str`;
date `YYYY-MM-DD`; datetime ISO 8601 with offset; secret and credential a vault reference.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation, getcontext
from enum import StrEnum

from bot.core import canonical, dn
from bot.core.condition import Condition
from bot.core.text import escape, fault_in, shorten

Value = str | int | bool | tuple[str, ...]


class Kind(StrEnum):
    """What a parameter takes."""

    STRING = "string"
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LIST = "list"
    DATE = "date"
    DATETIME = "datetime"
    DN = "dn"
    SECRET = "secret"  # noqa: S105 - the name of a kind
    CREDENTIAL = "credential"


@dataclass(frozen=True)
class Choice:
    """One option of a choice: the value a script gets and the label a person reads."""

    value: str
    label: str


@dataclass(frozen=True)
class Parameter:
    """One thing an action wants to know. Bounds are inclusive; lengths count characters (list: items).

    It applies where all of `when` hold, each about a parameter declared before it; elsewhere it can't be given.
    """

    name: str
    kind: Kind
    label: str
    help: str = ""
    required: bool = False
    default: Value | None = None
    pattern: str | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    min_length: int | None = None
    max_length: int | None = None
    choices: tuple[Choice, ...] = ()
    choices_from: str | None = None
    when: tuple[Condition, ...] = ()

    def applies(self, arguments: Mapping[str, Value]) -> bool:
        """Whether it is asked for at all beside these bound arguments."""
        return all(condition.holds(arguments) for condition in self.when)


@dataclass(frozen=True)
class Fault:
    """One thing wrong with one field, in words."""

    field: str
    sentence: str


@dataclass(frozen=True)
class Bound:
    """Arguments that fit, and the faults of those that don't. Blank optional ones are absent."""

    arguments: Mapping[str, Value]
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        return not self.faults


LONGEST = 4_000
LONGEST_TEXT = 20_000
MOST_ITEMS = 500


def bind(parameters: tuple[Parameter, ...], given: Mapping[str, object]) -> Bound:
    """Fit `given` (texts from a command or form, or JSON values) to the declared parameters."""
    known = {parameter.name: parameter for parameter in parameters}
    faults = [Fault(name, f"“{name}” is not a parameter of this action.") for name in given if name not in known]
    arguments: dict[str, Value] = {}
    broken: set[str] = set()  # with these nobody knows yet which of the others apply
    for parameter in parameters:
        if any(condition.name in broken for condition in parameter.when):
            broken.add(parameter.name)
            continue
        try:
            value = _applied(parameter, given.get(parameter.name), arguments, parameters)
        except ValueError as error:
            broken.add(parameter.name)
            faults.append(Fault(parameter.name, f"“{parameter.label}” {error}."))
            continue
        if value is not None:
            arguments[parameter.name] = value
        elif parameter.required and parameter.applies(arguments):
            faults.append(Fault(parameter.name, f"“{parameter.label}” is needed."))
    return Bound(arguments, tuple(faults))


def applying(parameters: tuple[Parameter, ...], given: Mapping[str, object]) -> tuple[Parameter, ...]:
    """Return the parameters that apply with what is given so far; what doesn't fit decides nothing."""
    if not any(parameter.when for parameter in parameters):
        return parameters
    arguments = bind(parameters, given).arguments
    return tuple(parameter for parameter in parameters if parameter.applies(arguments))


def condition_in_words(parameter: Parameter, parameters: tuple[Parameter, ...]) -> str:
    """Say when a parameter applies, in the labels people know: `“How” is move`; empty for always."""
    labels = {one.name: one.label for one in parameters}
    return " and ".join(condition.words(labels[condition.name]) for condition in parameter.when)


def choices_in_words(choices: tuple[Choice, ...], most: int = 8) -> str:
    """List choices by their values, at most so many; in quotes where a comma in one would make it two."""
    values = [choice.value for choice in choices[:most]]
    if any("," in value for value in values):
        values = [f"“{value}”" for value in values]
    return ", ".join(values) + "…" * (len(choices) > most)


def _applied(
    parameter: Parameter, given: object, arguments: Mapping[str, Value], parameters: tuple[Parameter, ...]
) -> Value | None:
    """Bind one value where the parameter applies. Raises ValueError, also for one given where it doesn't."""
    if parameter.applies(arguments):
        return bind_one(parameter, given)
    if not _blank(given):
        raise ValueError(f"applies only when {condition_in_words(parameter, parameters)}")
    return None


def bind_one(parameter: Parameter, given: object) -> Value | None:
    """Bind one value; None where it is blank and has no default. Raises ValueError with the fault in words."""
    if _blank(given):
        return parameter.default
    value = _READERS[parameter.kind](parameter, given)
    if value == ():
        return parameter.default
    _bounds(parameter, value)
    return value


def _blank(given: object) -> bool:
    return given is None or given in ("", [], ()) or (isinstance(given, str) and not given.strip())


def _string(parameter: Parameter, given: object) -> str:
    text = str(given) if isinstance(given, int | Decimal) and not isinstance(given, bool) else given
    if not isinstance(text, str):
        raise ValueError("takes text")
    fault = fault_in(text, lines=parameter.kind is Kind.TEXT)
    if fault:
        raise ValueError(fault)
    limit = LONGEST_TEXT if parameter.kind is Kind.TEXT else LONGEST
    if len(text) > limit:
        raise ValueError(f"is {len(text):,} characters long; {limit:,} is the most")
    if parameter.pattern and not re.fullmatch(parameter.pattern, text):
        told = parameter.help.rstrip(".")
        raise ValueError(f"doesn't fit: {told}" if told else f"doesn't fit the pattern {parameter.pattern}")
    return text


def _integer(parameter: Parameter, given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        number = given
    elif isinstance(given, str) and re.fullmatch(r"[+-]?[0-9]{1,20}", given.strip()):
        number = int(given)
    else:
        raise ValueError(f"takes a whole number, not “{_shown(given)}”")
    if abs(number) > canonical.LARGEST:
        raise ValueError("is too large a number")
    return number


def _number(parameter: Parameter, given: object) -> str:
    try:
        if isinstance(given, bool) or not isinstance(given, int | float | str | Decimal):
            raise InvalidOperation
        number = Decimal(str(given).strip())
    except InvalidOperation:
        raise ValueError(f"takes a number, not “{_shown(given)}”") from None
    if not number.is_finite() or number.adjusted() > 30 or number.adjusted() < -30:
        raise ValueError("takes an ordinary number")
    exact = number.normalize()
    if exact != number:
        raise ValueError(f"takes at most {getcontext().prec} digits")
    return format(exact, "f")


_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def _boolean(parameter: Parameter, given: object) -> bool:
    if isinstance(given, bool):
        return given
    answer = _WORDS.get(str(given).strip().lower())
    if answer is None:
        raise ValueError(f"takes yes or no, not “{_shown(given)}”")
    return answer


def _choice(parameter: Parameter, given: object) -> str:
    text = _string(parameter, given)
    if parameter.choices_from and not parameter.choices:
        return text
    for choice in parameter.choices:
        if text == choice.value:
            return choice.value
    if not parameter.choices:
        raise ValueError(f"has nothing to choose from at the moment, so it can't be “{_shown(given)}”")
    raise ValueError(f"takes one of {choices_in_words(parameter.choices)}, not “{_shown(given)}”")


def _list(parameter: Parameter, given: object) -> tuple[str, ...]:
    found = items(given) if isinstance(given, str) else given
    if not isinstance(found, list | tuple):
        raise ValueError("takes a list")
    if len(found) > MOST_ITEMS:
        raise ValueError(f"has {len(found):,} items; {MOST_ITEMS} is the most")
    stripped = (item.strip() if isinstance(item, str) else item for item in found)
    return tuple(_string(parameter, item) for item in stripped if item != "")


def items(text: str) -> list[str]:
    """Return the items of a list that came as one text: commas or line feeds are between them."""
    return [item for part in re.split(r"[,\n]", text) if (item := part.strip())]


def _date(parameter: Parameter, given: object) -> str:
    try:
        return date.fromisoformat(str(given).strip()).isoformat()
    except ValueError:
        raise ValueError(f"takes a date like 2026-11-23, not “{_shown(given)}”") from None


def _datetime(parameter: Parameter, given: object) -> str:
    try:
        moment = datetime.fromisoformat(str(given).strip())
    except ValueError:
        raise ValueError(f"takes a date and time like 2026-11-23T14:30, not “{_shown(given)}”") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def _dn(parameter: Parameter, given: object) -> str:
    """Check a distinguished name; scripts get it as it was given, policies in its one form."""
    text = _string(parameter, given)
    dn.canonical(text)
    return text


def _reference(parameter: Parameter, given: object) -> str:
    text = _string(parameter, given)
    if parameter.choices and text not in {choice.value for choice in parameter.choices}:
        raise ValueError("takes one of the credentials offered")
    return text


_READERS: Mapping[Kind, Callable[[Parameter, object], Value]] = {
    Kind.STRING: _string,
    Kind.TEXT: _string,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.CHOICE: _choice,
    Kind.LIST: _list,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.DN: _dn,
    Kind.SECRET: _reference,
    Kind.CREDENTIAL: _reference,
}


def _bounds(parameter: Parameter, value: Value) -> None:
    if parameter.kind in (Kind.INTEGER, Kind.NUMBER):
        number = Decimal(str(value))
        if parameter.minimum is not None and number < parameter.minimum:
            raise ValueError(f"must be at least {parameter.minimum}, not {_shown(value)}")
        if parameter.maximum is not None and number > parameter.maximum:
            raise ValueError(f"must be at most {parameter.maximum}, not {_shown(value)}")
    elif isinstance(value, str | tuple) and parameter.kind not in (Kind.SECRET, Kind.CREDENTIAL):
        unit = "items" if isinstance(value, tuple) else "characters"
        if parameter.min_length is not None and len(value) < parameter.min_length:
            raise ValueError(f"needs at least {parameter.min_length} {unit}")
        if parameter.max_length is not None and len(value) > parameter.max_length:
            raise ValueError(f"takes at most {parameter.max_length} {unit}")


def _shown(given: object) -> str:
    return shorten("".join(char if char.isprintable() else escape(char) for char in str(given)), 40)
