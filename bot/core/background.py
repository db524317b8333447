"""What an approver should know of an action: how its script has changed, and how its last runs went."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import unified_diff

from bot.core.text import visible

LONGEST_SHOWN = 4_000  # characters of one file's changes on a card


@dataclass(frozen=True)
class FileChange:
    """How one file differs: a unified diff with nothing invisible in it, `cut` where it was too long to keep."""

    name: str
    diff: str
    added: int
    removed: int
    cut: bool = False


@dataclass(frozen=True)
class Past:
    """How an earlier run of the same action went, in words."""

    at: datetime
    asked_by: str
    state: str
    said: str = ""


@dataclass(frozen=True)
class Background:
    """What is known beside the request itself.

    `before` and `after` are the SHA-256 of all that runs, by file name; `before` is empty where nothing of the
    action was approved yet. `since` says in words what is compared with. `past` are the last runs, newest first.
    """

    since: str = ""
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[FileChange, ...] = ()
    past: tuple[Past, ...] = ()


def file_change(name: str, before: bytes, after: bytes) -> FileChange:
    """Compare two versions of one file line by line; `diff` is whole."""
    old, new = _lines(before, after)
    lines = list(unified_diff(old, new, "before", "after", lineterm="", n=3))[2:]
    added, removed = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    # Made visible only now: compared were the characters themselves, not how they are shown.
    return FileChange(name, "\n".join(visible(line, lines=True) for line in lines), added, removed)


def shortened(change: FileChange) -> FileChange:
    """Return the change as a card has room for it: cut at the end of a line."""
    if len(change.diff) <= LONGEST_SHOWN:
        return change
    shown = change.diff[:LONGEST_SHOWN].rpartition("\n")[0] or change.diff[:LONGEST_SHOWN]
    return FileChange(change.name, shown, change.added, change.removed, cut=True)


def _lines(*contents: bytes) -> list[list[str]]:
    """Read scripts as lines that differ where their bytes do.

    What follows the last line feed is a line too, but where it is nothing in all of them.
    """
    lines = [content.decode(errors="surrogateescape").split("\n") if content else [] for content in contents]
    ended = all(content.endswith(b"\n") for content in contents if content)
    return [one[:-1] for one in lines] if ended else lines
