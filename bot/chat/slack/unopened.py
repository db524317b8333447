"""A form that could not open: a message says what is wrong, and its button opens the form as it was filled."""

import json
from typing import Any

from bot.chat.slack import inputs
from bot.chat.slack.render import Json, Look, button, message
from bot.core.card import Card, Fact, Tone
from bot.core.errors import Invalid
from bot.core.form import Form

LONGEST = 2_000  # characters of a button's value (Slack's limit)
_BROKEN = "That button is not one of Deputy's. Type /deputy to begin anew."


def content(form: Form) -> Json:
    """Return the message: its blocks end with a button that comes back to `read`."""
    faults = tuple(Fact(field.parameter.label, field.fault) for field in form.applying if field.fault)
    wrong = "This is missing or wrong" if faults else "Something is still to be filled in"
    lead = f"Nothing was done yet. {wrong}: open the form, which keeps what you gave. {form.note}".strip()
    said = message(Card(form.title, Tone.WAITING, lead=lead, facts=faults))
    opens = button("Open the form", Look.FORM, _value(form), 0, "primary")
    return {**said, "blocks": [*said["blocks"], {"type": "actions", "elements": [opens]}]}


def read(value: str) -> tuple[str, dict[str, Any]]:
    """Return the action and the values that a button of `content` has kept. Raises Invalid."""
    try:
        action, values = json.loads(value)
        return str(action), dict(values)
    except (TypeError, ValueError):
        raise Invalid(_BROKEN) from None


def _value(form: Form) -> str:
    """Return what a button keeps of a form, as far as there is room for it; no secret is ever in a form."""
    values: dict[str, object] = {}
    kept = json.dumps([form.action, values], ensure_ascii=False)
    for field in form.fields:
        if inputs.is_secret(field) or field.value in (None, field.parameter.default):
            continue
        more = {**values, field.parameter.name: field.value}
        written = json.dumps([form.action, more], ensure_ascii=False)
        if len(written) <= LONGEST:
            values, kept = more, written
    return kept
