"""What a script prints, made fit to be shown: capped, decoded, without control characters, redacted.

Nothing here reads or writes: bytes come in as they come, clean text goes out. Only what may still become
a secret is held back; escape sequences are not kept, however long they are.
"""

import codecs
import re
from collections.abc import Mapping
from enum import Enum, auto

from bot.core.redact import Redactor
from bot.core.text import shorten


class Pipeline:
    """The way of a script's output. `cap` counts bytes; what comes after is dropped and said to be."""

    def __init__(self, redactor: Redactor, cap: int = 1_000_000) -> None:
        self.truncated = False
        self._redactor = redactor
        self._cap = cap
        self._room = cap
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._cleaner = Cleaner()
        self._shown: list[str] = []

    def feed(self, data: bytes) -> str:
        """Take the next bytes and return the clean text that is ready to be shown."""
        taken = data[: self._room]
        self._room -= len(taken)
        self.truncated = self.truncated or len(taken) < len(data)
        return self._show(self._redactor.feed(self._cleaner.feed(self._decoder.decode(taken))))

    def close(self) -> str:
        """End the stream; return the rest, with a line that says so where something was cut off."""
        rest = self._redactor.feed(self._cleaner.feed(self._decoder.decode(b"", final=True)))
        if not self.truncated:
            return self._show(rest + self._redactor.flush())
        # What the redactor still holds may be the first half of a secret that was cut: it is not shown.
        return self._show(f"{rest}\n[output cut after {self._cap:,} bytes]\n")

    @property
    def text(self) -> str:
        """Everything that was returned so far."""
        return "".join(self._shown)

    def _show(self, text: str) -> str:
        self._shown.append(text)
        return text


def tail(text: str, lines: int = 12, width: int = 200) -> str:
    """Return the last `lines` lines of `text`, each cut to `width` characters."""
    last = text.rstrip("\n").rsplit("\n", lines)[-lines:]
    return "\n".join(shorten(line, width) for line in last)


class State(Enum):
    """Where in an escape sequence (ECMA-48) a stream is."""

    TEXT = auto()
    ESCAPE = auto()
    CONTROL = auto()
    STRING = auto()


# What ends a state. A line feed ends a STRING too, so that an open one can't swallow all that follows.
_ENDS: Mapping[State, re.Pattern[str]] = {
    State.TEXT: re.compile("[\x1b\x90\x98\x9b\x9d-\x9f]"),
    State.ESCAPE: re.compile("[^ -/]"),
    State.CONTROL: re.compile("[^ -?]"),
    State.STRING: re.compile("[\x07\x18\x1a\x1b\x9c\n]"),
}
_OPENERS: Mapping[str, State] = {
    "\x1b": State.ESCAPE,
    "\x9b": State.CONTROL,
    **dict.fromkeys("\x90\x98\x9d\x9e\x9f", State.STRING),
}
_ESCAPED: Mapping[str, State] = {"[": State.CONTROL, **dict.fromkeys("]PX^_", State.STRING)}
_LASTS: Mapping[State, re.Pattern[str]] = {
    State.ESCAPE: re.compile("[0-~]"),
    State.CONTROL: re.compile("[@-~]"),
    State.STRING: re.compile("[^\n]"),
}

# C0 but tab and line ends, DEL, C1; what reorders a line (Unicode UAX #9) or shows nothing, which could tell
# machines what no reader sees (Default_Ignorable_Code_Point in Unicode's DerivedCoreProperties.txt, U+FFF9..B).
_DROPPED = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# Joiners and the choice of an emoji's look: they belong to what stands before them, never to ASCII.
_LOOSE_JOINERS = re.compile("(?<![^\0-\x7f])[\u200c\u200d\ufe0e\ufe0f]+")
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")


class Cleaner:
    """Takes escape sequences, control and invisible characters out of a stream; line ends become line feeds."""

    def __init__(self) -> None:
        self._state = State.TEXT
        self._joins = False  # what was seen last is no ASCII
        self._after_return = False

    def feed(self, text: str) -> str:
        """Return what is to be seen of the next part of a stream."""
        text = text.replace("\0", "")  # so that UTF-16 reads as the plain text it holds
        seen: list[str] = []
        position = 0
        while position < len(text):
            end = _ENDS[self._state].search(text, position)
            if self._state is State.TEXT:
                seen.append(text[position : end.start() if end else len(text)])
            if not end:
                break
            position = end.start() + self._step(end[0])
        return self._lines(self._joined(_DROPPED.sub("", "".join(seen))))

    def _step(self, char: str) -> int:
        """Go on to the next state; return 1 where `char` belongs to the sequence, 0 where it is text again."""
        before, self._state = self._state, _OPENERS.get(char, State.TEXT)
        if self._state is not State.TEXT:
            return 1
        if before is State.ESCAPE:
            self._state = _ESCAPED.get(char, State.TEXT)
        return 1 if _LASTS[before].match(char) else 0

    def _joined(self, text: str) -> str:
        """Take out joiners that join nothing; what stands before the first may have come earlier."""
        if not text:
            return ""
        before = "é" if self._joins else "e"
        kept = text if text.isascii() else _LOOSE_JOINERS.sub("", before + text)[1:]
        self._joins = not kept[-1].isascii() if kept else self._joins
        return kept

    def _lines(self, text: str) -> str:
        if not text:
            return ""
        start = 1 if self._after_return and text[0] == "\n" else 0
        self._after_return = text[-1] == "\r"
        return _LINE_ENDS.sub("\n", text[start:])
