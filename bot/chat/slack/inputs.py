"""One parameter as one of Slack's inputs, and what somebody put into it back as an argument.

Every kind has an entry in the two tables at the end. A default or a given value that Slack would not take as the
input's first value is left out rather than changed: `unshown` says then what is missing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.chat.slack.render import Json
from bot.chat.slack.text import plain
from bot.core.form import Field
from bot.core.parameter import Choice, Kind, bind_one
from bot.core.text import fault_in

MOST = 100  # options of a select
LONGEST_VALUE = 150  # characters of an option's value
LONGEST_INPUT = 3_000  # characters of a text input
YES, NO, UNSAID = "yes", "no", "-"

Element = Callable[[Field], Json]
Reader = Callable[[Mapping[str, Any]], object]


def element(field: Field) -> Json:
    """Return the block element for a field, with what it holds already; a secret has none (`is_secret`)."""
    choices = field.choices
    if choices and field.parameter.kind is not Kind.BOOLEAN and _selectable(choices):
        return _select(field)
    return _ELEMENTS.get(field.parameter.kind, _text)(field)


def is_secret(field: Field) -> bool:
    """Whether a field may not be typed into Slack, which has no input that hides and forgets what is typed."""
    return field.parameter.kind is Kind.SECRET


def value(state: Mapping[str, Any]) -> object:
    """Return what somebody put into an input, from its entry in a view's `state.values`; None where it is blank.

    Texts and numbers as text, a list as a list of texts, a moment as ISO 8601 in UTC.
    """
    return _READERS.get(str(state.get("type")), _nothing)(state)


def begun(element: Mapping[str, Any]) -> Json:
    """Return the state that an element begins with, in the shape of a view's state."""
    renamed = {"initial_value": "value"} | {
        f"initial_{one}": f"selected_{one}" for one in ("option", "options", "date", "date_time")
    }
    return {"type": element.get("type"), **{renamed[key]: element[key] for key in renamed if key in element}}


def unshown(field: Field) -> str:
    """Say why a field's input doesn't begin with all that was given for it; empty where it does."""
    if not field.given or is_secret(field):
        return ""
    shown, given = value(begun(made := element(field))), field.value
    if isinstance(shown, list) and isinstance(given, list):
        whole = len(shown) == len({*map(str, given)})
    else:
        whole = shown is not None
    return "" if whole else field.fault or field.misfit or _no_room(field, str(made["type"]))


def _no_room(field: Field, kind: str) -> str:
    """Say why an input of this kind doesn't take a value that fits."""
    label = field.parameter.label
    if kind.endswith("select"):
        return f"“{label}” has not all of that among the choices shown."
    if kind == "datetimepicker":
        return f"“{label}” can't begin with {field.value}: Slack's form takes no such moment."
    return f"“{label}” is longer than the {LONGEST_INPUT:,} characters that a form in Slack takes."


def option(choice: Choice) -> Json:
    """Return a choice as an option of a select."""
    return {"text": plain(choice.label, 75), "value": choice.value}


def external(field: Field) -> bool:
    """Whether a field's choices are asked for while somebody types."""
    return bool(field.parameter.choices_from) or len(_distinct(field.choices)) > MOST


def matching(choices: Sequence[Choice], typed: str) -> list[Json]:
    """Return the choices that hold every word typed as options, at most 100; those that begin with it first."""
    wanted = typed.lower().split()
    found = [
        one for one in _distinct(choices) if all(word in f"{one.label} {one.value}".lower() for word in wanted)
    ]
    found.sort(key=lambda one: not one.label.lower().startswith(typed.lower()))
    return [option(one) for one in found[:MOST]]


def _selectable(choices: Sequence[Choice]) -> bool:
    return all(0 < len(one.value) <= LONGEST_VALUE for one in choices)


def _distinct(choices: Sequence[Choice]) -> list[Choice]:
    return list({one.value: one for one in choices}.values())


