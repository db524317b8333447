"""Text for Slack: what people and scripts wrote comes out letter by letter, whatever it looks like (attack O1).

Blocks carry such text in `rich_text` and `plain_text` alone, where nothing is markup, so neither a mention, a link
nor the end of a code fence can be in it. The notification's text is mrkdwn, and passes `escaped`.
"""

import json
from typing import Any

from bot.core.canonical import sha256_bytes
from bot.core.text import shorten, visible

_NAMES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def escaped(text: str) -> str:
    """Return text for a field that is mrkdwn: Slack's three control characters are named, as Slack demands."""
    return visible(text, lines=True).translate(_NAMES)


def plain(text: str, limit: int) -> dict[str, Any]:
    """Return a `plain_text` object of at most `limit` characters in one line; Slack takes no empty one."""
    line = visible(" ".join(text.split())).strip() or "–"
    return {"type": "plain_text", "text": shorten(line, limit), "emoji": False}


def size(value: object) -> int:
    """Return how many bytes a value has as JSON, which is what Slack counts."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))


def fit(text: str, room: int, tail: bool = False) -> str:
    """Return as much of `text` from its start (its end where `tail`) as fits into `room` bytes of JSON."""
    near = max(room, 0)  # no character takes less than a byte
    text = (text[-near:] if tail else text[:near]) if near else ""
    if size(text) - 2 <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        part = text[-middle:] if tail else text[:middle]
        low, high = (middle, high) if size(part) - 2 <= room else (low, middle - 1)
    return (text[-low:] if low else "") if tail else text[:low]


def cut(text: str, room: int) -> str:
    """Return `text`, made visible, where that fits into `room` bytes of JSON, else its start and what proves it.

    What proves the rest is its length and its hash (attack O3). `room` is at least 100.
    """
    shown = visible(text[: room + 1], lines=True)
    if len(text) <= room and size(shown) - 2 <= room:
        return shown
    note = f"… ({len(text):,} characters in all, SHA-256 {sha256_bytes(text.encode(errors='replace'))[:12]})"
    return fit(shown, room - size(note) + 2) + note
