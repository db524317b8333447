"""Reading what people type after `/deputy` into a command."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.errors import Invalid

LONGEST = 8_000
BREAK_GLASS = "break-glass"
LINKING_VERBS = frozenset({"link", "unlink"})
VERBS = LINKING_VERBS | {
    *("help", "mine", "status", "compare", "cancel", "rerun", "approvals", "approve", "deny", "audit", "whoami"),
    *(BREAK_GLASS, "review", "away", "back", "favourite", "unfavourite"),
}

_PREFIX = re.compile(r"\s*[/@]deputy(?![\w-])[\s,:]*", re.IGNORECASE)
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’"}
_NAMED = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)=")


@dataclass(frozen=True)
class Command:
    """A command: its verb or action's id, plain words, and `name=value` pairs."""

    name: str
    words: Sequence[str] = ()
    named: Mapping[str, str] = field(default_factory=dict)


def addressed(text: str) -> str | None:
    """Return what follows `/deputy` or `@deputy`, or None where the text isn't for Deputy."""
    match = _PREFIX.match(text)
    return text[match.end() :] if match else None


def parse(text: str) -> Command:
    """Read `unlock-account alice reason="called in"`. Raises Invalid for an open quote or a name given twice."""
    if len(text) > LONGEST:
        raise Invalid(f"That command is {len(text):,} characters long; {LONGEST:,} is the most.")
    parts = _split(text)
    if not parts:
        return Command("")
    (_, name), *rest = parts
    named: dict[str, str] = {}
    for key, value in rest:
        if key in named:
            raise Invalid(f"“{key}” is given twice.")
        if key:
            named[key] = value
    return Command(name.lower(), tuple(value for key, value in rest if not key), named)


def _split(text: str) -> list[tuple[str, str]]:
    """Split at blanks outside quotes into (name or '', value) pairs; the first has no name."""
    parts: list[tuple[str, str]] = []
    position = 0
    while True:
        while position < len(text) and text[position].isspace():
            position += 1
        if position == len(text):
            return parts
        match = _NAMED.match(text, position) if parts else None
        if match:
            position = match.end()
        value, position = _value(text, position)
        parts.append((match[1].replace("-", "_") if match else "", value))


def _value(text: str, position: int) -> tuple[str, int]:
    """Read one value from `position`: quoted with backslash escapes of quotes, or up to the next blank."""
    closing = _QUOTES.get(text[position : position + 1])
    if closing is None:
        end = position
        while end < len(text) and not text[end].isspace():
            end += 1
        return text[position:end], end
    out: list[str] = []
    at = position + 1
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 2] == closing:
            out.append(text[at + 1])
            at += 2
        elif text[at] == closing:
            return "".join(out), at + 1
        else:
            out.append(text[at])
            at += 1
    raise Invalid(f"A quote is opened but not closed: {text[position : position + 30]}")
