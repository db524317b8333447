"""Sizes as people read them."""


def size(count: float) -> str:
    """Return a number of bytes in the unit that suits it, in steps of 1,000: `3.4 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
