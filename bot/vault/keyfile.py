"""The key file on disk: made once, readable by Deputy alone, replaced whole or not at all."""

import fcntl
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import Conflict, Invalid, Unavailable
from bot.vault.keys import Key, KeyRing, parse, render

LARGEST = 65_536


class KeyFile:
    """The keys as the file has them now: it is read again whenever it changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, ...], KeyRing] | None = None

    def ring(self) -> KeyRing:
        """Return the keys. Raises Invalid for a file that can't be trusted, Unavailable for none."""
        with _plainly(self.path, "read"):
            stamp = _stamp(self.path.stat())
            if self._read is None or self._read[0] != stamp:
                self._read = (stamp, _read(self.path))
        return self._read[1]

    @contextmanager
    def changing(self) -> Iterator["KeyChange"]:
        """Hold the right to change the keys. Raises Conflict while somebody else holds it."""
        with _locked(self.path, wait=False) as folder:
            yield KeyChange(self, folder)


@dataclass(frozen=True)
class KeyChange:
    """The right to change the keys; `folder` is a descriptor of the file's locked folder."""

    file: KeyFile
    folder: int

    def renew(self) -> Key:
        """Put a new key before the others, on the disk for certain, and return it."""
        key = Key.new()
        _write(self.file.path, (key, *self.file.ring().keys), self.folder)
        return key

    def retire(self, in_use: Collection[str]) -> tuple[str, ...]:
        """Remove every key but the first and those whose ids are `in_use`; return the removed ids."""
        ring = self.file.ring()
        kept = tuple(key for key in ring.keys if key is ring.primary or key.id in in_use)
        _write(self.file.path, kept, self.folder)
        return tuple(key.id for key in ring.keys if key not in kept)


def open_keys(path: Path, *, requires_existing: bool) -> KeyFile:
    """Open the key file and check it; make one where there is none.

    With `requires_existing` (something is sealed already) a missing file raises Invalid: a new key would
    open nothing. Also raises Invalid for a file that others can read, that isn't ours or that is malformed.
    """
    with _plainly(path, "made"):
        if not path.exists():
            if requires_existing:
                raise Invalid(
                    "The vault's key file is missing, though the database holds secrets sealed with it; "
                    "put back your copy of it.",
                    str(path),
                )
            _make(path)
    keys = KeyFile(path)
    keys.ring()
    return keys


def _make(path: Path) -> None:
    with _locked(path, wait=True) as folder:
        if not path.exists():  # another process may have made it while this one waited
            _write(path, (Key.new(),), folder)


def _write(path: Path, keys: tuple[Key, ...], folder: int) -> None:
    new = path.with_name(f"{path.name}.new")
    with _plainly(path, "written"):
        new.unlink(missing_ok=True)  # left by a process that was killed while it wrote
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(render(keys))
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
            os.fsync(folder)
        finally:
            new.unlink(missing_ok=True)


def _read(path: Path) -> KeyRing:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        _check(os.fstat(file.fileno()), path)
        content = file.read(LARGEST)
    try:
        return parse(content.decode("ascii"), str(path))
    except UnicodeDecodeError:
        raise Invalid("This is not a key file; put back a copy of the right one.", str(path)) from None


def _check(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Invalid("The vault's key file is not an ordinary file; put back a copy of it.", str(path))
    if status.st_uid != os.geteuid():
        raise Invalid(
            f"The vault's key file belongs to somebody else (uid {status.st_uid}); make it Deputy's own with "
            f"`chown {os.geteuid()} {path}`.",
            str(path),
        )
    if status.st_mode & 0o077:
        raise Invalid(
            f"Others can open the vault's key file (mode {stat.S_IMODE(status.st_mode):03o}); close it with "
            f"`chmod 600 {path}`, then replace the key with `deputy vault rotate-key`.",
            str(path),
        )


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode, status.st_uid)


@contextmanager
def _locked(path: Path, *, wait: bool) -> Iterator[int]:
    """Lock the file's folder, for the lock has to outlive the file that is replaced in it."""
    with _plainly(path, "locked"):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(folder, path, wait)
        yield folder
    finally:
        os.close(folder)


def _lock(folder: int, path: Path, wait: bool) -> None:
    with _plainly(path, "locked"):
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise Conflict("The vault's key is being replaced; try again when that is done.") from None


@contextmanager
def _plainly(path: Path, done: str) -> Iterator[None]:
    """Tell what the operating system refuses in a sentence."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The vault's key file {path} can't be {done}: {os.strerror(error.errno or 0)}. "
            "Check that the file and its folder are there and that Deputy may use them."
        ) from None
