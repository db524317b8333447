"""Laying out folders of actions for tests."""

from pathlib import Path
from textwrap import dedent

from bot.catalog.folder import Folder

PLAIN = 'summary = "Says hello."\nrisk = "read"\n'
MAIN = "def main() -> str:\n    return 'hello'\n"


def lay(root: Path, path: str, text: str) -> Path:
    """Write one file under `root`, with the folders it needs."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(text), encoding="utf-8")
    return file


def python(root: Path, name: str = "greet", *, toml: str = "", main: str = MAIN) -> None:
    """Lay out one Python action in the category `people`."""
    lay(root, f"people/{name}.toml", PLAIN + dedent(toml))
    lay(root, f"people/{name}.py", main)


def shell(root: Path, name: str = "greet", *, toml: str = "") -> None:
    """Lay out one shell action in the category `people`."""
    lay(root, f"people/{name}.toml", PLAIN + dedent(toml))
    lay(root, f"people/{name}.sh", "echo hello\n")


def folder(root: Path) -> Folder:
    """A folder whose interpreter is named after the script's ending."""
    return Folder(root, lambda name: f"runs {name}")


def told(root: Path) -> list[str]:
    """All faults under `root`, as people read them."""
    return [str(fault) for fault in folder(root).faults()]
