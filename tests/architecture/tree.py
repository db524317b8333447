"""The project's own files, for tests that read them."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOT = ROOT / "bot"
IGNORED = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line] + [".git"]


def name(path: Path) -> str:
    """Return a path as people say it: from the project's folder on."""
    return path.relative_to(ROOT).as_posix()


def entries(folder: Path = ROOT) -> list[Path]:
    """Return what lies in a folder and is part of the project, so not named in .gitignore."""
    return sorted(path for path in folder.iterdir() if not any(fnmatch(path.name, one) for one in IGNORED))


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Yield every file of the project below a folder."""
    for path in entries(folder):
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def modules() -> list[Path]:
    """Return every Python file of Deputy itself."""
    return [path for path in files(BOT) if path.suffix == ".py"]


def parsed(path: Path) -> ast.Module:
    """Return a Python file's syntax tree."""
    return ast.parse(path.read_text(), path)
