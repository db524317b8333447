"""Names what runs a script, so exactly that a request can be sealed with it (attack P8)."""

import hashlib
import os
import platform
import sys
from functools import lru_cache
from pathlib import Path

from bot.core.errors import Unavailable
from bot.runners.launch import SHELL


def interpreter_of(script_name: str, python: Path = Path(sys.executable)) -> str:
    """Return path, version (where known) and SHA-256 of what runs a `.py` or `.sh`. Raises Unavailable."""
    program = {".py": python, ".sh": SHELL}.get(os.path.splitext(script_name)[1])  # noqa: PTH122 - twice a run
    if program is None:
        raise Unavailable(f"Nothing here runs {script_name}: scripts of the local runner end in .py or .sh.")
    try:
        facts = os.stat(program)  # noqa: PTH116
        return _known(program, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
    except OSError as error:
        raise Unavailable(f"{script_name} can't be run: {program} can't be read ({error.strerror}).") from None


@lru_cache(maxsize=16)
def _known(program: Path, *facts: int) -> str:
    """Say what a program is; a new version of it is a new question by its facts."""
    path = program.resolve(strict=True)
    with path.open("rb") as file:
        sha = hashlib.file_digest(file, "sha256").hexdigest()
    version = f" {platform.python_version()}" if program == Path(sys.executable) else ""
    return f"{path}{version} sha256:{sha}"
