"""A form that could not open: a message says what is wrong, and its button opens the form as it was filled."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.chat.slack import inputs
from bot.chat.slack.render import Json, Look, button, message
from bot.core.card import Card, Fact, Tone
from bot.core.errors import Invalid
from bot.core.form import Form
from bot.core.wording import listed

LONGEST = 2_000  # characters of a button's value (Slack's limit)
_BROKEN = "That button is not one of Deputy's. Type /deputy to begin anew."


def content(form: Form) -> Json:
    """Return the message: its blocks end with a button that comes back to `read`."""
    faults = tuple(Fact(field.parameter.label, field.fault) for field in form.applying if field.fault)
    wrong = "This is missing or wrong" if faults else "Something is still to be filled in"
    kept = _kept(form)
    lost = _labels(form, kept)
    but = f", all but what is too long to keep: {lost}. Give that again there" if lost else ""
    lead = f"Nothing was done yet. {wrong}: open the form, which keeps what you gave{but}. {form.note}".strip()
    said = message(Card(form.title, Tone.WAITING, lead=lead, facts=faults))
    opens = button("Open the form", Look.FORM, _written(form, kept), 0, "primary")
    return {**said, "blocks": [*said["blocks"], {"type": "actions", "elements": [opens]}]}


def read(value: str) -> tuple[str, dict[str, Any]]:
    """Return the action and the values that a button of `content` has kept. Raises Invalid."""
    try:
        action, values = json.loads(value)
        return str(action), dict(values)
    except (TypeError, ValueError):
        raise Invalid(_BROKEN) from None


def filled(form: Form, values: Mapping[str, Any]) -> Form:
    """Return the form with what a button has kept; its note names what there was no room for."""
    lost = _labels(form, values)
    again = f"Too long to keep until this form opened: {lost}. Give that again." if lost else ""
    return replace(form.holding(values), note=f"{again} {form.note}".strip())


def _kept(form: Form) -> dict[str, Any]:
    """Return what was given, None for what a button has no room for; no secret is ever in a form."""
    given = [field for field in form.fields if field.given and not inputs.is_secret(field)]
    kept: dict[str, Any] = {}
    for name, value in [
        *((field.parameter.name, None) for field in given),
        *((field.parameter.name, field.value) for field in given),
    ]:
        if len(_written(form, more := {**kept, name: value})) <= LONGEST:
            kept = more
    return kept


def _written(form: Form, kept: Mapping[str, Any]) -> str:
    return json.dumps([form.action, kept], ensure_ascii=False)


def _labels(form: Form, kept: Mapping[str, Any]) -> str:
    """Return what people call that for which there was no room."""
    named = [field.parameter for field in form.fields]
    return listed([f"“{one.label}”" for one in named if kept.get(one.name, "") is None])
