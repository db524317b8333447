"""Text from outside: what is let in, and how the rest is shown.

Characters that are invisible, that reorder a line, or that imitate another script's letters
are never shown as themselves on a card an approver reads (attack X3); nor, in an argument, are letters
that would move what stands beside them.
"""

import re
import unicodedata

from bot.core.errors import Invalid

LONGEST_WORDS = 1_000

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that show nothing: Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties.txt)
# as far as no category above has them, and the blank of Braille.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_TURNS = frozenset({"R", "AL", "AN"})  # bidirectional classes (Unicode UAX #9) written from right to left
_ORDERED = re.compile(r"[/\\@=:;|_&<>+*#$%~^{}\[\]-]")  # symbols whose place in an argument means something
_WORD = re.compile(r"[^\s⟨⟩]+")
_LINES = {ord(char): None for char in "\n\t"}


def decoded(content: bytes, file: str) -> str:
    """Return the text of a file. Raises Invalid, with the line, for what is no UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Invalid(f"It is not UTF-8 (byte {error.start}).", f"{file}:{line}") from None


def fault_in(text: str, *, lines: bool) -> str | None:
    """Say what makes `text` unfit as an argument, or None. `lines` allows line feeds and tabs."""
    for char in text:
        if unicodedata.category(char) == "Cs":
            return "holds half of a character (a lone surrogate)"
        if unicodedata.category(char) == "Cc" and not (lines and char in "\n\t"):
            return f"holds the control character {escape(char)}"
        if char in "\u2028\u2029":
            return f"holds the line separator {escape(char)}"
    return None


def checked_words(text: str, what: str) -> str:
    """Return a person's words (a reason, a comment) as they may be kept. Raises Invalid naming `what`."""
    fault = fault_in(text, lines=True)
    if fault:
        raise Invalid(f"It {fault}.", what)
    if len(text) > LONGEST_WORDS:
        raise Invalid(f"It has {len(text):,} characters; {LONGEST_WORDS:,} is the most.", what)
    return text.strip()


def escape(char: str) -> str:
    """Show one character by its code point: `⟨U+202E⟩`."""
    return f"⟨U+{ord(char):04X}⟩"


def visible(text: str, *, lines: bool = False) -> str:
    """Return `text` with everything a reader could not see, or could mistake, shown as its code point."""
    if text.isascii() and (text.translate(_LINES) if lines else text).isprintable():
        return text
    text = _WORD.sub(_unmix, text)
    return text.translate({ord(char): escape(char) for char in set(text) if not _plain(char, lines)})


def in_order(text: str) -> str:
    """Return `text` as it is read from left to right: nothing in it may be displayed in another place.

    Letters written from right to left take digits and symbols beside them along, without any control character.
    They are shown by their code points where there is anything but words of theirs.
    """
    if text.isascii() or not any(map(_turns, text)):
        return text
    if not (_ORDERED.search(text) or any(unicodedata.bidirectional(char) in ("L", "EN") for char in text)):
        return text
    return "".join(escape(char) if _turns(char) else char for char in text)


def _turns(char: str) -> bool:
    return unicodedata.bidirectional(char) in _TURNS


def _plain(char: str, lines: bool) -> bool:
    if lines and char in "\n\t":
        return True
    category = unicodedata.category(char)
    return category not in _HIDDEN and not (category == "Zs" and char != " ") and not _BLANK.match(char)


def _unmix(match: re.Match[str]) -> str:
    """Escape the letters of other scripts in a word that also has Latin ones (a Cyrillic `а` in `аdmin`)."""
    word = match[0]
    if word.isascii():
        return word
    scripts = {_script(char) for char in set(word) if char.isalpha()}
    if "LATIN" not in scripts or len(scripts) == 1:
        return word
    return "".join(escape(char) if char.isalpha() and _script(char) != "LATIN" else char for char in word)


def _script(char: str) -> str:
    return unicodedata.name(char, "UNKNOWN").split(" ")[0]


def shorten(text: str, limit: int) -> str:
    """Cut `text` to `limit` characters, the last of them an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
