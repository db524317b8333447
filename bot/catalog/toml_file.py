"""One .toml as tables that are read field by field; every fault names its line and its field."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import TypeVar

from bot.catalog import values
from bot.core import toml
from bot.core.errors import Invalid

T = TypeVar("T")
D = TypeVar("D")


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
        self.faults.append(Invalid(sentence, f"{self.path}:{toml.line_of(self.text, keys)}"))


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
    return Document(path, text, toml.read(text, path, parse_float=Decimal))
