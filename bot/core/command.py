"""Reading what people type after `/deputy` into a command.

Blanks are between its parts. A part that begins with a quote ends with the closing one, and behind that stands a
blank; in between a backslash makes a quote a letter, and so does a letter behind it: `O'Brien`. So what has blanks
in it is quoted as a whole. A plain word right behind a plain `name=value` may go on with the value: of
`alice reason=she's fine` nobody knows whether “fine” is about alice or the reason. `Command.loose` tells of those.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.errors import Invalid
from bot.core.text import shorten, visible

LONGEST = 8_000
BREAK_GLASS = "break-glass"
LINKING_VERBS = frozenset({"link", "unlink"})
VERBS = LINKING_VERBS | {
    *("help", "mine", "status", "compare", "cancel", "rerun", "approvals", "approve", "deny", "audit", "whoami"),
    *(BREAK_GLASS, "review", "away", "back", "favourite", "unfavourite"),
}

_PREFIX = re.compile(r"\s*[/@]deputy(?![\w-])[\s,:]*", re.IGNORECASE)
# What closes a quotation, by what opens it: “English”, „German“ or Polish”, «French» or »Danish«.
_QUOTES = {
    '"': '"',
    "“": "”",
    "„": "“”",
    "«": "»",
    "»": "«",
    "'": "'",
    "‘": "’",
    "‚": "‘’",
    "‹": "›",
    "›": "‹",
}
_NAMED = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)(\s*)=(\s*)")


@dataclass(frozen=True)
class Command:
    """A command: its verb or action's id, plain words, and `name=value` pairs; and the text that was typed.

    `loose` are the names whose values may go on in the plain word behind each, with that word.
    """

    name: str
    words: Sequence[str] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    text: str = field(default="", compare=False)
    loose: Sequence[tuple[str, str]] = field(default=(), compare=False)

    def check(self, wordy: Collection[str] | None = None) -> None:
        """Raise Invalid where a value may go on in the next word: any value, or that of a `wordy` name."""
        for name, word in self.loose:
            if wordy is None or name in wordy:
                raise Invalid(_going_on(name, word))

    def knowing(self, names: Collection[str]) -> "Command":
        """Return it as it is read where the names of parameters are known. Raises Invalid."""
        return parse(self.text, names)


def addressed(text: str) -> str | None:
    """Return what follows `/deputy` or `@deputy`, or None where the text isn't for Deputy."""
    match = _PREFIX.match(text)
    return text[match.end() :] if match else None


def parse(text: str, names: Collection[str] = ()) -> Command:
    """Read `unlock-account alice reason="called in"`; where `names` of parameters are known also `reason = …`.

    Raises Invalid for an open quote, a name given twice, and what could be meant in two ways.
    """
    if len(text) > LONGEST:
        raise Invalid(f"That command is {len(text):,} characters long; {LONGEST:,} is the most.")
    parts, loose = _split(text, names)
    if not parts:
        return Command("", text=text)
    (_, name), *rest = parts
    named: dict[str, str] = {}
    for key, value in rest:
        if key in named:
            raise Invalid(f"“{key}” is given twice.")
        if key:
            named[key] = value
    return Command(name.lower(), tuple(value for key, value in rest if not key), named, text, loose)


def _split(text: str, names: Collection[str]) -> tuple[list[tuple[str, str]], tuple[tuple[str, str], ...]]:
    """Split at blanks outside quotes into (name or '', value) pairs, the first unnamed; and what is loose."""
    parts: list[tuple[str, str]] = []
    found: list[tuple[str, str]] = []
    position, loose = 0, False  # whether the part before is a value that a plain word could go on with
    while (position := _blanks(text, position)) < len(text):
        name, position = _name(text, position, names) if parts else ("", position)
        plain = text[position : position + 1] not in _QUOTES
        value, position = _value(text, position)
        if loose and plain and not name:
            found.append((parts[-1][0], value))
        parts.append((name, value))
        loose = bool(name and value and plain)
    return parts, tuple(found)


def _going_on(name: str, word: str) -> str:
    """Say that nobody knows whether a word goes on with a value."""
    return (
        f"It isn't clear whether “{visible(shorten(word, 30))}” belongs to {name}. "
        f'If it does, put quotes around all of it: {name}="…". If not, put it first.'
    )


def _blanks(text: str, position: int) -> int:
    """Return where the blanks from `position` on end."""
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _name(text: str, position: int, names: Collection[str]) -> tuple[str, int]:
    """Return the name of the value from `position` on, empty where it has none, and where the value begins."""
    match = _NAMED.match(text, position)
    if match is None or (match[2] and not names):
        return "", position
    name = match[1].replace("-", "_")
    if name not in names and match[2]:
        raise Invalid(f"“{name}” is not a parameter of this action. If these are plain words, put them in quotes.")
    following = _NAMED.match(text, match.end())
    blank = name not in names or (following and following[1].replace("-", "_") in names)
    return name, match.start(3) if blank else match.end()


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
        if text[at] == "\\" and text[at + 1 : at + 2] and text[at + 1] in closing:
            out.append(text[at + 1])
            at += 2
        elif text[at] in closing and not text[at + 1 : at + 2].isalnum():
            _check_apart(text, position, at + 1)
            return "".join(out), at + 1
        else:
            out.append(text[at])
            at += 1
    raise Invalid(f"A quote is opened but not closed: {text[position : position + 30]}")


def _check_apart(text: str, position: int, end: int) -> None:
    """Raise Invalid where something is right behind a closing quote: is it of the value, or of what follows?"""
    behind = text[end : end + 1]
    if behind.strip():
        quoted = visible(shorten(text[position:end], 40))
        raise Invalid(
            f"Behind {quoted} stands “{visible(behind)}”. Leave a blank there, or put all of it into the quotes."
        )
