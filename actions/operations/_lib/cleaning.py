"""Old files below a directory, found so that nobody can lead the search, or a removal, out of it.

Every directory is opened by its name in the one above it, never through a symbolic link, and files are
named by their directory's descriptor: whatever is renamed or swapped meanwhile, we stay inside.
"""

import os
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

# Programs, settings and state of the system, which age says nothing about.
SYSTEM = ("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "proc", "run", "sbin", "sys", "usr", "var/lib")
DAY = 86_400
# A run's files, this one among them, lie in a directory of its own in `runs`, in Deputy's data folder.
DATA = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class OldFile:
    """A regular file of our own. `directory` is a descriptor, open until the next file is asked for."""

    directory: int
    name: str
    path: str
    size: int

    def remove(self) -> None:
        """Remove it. Raises OSError."""
        os.unlink(self.name, dir_fd=self.directory)


def old_files(path: str, days: int, pattern: str) -> Iterator[OldFile]:
    """Find files unchanged for `days`, with names that fit `pattern`; links, pipes and others' are passed over."""
    refuse(path)
    top = _open(Path(path))
    try:
        device, before = os.fstat(top).st_dev, time.time() - days * DAY
        for folder, below, names, descriptor in os.fwalk(".", dir_fd=top):
            # Another file system mounted below is another directory's matter.
            below[:] = [name for name in below if _seen(name, descriptor).st_dev == device]
            for name in sorted(names):
                found = _seen(name, descriptor)
                if fnmatchcase(name, pattern) and _ours(found) and found.st_mtime < before:
                    yield OldFile(descriptor, name, os.path.normpath(f"{folder}/{name}"), found.st_size)
    finally:
        os.close(top)


def refuse(path: str) -> None:
    """End the script, with the reason, for a directory that must not be cleaned."""
    given = Path(path)
    # pathlib takes “//etc” for another root than “/etc”.
    if given.root != "/" or ".." in given.parts:
        raise SystemExit(f"“{path}” is not a full path. Name the directory from / on, without “..”.")
    real = Path(os.path.realpath(given))
    if real != given:
        raise SystemExit(f"“{path}” leads through a symbolic link to {real}. Name that directory itself.")
    if any(real.is_relative_to(f"/{name}") for name in SYSTEM):
        raise SystemExit(f"{real} belongs to the system, so nothing in it is removed by age.")
    if len(real.parts) <= 2 or (real.parts[1] == "home" and len(real.parts) == 3):
        raise SystemExit(f"{real} is too much to clean at once. Name the directory below it that holds the files.")
    for ours in (Path.cwd(), Path(__file__), Path(sys.prefix)):
        if ours.resolve().is_relative_to(real):
            raise SystemExit(f"Deputy itself works below {real}. Name another directory.")
    # The demo's files lie in the data folder too, and are there to be cleaned.
    if real.is_relative_to(DATA) and not real.is_relative_to(DATA / "demo"):
        raise SystemExit(f"{real} lies in Deputy's own data folder. Name another directory.")
    if not real.is_dir():
        raise SystemExit(f"{real} is not a directory on this machine. Check the path.")


def _seen(name: str, directory: int) -> os.stat_result:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        # Gone, or not for us to see: these zeros are neither a regular file nor on our device.
        return os.stat_result((0,) * 10)


def _ours(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def _open(path: Path) -> int:
    """Open a directory from / on, refusing a symbolic link at every step."""
    descriptor = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    for name in path.parts[1:]:
        above = descriptor
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
        except OSError as error:
            raise SystemExit(f"{path} can't be opened: {error.strerror}. Nothing was removed.") from None
        finally:
            os.close(above)
    return descriptor
