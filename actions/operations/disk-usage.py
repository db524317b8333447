"""Shows how full the file systems are."""

import os
import re
from pathlib import Path

from sizes import size


def main(path: str = "/") -> list[dict[str, str]]:
    """Return the file system that holds a directory and those mounted below it, the fullest first.

    Args:
        path: The directory to look at; / shows every file system.
    """
    asked = Path(path)
    if not asked.is_absolute() or not asked.exists():
        raise SystemExit(f"There is no “{path}” on this machine. Give a full path such as /var.")
    seen: dict[int, tuple[float, dict[str, str]]] = {}
    for place in _places(asked.resolve()):
        try:
            device, row = place.stat().st_dev, _row(place)
        except OSError as error:
            print(f"{place} can't be read: {error.strerror}")
            continue
        if row:
            seen.setdefault(device, row)
    return [row for _, row in sorted(seen.values(), key=lambda one: -one[0])]


def _places(asked: Path) -> list[Path]:
    """Return where the directory's own file system is mounted, then every mount below the directory."""
    own = asked
    while not own.is_mount():
        own = own.parent
    mounts = Path("/proc/mounts").read_text().splitlines()
    # The kernel writes a space in a mount's path as \040 and the like.
    paths = [Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), row.split()[1])) for row in mounts]
    return [own, *(path for path in paths if path.is_relative_to(asked))]


def _row(place: Path) -> tuple[float, dict[str, str]] | None:
    """Return how full a file system is, 0 to 1, and its row; None for a single file, or one without blocks."""
    if not place.is_dir():
        return None
    found = os.statvfs(place)
    used = found.f_blocks - found.f_bfree
    # As df counts: what only root may use is no part of the whole.
    usable = used + found.f_bavail
    if not usable:
        return None
    row = {
        "file_system": str(place),
        "size": size(found.f_blocks * found.f_frsize),
        "used": size(used * found.f_frsize),
        "free": size(found.f_bavail * found.f_frsize),
        "full": f"{100 * used / usable:.0f} %",
    }
    return used / usable, row
