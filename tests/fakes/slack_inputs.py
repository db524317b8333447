"""Inputs as Slack's own client has them: what is entered becomes state; what it would never send is refused."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.fakes.slack_limits import elements
from tests.fakes.slack_workspace import View

Json = Mapping[str, Any]


class Impossible(Exception):
    """Nobody could do this in Slack."""


def find(blocks: Sequence[Json], wanted: str, block_id: str = "") -> tuple[Json, Json]:
    """Return block and element by the action's id, the block's, or the words on it. Raises Impossible."""
    held = list(elements(blocks))
    for block, element in held:
        named = (element["action_id"], block["block_id"], *_words(block, element))
        if wanted in named and block_id in ("", block["block_id"]):
            return block, element
    there = ", ".join(f"{element['action_id']} ({'/'.join(_words(block, element))})" for block, element in held)
    raise Impossible(f"There is no {wanted}; there is {there or 'nothing to press'}.")


def _words(block: Json, element: Json) -> list[str]:
    said = [element.get("text"), block.get("label") if block["type"] == "input" else None]
    return [one["text"] for one in said if one]


def initial(element: Json) -> dict[str, Any] | None:
    """Return the state an element begins with."""
    for name in ("option", "options", "date", "time", "date_time", "value"):
        if f"initial_{name}" in element:
            key = "value" if name == "value" else f"selected_{name}"
            return {"type": element["type"], key: element[f"initial_{name}"]}
    for name in ("user", "conversation", "channel"):
        if f"initial_{name}" in element:
            return {"type": element["type"], f"selected_{name}": element[f"initial_{name}"]}
    return None


def state(element: Json, value: Any, offered: Sequence[Json]) -> dict[str, Any]:
    """Return an element's state once `value` is entered; options are named by value or text."""
    kind = element["type"]
    if kind in ("datepicker", "timepicker", "datetimepicker"):
        return {
            "type": kind,
            {"datepicker": "selected_date", "timepicker": "selected_time"}.get(kind, "selected_date_time"): value,
        }
    if kind in ("users_select", "conversations_select", "channels_select"):
        return {"type": kind, f"selected_{kind.removesuffix('s_select')}": value}
    if kind in ("checkboxes", "multi_static_select", "multi_external_select"):
        return {"type": kind, "selected_options": [_option(element, one, offered) for one in value]}
    if kind in ("static_select", "external_select", "radio_buttons", "overflow"):
        return {"type": kind, "selected_option": None if value is None else _option(element, value, offered)}
    return {"type": kind, "value": None if value in (None, "") else str(value)}


def _option(element: Json, wanted: Any, offered: Sequence[Json]) -> Json:
    groups = element.get("option_groups") or []
    known: list[Json] = [
        *(element.get("options") or []),
        *(one for group in groups for one in group["options"]),
        *offered,
    ]
    known += [element["initial_option"]] if "initial_option" in element else []
    known += element.get("initial_options") or []
    for option in known:
        if wanted in (option["value"], option["text"]["text"]):
            return option
    raise Impossible(f"{element['action_id']} offers no {wanted!r}, but {[one['value'] for one in known][:20]}.")


def missing(view: View) -> Iterator[str]:
    """Yield what Slack's client would say at its own fields before it sends a form."""
    for block in view.spec["blocks"]:
        if block["type"] != "input":
            continue
        element, key = block["element"], (block["block_id"], block["element"]["action_id"])
        entered = view.entered.get(key) or initial(element) or {}
        given = next((one for name, one in entered.items() if name != "type"), None)
        label = block["label"]["text"]
        if given in (None, [], ""):
            if not block.get("optional"):
                yield f"{label}: please complete this required field"
        elif isinstance(given, str):
            yield from (f"{label}: {fault}" for fault in _faults(element, given))


def _faults(element: Json, given: str) -> Iterator[str]:
    if element["type"] == "plain_text_input":
        if not element.get("min_length", 0) <= len(given) <= element.get("max_length", 3000):
            yield "too short or too long"
    elif element["type"] == "number_input":
        try:
            number = float(given)
        except ValueError:
            yield "not a number"
            return
        if not element["is_decimal_allowed"] and "." in given:
            yield "no decimals"
        if not float(element.get("min_value", "-inf")) <= number <= float(element.get("max_value", "inf")):
            yield "out of range"
    elif element["type"] == "email_text_input" and "@" not in given:
        yield "not an e-mail address"
    elif element["type"] == "url_text_input" and "://" not in given:
        yield "not a URL"


def all_states(view: View) -> None:
    """Fill `entered` with the state of every element that has one, as Slack sends it."""
    for block, element in elements(view.spec["blocks"]):
        if element["type"] not in ("button", "overflow"):
            key = (block["block_id"], element["action_id"])
            view.entered.setdefault(key, initial(element) or _blank(element))


def _blank(element: Json) -> dict[str, Any]:
    many = element["type"] == "checkboxes" or element["type"].startswith("multi_")
    return state(element, [] if many else None, [])
