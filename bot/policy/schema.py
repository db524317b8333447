"""The Cedar schema: what policies can speak of. Cedar says what is wrong with it; where, is found here."""

import re
from collections.abc import Iterator

import cedarpy

from bot.core.errors import Invalid, gathered

FILE = "schema.cedarschema"
_TOKEN = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"|\w+|::|[^\s\w]')
_QUOTED = re.compile(r'`([^`]+)`|::"([^"]+)"')
_UNRESOLVED = re.compile(r"failed to resolve types?: (.+)")
_AT_END = "unexpected end of input"


def parse(text: str) -> cedarpy.Schema:
    """Read a schema. Raises Invalid, with the line, for what is wrong in it: the first, with the others."""
    complaint = _complaint(text)
    if complaint:
        with gathered() as faults:
            faults += _faults(text, complaint)
    return cedarpy.Schema.from_str(text)


def _complaint(text: str) -> str:
    try:
        cedarpy.Schema.from_str(text)
    except ValueError as error:
        return str(error)
    return ""


def _faults(text: str, complaint: str) -> Iterator[Invalid]:
    tokens = [token for token in _TOKEN.finditer(text) if not token[0].startswith("//")]
    unresolved = _UNRESOLVED.search(complaint)
    if unresolved is None:
        yield _fault(text, complaint, _place(text, tokens, complaint))
        return
    for name in unresolved[1].split(", "):
        yield _fault(text, f"failed to resolve type: {name}", _named(name, tokens))


def _fault(text: str, complaint: str, place: int) -> Invalid:
    line = text.count("\n", 0, place) + 1
    return Invalid(f"Cedar can't read it: {complaint}.", f"{FILE}:{line}")


def _place(text: str, tokens: list[re.Match[str]], complaint: str) -> int:
    """Return where what Cedar complains of stands: at the end of the shortest part with the same complaint."""
    quoted = _QUOTED.search(complaint)
    name = (quoted[1] or quoted[2]) if quoted else ""
    if complaint.endswith(_AT_END):
        return len(text.rstrip())
    depth = 0
    for number, token in enumerate(tokens, 1):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        ended = "}" * depth if token[0] == ";" else ""
        if _complaint(text[: token.end()] + ended) == complaint:
            return _named(name, tokens[number - 1 :: -1])
    return _named(name, tokens)


def _named(name: str, tokens: list[re.Match[str]]) -> int:
    """Return where the first token stands that is the last part of a name, or else the first of all."""
    last = name.rpartition("::")[2].strip('"')
    places = [token.start() for token in tokens if token[0].strip('"') == last] or [one.start() for one in tokens]
    return next(iter(places), 0)
