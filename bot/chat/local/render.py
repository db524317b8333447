"""The local channel's JSON: messages, events and replies as data.

Texts travel as they are. The page shows them by `textContent` alone, so nothing in them is ever markup.
"""

from datetime import UTC, datetime

from bot.core import card as cards
from bot.core import form as forms
from bot.core.canonical import Json
from bot.ports import Message
from bot.service.door import Suggestion
from bot.service.reply import Reply


def visible(message: Message, viewer: str) -> bool:
    """Say whether `viewer` (`tenant/oid`, or empty for an account linked to nobody) may see a message."""
    return not message.only or message.only.lower() == viewer


def message(message: Message) -> dict[str, Json]:
    """Return a message for somebody who may see it; `at` is ISO 8601 in UTC, `author` an account's name."""
    return {
        "id": message.id,
        "key": message.key,
        "version": message.version,
        "at": moment(message.at),
        "private": bool(message.only),
        "author": message.author,
        "text": message.text,
        "card": cards.to_json(message.card) if message.card else None,
    }


def reply(reply: Reply) -> dict[str, Json]:
    """Return what the door answered: at most one of `card` and `form`, and the id of the `run`."""
    return {
        "card": cards.to_json(reply.card) if reply.card else None,
        "form": forms.to_json(reply.form) if reply.form else None,
        "run": reply.run,
    }


def suggestion(head: str, suggestion: Suggestion) -> dict[str, Json]:
    """Return a suggestion; `text` is all that the box would hold, with the `head` that addresses Deputy."""
    return {"text": head + suggestion.text, "label": suggestion.label, "detail": suggestion.detail}


def moment(at: datetime) -> str:
    """Return a time with its zone as the page reads it: `2026-11-23T14:30:00+00:00`."""
    return at.astimezone(UTC).isoformat()
