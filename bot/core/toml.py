"""TOML as people write it, with the line of what is wrong in it: tomllib keeps none."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

from bot.core.errors import Invalid

Key = str | int  # an int counts, from 0, the tables of one name: [[freeze]]

_NAME = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_NAMES = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*(\[+)\s*({_NAMES})\s*\]")
_KEY = re.compile(rf"\s*({_NAMES})\s*=")
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


def read(text: str, file: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """Parse a file. Raises Invalid, with the line, for what isn't TOML."""
    try:
        return tomllib.loads(text, parse_float=parse_float)
    except RecursionError:
        raise Invalid("This isn't valid TOML: values are nested too deeply.", f"{file}:1") from None
    except (ValueError, ArithmeticError) as error:
        place = _PLACE.search(str(error))
        line = place[1] if place and place[1] else len(text.rstrip().split("\n"))
        words = _PLACE.sub("", str(error))
        raise Invalid(f"This isn't valid TOML: {words[:1].lower()}{words[1:]}.", f"{file}:{line}") from None


@contextmanager
def at(text: str, file: str, *keys: Key) -> Iterator[None]:
    """Give a fault that is found meanwhile, and has no place yet, the line where `keys` stand."""
    try:
        yield
    except Invalid as fault:
        if fault.where:
            raise
        raise Invalid(fault.sentence, f"{file}:{line_of(text, keys)}") from None


def place(text: str, file: str, *keys: Key) -> str:
    """Return `file:line: field` for where `keys` stand."""
    return f"{file}:{line_of(text, keys)}: {'.'.join(map(str, keys))}"


def line_of(text: str, keys: Sequence[Key]) -> int:
    """Return the line, from 1, where `keys` stand, or the longest part of their path that stands anywhere."""
    best, line = 0, 1
    for number, path in _paths(text):
        alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(path, keys, strict=False)))
        if alike > best:
            best, line = alike, number
    return line


def _paths(text: str) -> Iterator[tuple[int, tuple[Key, ...]]]:
    """Yield the full path of every key and table header, with its line; multi-line texts are passed over."""
    table: tuple[Key, ...] = ()
    tables: Counter[tuple[Key, ...]] = Counter()
    quoted = ""
    for number, row in enumerate(text.split("\n"), 1):
        if not quoted:
            if header := _HEADER.match(row):
                table = _parts(header[2])
                if header[1] == "[[":
                    tables[table] += 1
                    table = (*table, tables[table] - 1)
                yield number, table
            elif key := _KEY.match(row):
                yield number, (*table, *_parts(key[1]))
        for mark in re.findall(r'"""|\'\'\'', row):
            quoted = "" if mark == quoted else quoted or mark


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_NAME, dotted))
