"""Reading the catalogue's files: regular UTF-8 files under the root and nothing else (attack X20)."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

LARGEST = 1_000_000
SETTLED = 3_000_000_000  # nanoseconds: the coarsest file system's clock ticks every other second


class Stamp(NamedTuple):
    """What changes when a file does. Nobody can set `changed` (ctime), and to forge `modified` moves it."""

    changed: int
    modified: int
    size: int
    inode: int
    device: int


@dataclass(frozen=True)
class Seen:
    """A file as it was when it was read. `fault` says in words why there is no content: “isn't there”.

    It is `settled` where it had not changed for so long that whatever comes later shows in its stamp; a second
    change within one tick of the file system's clock would not.
    """

    stamp: Stamp | None
    content: bytes = b""
    fault: str = ""
    settled: bool = False


class Snapshot:
    """One look at the folder: every file is read once, so all actions see the same bytes of a library."""

    def __init__(self, root: Path) -> None:
        self._given = root
        self._stamps: dict[str, Stamp | None] = {}
        self._seen: dict[str, Seen] = {}

    @cached_property
    def _root(self) -> str:
        return _real_folder(self._given)

    def stamp(self, path: str) -> Stamp | None:
        """Return what changes when the file at `path`, relative to the root, does; None where there is none."""
        if path not in self._stamps:
            self._stamps[path] = _stamp(f"{self._given}/{path}")
        return self._stamps[path]

    def same(self, path: str, seen: Seen) -> Seen | None:
        """Look whether a file still has the bytes that were seen; return it as it is seen now, None where not."""
        if seen.settled and self.stamp(path) == seen.stamp:
            return seen
        now = self.see(path)
        return now if (now.content, now.fault) == (seen.content, seen.fault) else None

    def see(self, path: str) -> Seen:
        """Read the file at `path`, relative to the root."""
        if path not in self._seen:
            # The stamp is taken first: what is written while we read is then seen as a change.
            self._seen[path] = self._read(path, self.stamp(path))
        return self._seen[path]

    def _read(self, path: str, seen: Stamp | None) -> Seen:
        if path.startswith(os.sep):
            return Seen(seen, fault="is an absolute path; give the path from the .toml's own folder")
        try:
            content = _content(f"{self._root}/{path}", self._root)
            content.decode()
        except FileNotFoundError:
            return Seen(seen, fault="isn't there", settled=seen is None)
        except UnicodeDecodeError as error:
            return Seen(seen, fault=f"isn't UTF-8 text (byte {error.start + 1}); save it as UTF-8")
        except OSError as error:
            return Seen(seen, fault=f"can't be read: {error.strerror}")
        except ValueError as error:
            return Seen(seen, fault=str(error))
        return Seen(seen, content, settled=seen is not None and time.time_ns() - seen.changed > SETTLED)


class Sight:
    """Sees the files of one action, and keeps what it saw: missing ones too, for they may appear."""

    def __init__(self, snapshot: Snapshot, category: str) -> None:
        self._snapshot = snapshot
        self._category = category
        self.seen: dict[str, Seen] = {}

    def see(self, name: str) -> Seen:
        """Read a file by its path from the category's folder."""
        path = name if name.startswith(os.sep) else f"{self._category}/{name}"
        self.seen[path] = self._snapshot.see(path)
        return self.seen[path]


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a thousand of them must stay cheap
    except (OSError, ValueError):
        return None
    return Stamp(found.st_ctime_ns, found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)


def _real_folder(path: Path) -> str:
    try:
        with _found(path) as found:
            return _lies(found)
    except OSError:
        return os.path.realpath(path)


def _lies(found: str) -> str:
    return os.readlink(found)  # noqa: PTH115 - a Path of it takes longer than the look


@contextmanager
def _found(path: Path | str) -> Iterator[str]:
    """Find a file without opening it; yields a name that stays that very file's whatever becomes of its links."""
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _content(path: str, root: str) -> bytes:
    with _found(path) as found:
        if not _lies(found).startswith(root + os.sep):
            raise ValueError("leads out of the actions folder, and nothing out there is ever run")
        # Without waiting: a FIFO would hold us for ever.
        descriptor = os.open(found, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise ValueError("is a directory, not a file")
        if not stat.S_ISREG(mode):
            raise ValueError("isn't a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(content) > LARGEST:
        raise ValueError(f"is larger than {LARGEST:,} bytes, the most a file of an action may have")
    return content
