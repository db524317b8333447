"""Shows the processes that use most."""

import os
import pwd
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sizes import size

PROC = Path("/proc")
SECONDS = 0.5


@dataclass(frozen=True)
class Seen:
    """A process at one moment: processor seconds since its start, and bytes of memory."""

    name: str
    owner: int
    processor: float
    memory: int


def main(count: int = 10, by: Literal["processor", "memory"] = "processor") -> list[dict[str, str | int]]:
    """Return processes by their use during half a second. Arguments aren't shown: passwords hide in them.

    Args:
        count: How many to show.
        by: What to sort by.
    """
    before = look()
    time.sleep(SECONDS)
    after = look()
    busy = {
        pid: (seen.processor - before[pid].processor) / SECONDS for pid, seen in after.items() if pid in before
    }
    weight = {pid: busy[pid] if by == "processor" else after[pid].memory for pid in busy}
    most = sorted(weight, key=lambda pid: (-weight[pid], -after[pid].memory))[:count]
    return [_row(pid, after[pid], busy[pid]) for pid in most]


def look() -> dict[int, Seen]:
    """Return every process by its id."""
    found = {int(one.name): _seen(one) for one in PROC.iterdir() if one.name.isdecimal()}
    return {pid: seen for pid, seen in found.items() if seen}


def _seen(process: Path) -> Seen | None:
    try:
        # proc(5): the name stands in parentheses and may hold any character; fields are counted after it.
        name, _, rest = (process / "stat").read_text(errors="replace").rpartition(")")
        owner = process.stat().st_uid
    except OSError:
        return None
    fields = rest.split()
    ticks, pages = int(fields[11]) + int(fields[12]), int(fields[21])
    return Seen(
        name.partition("(")[2], owner, ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE")
    )


def _row(pid: int, seen: Seen, busy: float) -> dict[str, str | int]:
    return {
        "process": pid,
        "name": seen.name,
        "owner": _owner(seen.owner),
        "processor": f"{100 * busy:.0f} %",
        "memory": size(seen.memory),
    }


def _owner(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
