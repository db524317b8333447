"""Which files of the folder are actions: `<category>/<name>.toml`, where neither begins with `_` or `.`."""

import os
from pathlib import Path

from bot.core.errors import Invalid

# The name under which a fault of the whole folder is kept; no category is called that.
ROOT = "."


def listing(root: Path) -> tuple[list[str], dict[str, Invalid]]:
    """Return the paths of all actions' .toml files in order, and by name the faults of what can't be one."""
    paths: list[str] = []
    faults: dict[str, Invalid] = {}
    try:
        found = sorted(_names(root))
    except OSError as error:
        words = f"The folder of actions can't be read ({error.strerror}); make it, or name the right one."
        return [], {ROOT: Invalid(words, str(root))}
    for name in found:
        try:
            if (root / name).is_dir():
                paths += _in_category(root, name)
            elif name.endswith(".toml"):
                raise ValueError(
                    "An action lies in a category's folder, not beside them; move this file into one."
                )
        except OSError as error:
            faults[name] = Invalid(f"This category can't be read: {error.strerror}.", name)
        except ValueError as error:
            faults[name.removesuffix(".toml")] = Invalid(str(error), name)
    return paths, faults


def _in_category(root: Path, name: str) -> list[str]:
    inside = os.path.realpath(root)
    if not os.path.realpath(root / name).startswith(inside + os.sep):
        raise ValueError("This category leads out of the actions folder, and nothing out there is ever run.")
    return [f"{name}/{file}" for file in sorted(_names(root / name)) if file.endswith(".toml")]


def _names(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if not name.startswith(("_", "."))]  # noqa: PTH208 - no Path each
