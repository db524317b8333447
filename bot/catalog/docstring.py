"""What a Google-style docstring says about parameters."""

import re
from collections.abc import Mapping
from inspect import cleandoc
from itertools import takewhile

_ARGUMENT = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)")
_SENTENCE = re.compile(r".+?[.!?](?=\s+[A-Z“\"(]|$)")


def helps(docstring: str) -> Mapping[str, str]:
    """Return the first sentence about every parameter that the `Args:` section describes."""
    described: dict[str, str] = {}
    name = ""
    for row in _section(docstring):
        if found := _ARGUMENT.fullmatch(row):
            name, described[name] = found[1], found[2]
        elif name:
            described[name] = f"{described[name]} {row.strip()}".strip()
    return {name: _first_sentence(words) for name, words in described.items()}


def _section(docstring: str) -> list[str]:
    """Return the rows under `Args:`, without the indentation they share."""
    rows = cleandoc(docstring).splitlines()
    start = next((at for at, row in enumerate(rows, 1) if row in ("Args:", "Arguments:")), len(rows))
    section = takewhile(lambda row: not row or row[0].isspace(), rows[start:])
    return cleandoc("\n" + "\n".join(section)).splitlines()


def _first_sentence(words: str) -> str:
    found = _SENTENCE.match(words)
    return found[0] if found else words
