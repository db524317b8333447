"""The words of a message that somebody points at: a person's as they wrote them, an alert's from all its parts."""

from collections.abc import Iterator, Mapping
from typing import Any

# In this order an attachment or a block is read; what is pressed (`actions`) says nothing of the matter.
_WORDED = ("pretext", "title", "text", "fields", "value", "elements", "blocks", "rows")
_LINES = ("rich_text_section", "rich_text_preformatted", "rich_text_quote")  # of pieces of text


def words(message: Mapping[str, Any]) -> str:
    """Return a message's words: monitoring says in attachments and blocks what happened.

    What a person wrote is its text alone, which Slack repeats in a block; an app's text is not shown beside its
    blocks. What Slack adds from behind a link is nobody's word.
    """
    text, blocks, attachments = message.get("text"), message.get("blocks"), message.get("attachments")
    own = blocks if blocks and (message.get("bot_id") or not text) else text
    added = [one for one in attachments if not _unfurled(one)] if isinstance(attachments, list) else []
    return "\n".join([*_said(own), *_said(added)] or [*_fallbacks(added)])


def _unfurled(attachment: object) -> bool:
    return isinstance(attachment, dict) and bool(attachment.get("from_url") or attachment.get("original_url"))


def _said(part: object) -> Iterator[str]:
    if isinstance(part, str) and part.strip():
        yield part.strip()
    elif isinstance(part, list):
        for one in part:
            yield from _said(one)
    elif isinstance(part, dict) and part.get("type") in _LINES:
        yield from _said("".join(_pieces(part.get("elements"))))
    elif isinstance(part, dict) and {"title", "value"} <= part.keys():  # a field of an attachment
        yield f"{part['title']}: {part['value']}"
    elif isinstance(part, dict) and part.get("type") != "actions":
        for name in _WORDED:
            yield from _said(part.get(name))


def _pieces(elements: object) -> Iterator[str]:
    """Yield the pieces of a line: its texts, and a link's address where it has no text of its own."""
    for one in elements if isinstance(elements, list) else ():
        piece = (one.get("text") or one.get("url")) if isinstance(one, dict) else None
        yield piece if isinstance(piece, str) else ""


def _fallbacks(attachments: list[Any]) -> Iterator[str]:
    for one in attachments:
        yield from _said(one.get("fallback") if isinstance(one, dict) else None)