def _select(field: Field) -> Json:
    many = field.parameter.kind is Kind.LIST
    options = [option(one) for one in _distinct(field.choices)]
    wanted = field.value if many and isinstance(field.value, list) else [field.value]
    chosen = [one for one in options if one["value"] in wanted][:MOST]
    kind = f"{'multi_' * many}{'external' if external(field) else 'static'}_select"
    made: Json = {"type": kind, "placeholder": plain("Choose", 150)}
    made |= {"min_query_length": 0} if external(field) else {"options": options}
    if chosen:
        made |= {"initial_options": chosen} if many else {"initial_option": chosen[0]}
    return made


def _text(field: Field) -> Json:
    parameter = field.parameter
    lines = parameter.kind in (Kind.TEXT, Kind.LIST)
    given = field.value
    shown = "\n".join(str(item) for item in given) if isinstance(given, list) else str(given or "")
    made: Json = {"type": "plain_text_input", "multiline": lines, "max_length": LONGEST_INPUT}
    if parameter.kind is not Kind.LIST:
        made["max_length"] = max(1, min(parameter.max_length or LONGEST_INPUT, LONGEST_INPUT))
        if parameter.min_length and parameter.min_length <= made["max_length"]:
            made["min_length"] = parameter.min_length
    if shown and len(shown) <= LONGEST_INPUT and not fault_in(shown, lines=lines):
        made |= {"initial_value": shown, "max_length": max(made["max_length"], len(shown))}
    return made


def _number(field: Field) -> Json:
    parameter = field.parameter
    made: Json = {"type": "number_input", "is_decimal_allowed": parameter.kind is Kind.NUMBER}
    bounds = {"min_value": parameter.minimum, "max_value": parameter.maximum}
    made |= {name: format(bound, "f") for name, bound in bounds.items() if bound is not None}
    fits = _bound(field)
    return made if fits is None else {**made, "initial_value": str(fits)}


def _boolean(field: Field) -> Json:
    parameter = field.parameter
    options = [{"text": plain(word.capitalize(), 75), "value": word} for word in (YES, NO)]
    if not parameter.required and parameter.default is None:
        options.append({"text": plain("Leave it to the script", 75), "value": UNSAID})
    fits = _bound(field)
    first = [] if fits is None else [options[0 if fits else 1]]
    first = first or options[2:]
    return {"type": "radio_buttons", "options": options, **({"initial_option": first[0]} if first else {})}


def _date(field: Field) -> Json:
    fits = _bound(field)
    return {"type": "datepicker", **({"initial_date": fits} if fits else {})}


def _moment(field: Field) -> Json:
    fits = _bound(field)
    seconds = int(datetime.fromisoformat(str(fits)).timestamp()) if fits else 0
    return {"type": "datetimepicker", **({"initial_date_time": seconds} if len(str(seconds)) == 10 else {})}


def _bound(field: Field) -> object:
    """Return a field's value in its canonical form, None where it has none or one that doesn't fit."""
    try:
        return None if field.value is None else bind_one(field.parameter, field.value)
    except ValueError:
        return None


def _text_or_none(given: object) -> str | None:
    if given is None or isinstance(given, str):
        return given
    raise TypeError(given)


def _nothing(state: Mapping[str, Any]) -> object:
    return None


def _option_value(state: Mapping[str, Any]) -> object:
    chosen = _text_or_none((state.get("selected_option") or {}).get("value"))
    return None if chosen == UNSAID and state.get("type") == "radio_buttons" else chosen


def _option_values(state: Mapping[str, Any]) -> object:
    return [_text_or_none(one.get("value")) for one in state.get("selected_options") or []]


def _picked_moment(state: Mapping[str, Any]) -> object:
    seconds = state.get("selected_date_time")
    return datetime.fromtimestamp(seconds, UTC).isoformat() if isinstance(seconds, int) and seconds else None


_ELEMENTS: Mapping[Kind, Element] = {
    Kind.INTEGER: _number,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.DATETIME: _moment,
}
_READERS: Mapping[str, Reader] = {
    "plain_text_input": lambda state: _text_or_none(state.get("value")),
    "number_input": lambda state: _text_or_none(state.get("value")),
    "datepicker": lambda state: _text_or_none(state.get("selected_date")),
    "datetimepicker": _picked_moment,
    "radio_buttons": _option_value,
    "static_select": _option_value,
    "external_select": _option_value,
    "multi_static_select": _option_values,
    "multi_external_select": _option_values,
}
