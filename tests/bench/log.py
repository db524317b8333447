"""The audit log and the store below it."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from bot.core.audit import Draft, Tag
from bot.core.canonical import Json
from bot.core.principal import Who
from bot.ports import Change
from bot.store.database import SqlStore, open_store
from tests.bench.figures import Figure
from tests.bench.server import ROOT, environment

ENTRIES = 100_000
AT_ONCE = 1_000
COMMITS = 200
CROWD = 8
BEGIN = datetime(2026, 11, 23, 9, tzinfo=UTC)
WHO = Who("bench", "2f1c6c1e-0000-4000-8000-000000000001", "Ann Example")


async def measure(folder: Path, rounds: int) -> list[Figure]:
    """Measure the verification of a long chain, and commits alone and together."""
    folder.mkdir(parents=True)
    store = await open_store(folder / "commits.db")
    alone, together, theirs = [], [], []
    for _ in range(rounds):
        alone.append(await _rate(store, 1))
        together.append(await _rate(store, CROWD))
        theirs.append(_bare_rate(folder / "bare.db"))
    await store.close()
    return [
        Figure(
            f"audit verify, {ENTRIES:,} entries", await _verify(folder / "data") * 1000, "ms", goal="≤ 3,000 ms"
        ),
        Figure("commits, one at a time", median(alone), "/s", median(theirs)),
        Figure(f"commits, {CROWD} at once", median(together), "/s", median(theirs)),
    ]


async def _verify(data: Path) -> float:
    data.mkdir()
    store = await open_store(data / "deputy.db")
    for start in range(0, ENTRIES, AT_ONCE):
        await store.commit(Change(tuple(_draft(number) for number in range(start, start + AT_ONCE))))
    await store.close()
    begun = time.monotonic()
    settings = environment({"DEPUTY_DATA_DIR": str(data)})
    subprocess.run([sys.executable, "-m", "bot", "audit", "verify"], cwd=ROOT, env=settings, check=True)
    return time.monotonic() - begun


def _draft(number: int) -> Draft:
    facts: dict[str, Json] = {
        "digest": f"{number:064x}",
        "door": "chat",
        "roles": ["engineer"],
        "approvals_needed": 1,
    }
    return Draft(Tag.REQUEST_PERMITTED, WHO, f"R-{number:08d}", BEGIN + timedelta(seconds=number), facts)


async def _rate(store: SqlStore, crowd: int) -> float:
    left = iter(range(COMMITS))

    async def one_after_another() -> None:
        for number in left:
            await store.commit(Change((_draft(number),)))

    begun = time.monotonic()
    await asyncio.gather(*(one_after_another() for _ in range(crowd)))
    return COMMITS / (time.monotonic() - begun)


def _bare_rate(path: Path) -> float:
    """Insert one row a transaction, as durably, with the driver alone."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS entry (facts TEXT)"
    )
    begun = time.monotonic()
    for number in range(COMMITS):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO entry VALUES (?)", [f"{number:0500d}"])
        connection.execute("COMMIT")
    connection.close()
    return COMMITS / (time.monotonic() - begun)
