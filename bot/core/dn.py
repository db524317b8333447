"""Distinguished names (RFC 4514), brought into one form so that equal names are equal texts.

In that form attribute types have their short names, values are as the matching rule for names compares them
(RFC 4518: case and width folded, blanks collapsed), and what is special is escaped the same way everywhere.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

LONGEST = 2_000
DEEPEST = 50

# RFC 4514, section 3: the types with a short name, by it, their long name and their object identifier.
_SHORT = {
    other: short
    for short, *others in (
        ("CN", "commonname", "2.5.4.3"),
        ("L", "localityname", "2.5.4.7"),
        ("ST", "stateorprovincename", "2.5.4.8"),
        ("O", "organizationname", "2.5.4.10"),
        ("OU", "organizationalunitname", "2.5.4.11"),
        ("C", "countryname", "2.5.4.6"),
        ("STREET", "streetaddress", "2.5.4.9"),
        ("DC", "domaincomponent", "0.9.2342.19200300.100.1.25"),
        ("UID", "userid", "0.9.2342.19200300.100.1.1"),
    )
    for other in others
}
_TYPE = re.compile(r" *(?:oid\.)?([a-z][a-z0-9-]*|[0-9]+(?:\.[0-9]+)+) *=", re.IGNORECASE)
_PAIR = re.compile(r'\\([ "#+,;<=>\\])|((?:\\[0-9a-fA-F]{2})+)|([^"+,;<>\\\x00])')
_SPECIAL = re.compile(r'([ #"+,;<=>\\])')
# Surrogates, private use, unassigned (RFC 4518, section 2.4).
_UNTAKEN = ("Cs", "Co", "Cn")
# The texts among ASN.1's types: OCTET, UTF8, NUMERIC, PRINTABLE and IA5 STRING.
_TEXTS = (0x04, 0x0C, 0x12, 0x13, 0x16)


def canonical(name: str) -> str:
    """Return a name in its one form. Raises ValueError with what is wrong, to be read after “it”."""
    return ",".join(_names(name))


@lru_cache(maxsize=1_000)
def chain(name: str) -> tuple[str, ...]:
    """Return a name and all the places it lies in, the nearest first, each in its one form."""
    parts = _names(name)
    return tuple(",".join(parts[place:]) for place in range(len(parts)))


def _names(name: str) -> list[str]:
    if len(name) > LONGEST:
        raise ValueError(f"is {len(name):,} characters long; {LONGEST:,} is the most for a distinguished name")
    parts = list(_relative(name))
    if len(parts) > DEEPEST:
        raise ValueError(f"lies {len(parts)} places deep; {DEEPEST} is the most for a distinguished name")
    return parts


def _relative(name: str) -> Iterator[str]:
    """Yield the relative names from left to right; one of several parts has them in order (CN=a+UID=b)."""
    at, parts = 0, set[str]()
    while True:
        part, at = _part(name, at)
        parts.add(part)
        ending = name[at : at + 1]
        if ending != "+":
            yield "+".join(sorted(parts))
            parts = set()
        if not ending:
            return
        at += 1


def _part(name: str, at: int) -> tuple[str, int]:
    """Read one `type=value` from `at`; return it in its form, and where its , or + or the end stands."""
    match = _TYPE.match(name, at)
    if not match:
        raise ValueError(f"is no distinguished name like CN=Alice,OU=Sales,DC=example,DC=com (character {at + 1})")
    kind = match[1].lower()
    value, end = _value(name, match.end())
    if end < len(name) and name[end] not in ",+":
        raise ValueError(f"has {name[end]!r} at character {end + 1}, which a distinguished name escapes as \\XX")
    folded = fold(value)
    if not folded:
        raise ValueError(f"has nothing for “{match[1]}” (character {end + 1})")
    return f"{_SHORT.get(kind, kind.upper())}={_SPECIAL.sub(_escaped, folded)}", end


def _value(name: str, at: int) -> tuple[str, int]:
    while name[at : at + 1] == " ":
        at += 1
    if name[at : at + 1] == "#":
        digits = re.compile(r"[0-9a-fA-F]*").match(name, at + 1)
        return _decoded(digits[0] if digits else ""), digits.end() if digits else at
    pieces: list[str] = []
    while match := _PAIR.match(name, at):
        pieces.append(match[1] or match[3] or _text(bytes.fromhex(match[2].replace("\\", ""))))
        at = match.end()
    value = "".join(pieces)
    if any(unicodedata.category(char) in _UNTAKEN for char in value):
        raise ValueError("holds a character that no directory takes")
    return value, at


def _decoded(digits: str) -> str:
    """Read a value given as #-hexadecimal BER (RFC 4514, section 2.4), where it is a text of short length."""
    raw = bytes.fromhex(digits) if len(digits) % 2 == 0 else b""
    if len(raw) < 2 or raw[0] not in _TEXTS or raw[1] > 127 or len(raw) != raw[1] + 2:
        raise ValueError("gives a value in hexadecimal that is no plain text; write it as text")
    return _text(raw[2:])


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ValueError("escapes bytes that are not UTF-8") from None


def fold(value: str) -> str:
    """Return a text as directories compare it (RFC 4518): mapped, normalised, in lower case, blanks collapsed."""
    if value.isascii() and value.isprintable():
        return " ".join(value.lower().split())
    mapped = "".join(_mapped(char) for char in value)
    # Folding may undo the normal form and the other way round, so both are done until nothing changes.
    while (folded := unicodedata.normalize("NFKC", mapped).casefold()) != mapped:
        mapped = folded
    return " ".join(folded.split())


def _mapped(char: str) -> str:
    """Blanks of all kinds become a space; what nobody sees becomes nothing (RFC 4518, section 2.2)."""
    kind = unicodedata.category(char)
    if kind.startswith("Z") or char in "\t\n\v\f\r\x85":
        return " "
    return "" if kind in ("Cc", "Cf") or "\ufe00" <= char <= "\ufe0f" else char


def _escaped(match: re.Match[str]) -> str:
    return match[0] if match[0] == " " else f"\\{match[0]}"
