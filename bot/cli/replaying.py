"""`deputy policy replay`: what other policies would have made of the last days, in tables."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from bot.cli import show
from bot.cli.asking import opened
from bot.core.audit import Entry
from bot.core.errors import NotFound
from bot.core.wording import clock, count, name
from bot.policy.replay import REFUSED, Gone, Replayed, replay, why
from bot.ports import Store
from bot.settings import Settings

PAGE = 5_000
SAME, DIFFERENT = 0, 3


async def replayed(settings: Settings, folder: Path, days: int) -> int:
    """Print what would differ; return the exit code. Raises Invalid where the policies in `folder` are broken."""
    from bot.app import SystemClock, catalog_of
    from bot.store.database import open_store

    bench = opened(folder).bench()
    database = settings.database
    if isinstance(database, Path) and not database.is_file():
        raise NotFound(f"There is no database at {database} yet: nothing was ever decided with this data folder.")
    store = await open_store(database)
    try:
        log = await _log(store)
    finally:
        await store.close()
    since = SystemClock().now() - timedelta(days=days)
    found = list(replay(bench, catalog_of(settings).catalog(), log, since))
    lines = list(report(found))
    print(f"{count(len(found), 'decision')} of the last {count(days, 'day')} by the policies in {folder}:")
    print("\n".join(lines) or "All of them would be the same.")
    return DIFFERENT if any(isinstance(one, Gone) or one.before != one.after for one in found) else SAME


async def _log(store: Store) -> list[Entry]:
    entries: list[Entry] = []
    while page := await store.entries(after=entries[-1].sequence if entries else 0, limit=PAGE):
        entries += page
    return entries


def report(found: Sequence[Replayed | Gone]) -> Iterator[str]:
    """Yield lines: who loses, who gains, which runs would have been refused, whose approvals wouldn't count."""
    asked = [one for one in found if isinstance(one, Replayed) and not one.vote]
    votes = [one for one in found if isinstance(one, Replayed) and one.vote and one.after == REFUSED]
    yield from _table("Who loses", _grouped(one for one in asked if one.after > one.before))
    yield from _table("Who gains", _grouped(one for one in asked if one.after < one.before))
    stopped = [one for one in asked if one.after == REFUSED > one.before]
    yield from _table("Runs that would have been refused", map(_row, stopped))
    yield from _table("Approvals that would not have counted", map(_row, votes))
    gone = Counter(one.action for one in found if isinstance(one, Gone))
    rows = ((action, count(number, "decision")) for action, number in gone.most_common())
    yield from _table("Actions that are gone, so nobody knows", rows)


def _table(title: str, rows: Iterator[Sequence[str]]) -> Iterator[str]:
    lines = show.aligned(rows)
    if lines:
        yield title
        yield from lines


def _grouped(changed: Iterator[Replayed]) -> Iterator[Sequence[str]]:
    groups = Counter((name(one.who), one.action, _words(one.before), _words(one.after)) for one in changed)
    for (who, action, before, after), number in groups.most_common():
        yield who, action, f"{number} ×", f"{before} → {after}"


def _row(one: Replayed) -> Sequence[str]:
    return one.run, clock(one.at), name(one.who), one.action, why(one.decision)


def _words(rank: int) -> str:
    if rank == REFUSED:
        return "refused"
    return count(rank, "approval") if rank else "at once"
