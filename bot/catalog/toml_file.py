"""One .toml as tables that are read field by field; every fault names its line and its field."""

import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from itertools import takewhile
from typing import TypeVar

from bot.catalog import values
from bot.core.errors import Invalid

T = TypeVar("T")
D = TypeVar("D")

_NAME = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_NAMES = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*\[+\s*({_NAMES})\s*\]")
_KEY = re.compile(rf"\s*({_NAMES})\s*=")
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


@dataclass(frozen=True)
class Document:
    """A parsed .toml. `path` is relative to the root; `faults` gathers what is wrong with it."""

    path: str
    text: str
    data: Mapping[str, object]
    faults: list[Invalid] = field(default_factory=list)

    @property
    def top(self) -> "Table":
        """The fields above the first table header."""
        return Table(self, (), self.data)

    def fault(self, sentence: str, *keys: str) -> None:
        """Add a fault at the line where `keys` (outermost first) stand."""
        self.faults.append(Invalid(sentence, f"{self.path}:{line_of(self.text, keys)}"))


@dataclass(frozen=True)
class Table:
    """One table of a document, found under `keys`."""

    document: Document
    keys: tuple[str, ...]
    data: Mapping[str, object]

    def fault(self, key: str, words: str) -> None:
        """Add a fault: a sentence that begins with “key” and goes on with `words`."""
        self.document.fault(f"“{key}” {words}.", *self.keys, key)

    def get(self, key: str, read: Callable[[object], T], default: D) -> T | D:
        """Read one field; where it is absent or wrong (`read` raised ValueError) return `default`."""
        if key not in self.data:
            return default
        try:
            return read(self.data[key])
        except ValueError as error:
            self.fault(key, str(error))
            return default

    def need(self, key: str, read: Callable[[object], T], default: D, hint: str) -> T | D:
        """Read a field that must be there; `hint` says what it takes."""
        if key not in self.data:
            self.fault(key, f"is missing; it takes {hint}")
        return self.get(key, read, default)

    def table(self, key: str) -> "Table":
        """Return the table called `key`, an empty one where there is none."""
        return Table(self.document, (*self.keys, key), self.get(key, values.table, {}))

    def only(self, known: Collection[str], what: str) -> None:
        """Add a fault for every field that is not `known`, naming the nearest that is."""
        for key in self.data:
            if key not in known:
                near = get_close_matches(key, known, n=1, cutoff=0.5)
                meant = f"did you mean “{near[0]}”?" if near else f"the fields are {', '.join(known)}."
                self.document.fault(f"“{key}” is no field of {what}; {meant}", *self.keys, key)


def parse(path: str, content: bytes) -> Document:
    """Parse UTF-8 `content`. Raises Invalid, with the line, for what isn't TOML."""
    text = content.decode("utf-8-sig").replace("\r\n", "\n")
    try:
        return Document(path, text, tomllib.loads(text, parse_float=Decimal))
    except RecursionError:
        raise Invalid("This isn't valid TOML: values are nested too deeply.", f"{path}:1") from None
    except (ValueError, ArithmeticError) as error:
        place = _PLACE.search(str(error))
        line = place[1] if place and place[1] else len(text.rstrip().split("\n"))
        words = _PLACE.sub("", str(error))
        raise Invalid(f"This isn't valid TOML: {words[:1].lower()}{words[1:]}.", f"{path}:{line}") from None


def line_of(text: str, keys: Sequence[str]) -> int:
    """Return the line, from 1, where `keys` stand, or the longest part of their path that stands anywhere."""
    best, line = 0, 1
    for number, path in _paths(text):
        alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(path, keys, strict=False)))
        if alike > best:
            best, line = alike, number
    return line


def _paths(text: str) -> list[tuple[int, tuple[str, ...]]]:
    """Return the full path of every key and table header, with its line; multi-line texts are passed over."""
    paths: list[tuple[int, tuple[str, ...]]] = []
    table: tuple[str, ...] = ()
    quoted = ""
    for number, row in enumerate(text.split("\n"), 1):
        if not quoted:
            if header := _HEADER.match(row):
                table = _parts(header[1])
                paths.append((number, table))
            elif key := _KEY.match(row):
                paths.append((number, (*table, *_parts(key[1]))))
        for mark in re.findall(r'"""|\'\'\'', row):
            quoted = "" if mark == quoted else quoted or mark
    return paths


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_NAME, dotted))
