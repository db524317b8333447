"""The demo's files: a cache with old files in it, and a log."""

import os
import time
from pathlib import Path

DAY = 86_400
# Names and ages in days, below the cache.
CACHED = {
    "thumbnails/3f9a.png": 120,
    "thumbnails/77c1.png": 64,
    "thumbnails/a0d2.png": 2,
    "exports/report-june.csv": 150,
    "exports/report-september.csv": 58,
    "exports/report-november.csv": 1,
    "session-4711.tmp": 45,
    "session-4712.tmp": 0,
}
LINES = (
    "INFO request GET /orders 200 in 38 ms",
    "INFO request POST /orders 201 in 92 ms",
    "INFO mailer sent 12 messages",
    "WARNING slow query: orders by customer took 1840 ms",
    "INFO request GET /health 200 in 2 ms",
    "ERROR mailer could not reach smtp.demo.example, trying again in 60 s",
)


def lay_out(folder: Path) -> tuple[Path, Path]:
    """Write the cache and the log into `folder`, old again where they are there; return their real paths."""
    real = folder.resolve()
    cache, log = real / "cache", real / "app.log"
    now = time.time()
    for number, (name, days) in enumerate(CACHED.items(), 1):
        path = cache / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(40_000 * number))
        os.utime(path, (now - days * DAY, now - days * DAY))
    log.write_text("".join(_line(number, now) for number in range(120)), encoding="utf-8")
    return cache, log


def _line(number: int, now: float) -> str:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - (120 - number) * 30))
    return f"{at} {LINES[number % len(LINES)]}\n"
