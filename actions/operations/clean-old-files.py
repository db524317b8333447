"""Removes old files below a directory."""

from cleaning import old_files
from sizes import size

SHOWN = 20


def main(path: str, days: int = 30, pattern: str = "*", dry_run: bool = False) -> dict[str, str | int]:
    """Remove files that nobody changed for some days; links and other people's files stay.

    Args:
        path: The directory to clean, with all directories below it.
        days: How many days a file must be unchanged.
        pattern: Which names: * stands for any characters, ? for one.
        dry_run: Only say what would be removed.
    """
    count = total = failed = 0
    for file in old_files(path, days, pattern):
        try:
            if not dry_run:
                file.remove()
        except OSError as error:
            failed += 1
            print(f"{file.path} stays: {error.strerror}")
            continue
        count, total = count + 1, total + file.size
        if count <= SHOWN:
            print(f"{'Would remove' if dry_run else 'Removed'} {file.path} ({size(file.size)})")
    if count > SHOWN:
        print(f"… and {count - SHOWN} more")
    if failed:
        raise SystemExit(
            f"{failed} old files below {path} could not be removed; {count} were. See the output for why."
        )
    done: dict[str, str | int] = {"removed": count, "freed": size(total)}
    if dry_run:
        done = {"would_remove": count, "would_free": size(total)}
    return {"directory": path, "unchanged_for": f"{days} days", **done}
