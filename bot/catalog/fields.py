"""One form field: what the script's signature says, with what `[parameters.NAME]` adds to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.catalog import values
from bot.catalog.toml_file import Table
from bot.core.parameter import Choice, Kind, Parameter, bind_one
from bot.core.wording import listed

_WORDS = frozenset({Kind.STRING, Kind.TEXT, Kind.LIST, Kind.CHOICE, Kind.DN})
_NUMBERS = frozenset({Kind.INTEGER, Kind.NUMBER})
_LENGTH = values.whole(0, 20_000)

# Which kinds heed a field: set on another kind it would be silently ignored, so it is a fault.
_HEEDED: Mapping[str, frozenset[Kind]] = {
    "default": frozenset(Kind) - {Kind.SECRET},
    "pattern": _WORDS,
    "minimum": _NUMBERS,
    "maximum": _NUMBERS,
    "min_length": _WORDS,
    "max_length": _WORDS,
    "choices": frozenset({Kind.CHOICE, Kind.CREDENTIAL}),
    "choices_from": frozenset({Kind.CHOICE}),
}
KNOWN = ("kind", "label", "help", "required", "when", *_HEEDED)

_REFINED: Mapping[Kind, frozenset[Kind]] = {Kind.STRING: frozenset({Kind.TEXT, Kind.CHOICE, Kind.SECRET, Kind.DN})}


@dataclass(frozen=True)
class Base:
    """What the script itself says of a field. `free`: nothing, so the .toml may choose any kind."""

    parameter: Parameter
    free: bool = False

    def takes(self, kind: Kind) -> bool:
        """Whether a value of `kind` is one the script's own annotation takes."""
        return self.free or fits(kind, self.parameter.kind)


def fits(kind: Kind, annotated: Kind) -> bool:
    """Whether a value of `kind` may be handed to a parameter annotated as `annotated`."""
    return kind is annotated or kind in _REFINED.get(annotated, ())


def merged(table: Table, base: Base) -> Parameter:
    """Return the field as the form shows it; what is wrong is added to the table's faults."""
    if not table.data:
        return base.parameter
    table.only(KNOWN, "a parameter")
    before = len(table.document.faults)
    parameter = _described(table, base)
    for key, kinds in _HEEDED.items():
        if key in table.data and parameter.kind not in kinds:
            table.fault(key, f"means nothing for the kind {parameter.kind.value}; remove it")
    _check_choices(table, base, parameter)
    _check_bounds(table, parameter)
    if len(table.document.faults) > before:
        return parameter
    return _with_default(table, base, parameter)


def _described(table: Table, base: Base) -> Parameter:
    own = base.parameter
    return replace(
        own,
        kind=_kind(table, base),
        label=table.get("label", values.text, own.label),
        help=table.get("help", values.text, own.help),
        pattern=table.get("pattern", values.regex, None),
        minimum=table.get("minimum", values.number, None),
        maximum=table.get("maximum", values.number, None),
        min_length=table.get("min_length", _LENGTH, None),
        max_length=table.get("max_length", _LENGTH, None),
        choices=table.get("choices", values.choices, own.choices),
        choices_from=table.get("choices_from", values.text, None),
    )


def _kind(table: Table, base: Base) -> Kind:
    own = base.parameter.kind
    offers = own is Kind.STRING and ("choices" in table.data or "choices_from" in table.data)
    kind = Kind(table.get("kind", values.one_of(*Kind), Kind.CHOICE if offers else own))
    if not base.takes(kind):
        table.fault("kind", f"is {kind.value}, but the script's own annotation makes it {own.value}")
        return own
    if kind is Kind.SECRET and base.parameter.default is not None:
        table.fault("kind", "is secret, but the script's main has a default for it, no secret at all; use None")
    return kind


def _check_choices(table: Table, base: Base, parameter: Parameter) -> None:
    if parameter.kind in (Kind.CHOICE, Kind.CREDENTIAL) and not (parameter.choices or parameter.choices_from):
        ways = "choices or choices_from" if parameter.kind is Kind.CHOICE else "choices"
        table.fault("kind", f"is {parameter.kind.value}, which needs {ways}")
    if parameter.choices and parameter.choices_from:
        table.fault("choices_from", "can't stand beside choices the script or the .toml already lists")
    if parameter.kind is Kind.CREDENTIAL:
        table.get("choices", _references, ())
    if parameter.kind is Kind.CHOICE:
        table.get("choices", partial(_bound, parameter), ())
    own = _texts(base.parameter.choices)
    strange = [value for value in _texts(parameter.choices) if own and value not in own]
    if strange:
        table.fault("choices", f"has {listed(strange)}, but the script's own Literal takes {listed(own, 'or')}")


def _check_bounds(table: Table, parameter: Parameter) -> None:
    for low, high in (("minimum", "maximum"), ("min_length", "max_length")):
        lowest, highest = getattr(parameter, low), getattr(parameter, high)
        if lowest is not None and highest is not None and lowest > highest:
            table.fault(low, f"is {lowest}, more than {high}, which is {highest}")


def _with_default(table: Table, base: Base, parameter: Parameter) -> Parameter:
    """Settle what a blank field means: the default, nothing, or that it must be filled in."""
    required = table.get("required", values.flag, None)
    if required and "default" in table.data:
        table.fault("required", "is true beside a default, and a field with a default is never blank; remove one")
    blank = replace(parameter, required=False, default=None)
    given: Any = table.data.get("default", None if required else base.parameter.default)
    try:
        default = bind_one(blank, given)
    except ValueError as error:
        table.fault("default", f"doesn't fit: it {error}")
        return blank
    if required is False and base.parameter.required and default is None:
        table.fault("required", "is false, but the script's main has no default for it; give one in either")
    if "when" in table.data and base.parameter.required:
        table.fault(
            "when", "makes it apply only at times, but the script's main has no default for it; use None there"
        )
    needed = default is None and (base.parameter.required if required is None else required)
    return replace(blank, default=default, required=needed)


def _bound(parameter: Parameter, given: object) -> tuple[object, ...]:
    """Bind every choice, for one that doesn't fit the field's own pattern or length could never be taken."""
    return tuple(bind_one(parameter, choice.value) for choice in values.choices(given))


def _references(given: object) -> tuple[str, ...]:
    return tuple(values.reference(choice.value) for choice in values.choices(given))


def _texts(choices: tuple[Choice, ...]) -> list[str]:
    return [choice.value for choice in choices]
