"""The words of a message that somebody points at: a person's as they wrote them, an alert's from all its parts."""

from collections.abc import Iterator, Mapping
from typing import Any

# In this order an attachment or a block is read; what is pressed (`actions`) says nothing of the matter.
_WORDED = ("pretext", "title", "text", "fields", "value", "elements", "blocks", "rows")


def words(message: Mapping[str, Any]) -> str:
    """Return a message's words, each part once: monitoring says in attachments and blocks what happened.

    What a person wrote is its text alone; Slack repeats that in a block.
    """
    text, parts = message.get("text"), [message.get("attachments")]
    if not text or message.get("bot_id"):
        parts = [message.get("blocks"), *parts]
    said = list(dict.fromkeys(part for one in (text, *parts) for part in _said(one)))
    return "\n".join(said or _fallbacks(message.get("attachments")))


def _said(part: object) -> Iterator[str]:
    if isinstance(part, str) and part.strip():
        yield part.strip()
    elif isinstance(part, list):
        for one in part:
            yield from _said(one)
    elif isinstance(part, dict) and part.get("type") != "actions":
        for name in _WORDED:
            yield from _said(part.get(name))


def _fallbacks(attachments: object) -> Iterator[str]:
    for one in attachments if isinstance(attachments, list) else ():
        yield from _said(one.get("fallback") if isinstance(one, dict) else None)
