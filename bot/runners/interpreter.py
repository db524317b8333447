"""Names what runs a script, so exactly that a request can be sealed with it (attack P8)."""

import hashlib
import platform
import sys
from functools import lru_cache
from pathlib import Path

from bot.core.errors import Unavailable
from bot.runners.launch import SHELL


def interpreter_of(script_name: str, python: Path = Path(sys.executable)) -> str:
    """Return path, version (where known) and SHA-256 of what runs a `.py` or `.sh`. Raises Unavailable."""
    program = {".py": python, ".sh": SHELL}.get(Path(script_name).suffix)
    if program is None:
        raise Unavailable(f"Nothing here runs {script_name}: scripts of the local runner end in .py or .sh.")
    try:
        facts = program.stat()
        path, sha = _known(program, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
    except OSError as error:
        raise Unavailable(f"{script_name} can't be run: {program} can't be read ({error.strerror}).") from None
    version = f" {platform.python_version()}" if program == Path(sys.executable) else ""
    return f"{path}{version} sha256:{sha}"


@lru_cache(maxsize=16)
def _known(program: Path, device: int, inode: int, size: int, modified: int) -> tuple[Path, str]:
    """Return where a program really lies, and its hash; a new version of it is a new question by its facts."""
    path = program.resolve(strict=True)
    with path.open("rb") as file:
        return path, hashlib.file_digest(file, "sha256").hexdigest()
