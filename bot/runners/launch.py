"""Lays out one run: its directory, its files, and what its supervisor is told."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from bot.core.errors import Invalid
from bot.core.secret import Secret
from bot.core.work import Work
from bot.runners.supervisor import LANG, PATH

SHELL = Path("/bin/bash")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - directories of our own are made in it
GIGABYTE, MEGABYTE = 1 << 30, 1 << 20


@dataclass(frozen=True)
class Launch:
    """What a supervisor is told (see supervise.py). It removes `directories`, which are the run's own."""

    spec: Mapping[str, Any]
    directories: tuple[Path, ...]

    def hand_over(self, work: Work) -> bytes:
        """Give a script its secrets; return what goes to its standard input. Raises Invalid and OSError."""
        if work.script.name.endswith(".py"):
            return _order(work, self.directories[0])
        for (*folders, name), secret in _secret_files(work):
            place = self.directories[-1].joinpath(*map(_file_name, folders))
            place.mkdir(mode=0o700, exist_ok=True)
            _write(place, name, secret.reveal().encode())
        return b""

    def discard(self) -> None:
        """Remove what the supervisor could not: it never began, or was killed."""
        for directory in self.directories:
            shutil.rmtree(directory, ignore_errors=True)


def lay_out(work: Work, parent: Path, grace: float) -> Launch:
    """Write a run's files, but for its secrets, into a directory of its own under `parent`.

    Of secrets only their names count here. Raises Invalid and OSError.
    """
    if not work.script.name.endswith((".py", ".sh")):
        raise Invalid("Scripts of the local runner end in .py or .sh.")
    directories = [_own(parent, work.run)]
    try:
        for script in (work.script, *work.action.libraries):
            _write(directories[0], script.name, script.content)
        if work.script.name.endswith(".sh") and _has_secrets(work):
            directories.append(_in_memory(work, parent))
        return Launch(_spec(work, directories, grace), tuple(directories))
    except BaseException:
        for directory in directories:
            shutil.rmtree(directory, ignore_errors=True)
        raise


def _spec(work: Work, directories: list[Path], grace: float) -> dict[str, Any]:
    home = str(directories[0])
    environment = {"PATH": PATH, "LANG": LANG, "HOME": home, "TMPDIR": home, "DEPUTY_RUN": work.run}
    if len(directories) > 1:
        environment["CREDENTIALS_DIRECTORY"] = str(directories[1])
    python = work.script.name.endswith(".py")
    return {
        "argv": [] if python else [str(SHELL), str(directories[0] / work.script.name), *_words(work)],
        "env": environment,
        "cwd": home,
        "limits": {
            "CPU": int(work.timeout) + 5,
            "AS": 2 * GIGABYTE,
            "FSIZE": 64 * MEGABYTE,
            "NOFILE": 256,
            "CORE": 0,
            "PROCESSES": 512,
        },
        "grace": grace,
        "remove": [str(directory) for directory in reversed(directories)],
    }


def _words(work: Work) -> Iterator[str]:
    """Yield `--name=value` for each argument of a shell script; secrets are never among them."""
    for name, value in work.arguments.items():
        if isinstance(value, bool):
            yield f"--{name}={str(value).lower()}"
        elif isinstance(value, tuple):
            yield from (f"--{name}={item}" for item in value)
        elif not isinstance(value, Secret):
            yield f"--{name}={value}"


def _order(work: Work, directory: Path) -> bytes:
    """Return what python_main.py reads: secrets are given out here, and nowhere else."""
    order = {
        "script": str(directory / work.script.name),
        "arguments": {
            name: value.reveal() if isinstance(value, Secret) else value for name, value in work.arguments.items()
        },
        "credentials": {
            name: {key: secret.reveal() for key, secret in fields.items()}
            for name, fields in work.credentials.items()
        },
    }
    return json.dumps(order).encode()


def _secret_files(work: Work) -> Iterator[tuple[tuple[str, ...], Secret]]:
    """Yield the path and the content of each file a shell script gets its secrets by."""
    for name, value in work.arguments.items():
        if isinstance(value, Secret):
            yield (name,), value
    for name, fields in work.credentials.items():
        for key, secret in fields.items():
            yield (name, key), secret


def _has_secrets(work: Work) -> bool:
    return bool(work.credentials) or any(isinstance(value, Secret) for value in work.arguments.values())


def _in_memory(work: Work, parent: Path) -> Path:
    """Make a directory for secrets as systemd's $CREDENTIALS_DIRECTORY has them: its files touch no disk."""
    memory = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else parent
    return _own(memory, work.run)


def _own(parent: Path, run: str) -> Path:
    """Make a directory that nobody else has, also in a folder where others make some."""
    while True:
        directory = parent / f"{run}-{token_hex(8)}"
        with suppress(FileExistsError):
            os.mkdir(directory, 0o700)  # noqa: PTH102 - this and all below is done while a script is waited for
            return directory


def _write(directory: Path, name: str, content: bytes) -> None:
    # O_EXCL: a library that is called like the script must not take its place.
    descriptor = os.open(f"{directory}/{_file_name(name)}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
    finally:
        os.close(descriptor)


def _file_name(name: str) -> str:
    if not name or name.startswith(".") or "/" in name or not name.isprintable():
        raise Invalid(f"“{name}” can't be the name of a file. Name it with letters, digits, “-” and “_”.")
    return name
