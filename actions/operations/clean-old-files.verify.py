"""Looks again: are any old files left?"""

from cleaning import old_files


def main(path: str, days: int = 30, pattern: str = "*", dry_run: bool = False) -> dict[str, str | bool]:
    """Return whether nothing is left that clean-old-files would remove."""
    left = sum(1 for _ in old_files(path, days, pattern))
    if dry_run:
        return {"ok": True, "message": f"It was a dry run: {left} old files are still below {path}."}
    return {"ok": left == 0, "message": f"{left or 'No'} old files are left below {path}."}
