"""One process at a time works on an embedded database: an exclusive lock that dies with its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.core.errors import Unavailable


@contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Hold `directory` for this process. Raises Unavailable naming who has it, or what is in the way."""
    path = directory / "deputy.lock"
    with _plainly(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, directory)
        with _plainly(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
        raise Unavailable(
            f"Another Deputy (process {holder}) is working on {directory}. Stop it first, "
            "or give this one data of its own with DEPUTY_DATA_DIR."
        ) from None


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    """Tell what the operating system refuses in a sentence."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The data folder {path.parent} can't be used: {path.name} in it can't be written ({error.strerror}). "
            "Let Deputy write there, or choose another with DEPUTY_DATA_DIR."
        ) from None
