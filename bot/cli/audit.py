"""`deputy audit`: verify the chain, show an entry, export all of it."""

import asyncio
import gc
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from bot.core.audit import Entry, Verdict, read_reference, verify
from bot.core.errors import Damaged, Invalid, NotFound
from bot.ports import Store
from bot.settings import Settings, read

app = typer.Typer(no_args_is_help=True, help="The audit log: verify its chain, show an entry, export it.")
PAGE = 5_000


@app.command("verify")
def verify_(
    checkpoint: Annotated[str, typer.Option(help="A reference noted earlier: the log must still hold it")] = "",
) -> None:
    """Check every entry's hash and its place in the chain; name the first that doesn't hold."""
    asyncio.run(_verify(read(), checkpoint))


async def _verify(settings: Settings, checkpoint: str) -> None:
    from bot.store.database import open_store

    _exists(settings.database)
    store = await open_store(settings.database)
    gc.freeze()  # what is loaded stays: the collections of a long log needn't look through it
    try:
        verdict = await check_chain(store)
        if checkpoint:
            await _hold(store, checkpoint)
    finally:
        await store.close()
    if verdict.fault:
        raise Damaged(f"The audit log does not hold: {verdict.fault}. {verdict.holds:,} entries before it do.")
    newest = f"; the newest is AUD-{verdict.holds:06d}-{verdict.head[:6]}" if verdict.holds else ""
    print(f"The audit log holds: {verdict.holds:,} entries{newest}.")


async def check_chain(store: Store) -> Verdict:
    """Verify the whole chain page by page, and that nothing is cut from its end."""
    holds, head = 0, Verdict(0).head
    async for page in _pages(store):
        verdict = verify(page, since=(holds, head))
        holds, head = holds + verdict.holds, verdict.head
        if verdict.fault:
            return Verdict(holds, verdict.broken_at, verdict.fault, head)
    sequence, newest = await store.head()
    if (sequence, newest) != (holds, head):
        fault = f"it ends at entry {holds}, but its head says {sequence}: entries are missing at the end"
        return Verdict(holds, holds + 1, fault, head)
    return Verdict(holds, head=head)


async def _pages(store: Store) -> AsyncIterator[list[Entry]]:
    after = 0
    while page := list(await store.entries(after=after, limit=PAGE)):
        yield page
        after = page[-1].sequence


async def _hold(store: Store, checkpoint: str) -> None:
    entry = await _find(store, checkpoint)
    if entry is None:
        raise Damaged(f"The audit log does not hold {checkpoint}: it was cut or replaced since that was noted.")


async def _find(store: Store, reference: str) -> Entry | None:
    read_ = read_reference(reference)
    if read_ is None:
        raise Invalid("An audit reference looks like AUD-000123-9f3a2c.")
    found = await store.entries(after=read_[0] - 1, limit=1)
    entry = found[0] if found else None
    return entry if entry and entry.sequence == read_[0] and entry.hash.startswith(read_[1]) else None


@app.command()
def show(reference: str) -> None:
    """Show one entry with everything in it."""
    asyncio.run(_show(read(), reference))


async def _show(settings: Settings, reference: str) -> None:
    from bot.store.database import open_store

    _exists(settings.database)
    store = await open_store(settings.database)
    try:
        entry = await _find(store, reference)
    finally:
        await store.close()
    if entry is None:
        raise NotFound(f"There is no audit entry {reference}.")
    print(json.dumps(_as_json(entry), indent=2, ensure_ascii=False))
    print("Its hash holds." if entry.hash == entry.computed() else "Its hash does NOT hold.", file=sys.stderr)


@app.command()
def export() -> None:
    """Write every entry as one line of JSON, in order."""
    asyncio.run(_export(read()))


async def _export(settings: Settings) -> None:
    from bot.store.database import open_store

    _exists(settings.database)
    store = await open_store(settings.database)
    try:
        async for page in _pages(store):
            for entry in page:
                print(json.dumps(_as_json(entry), ensure_ascii=False))
    finally:
        await store.close()


def _as_json(entry: Entry) -> dict[str, object]:
    return {"reference": entry.reference, **vars(entry), "at": entry.at.isoformat(), "facts": dict(entry.facts)}


def _exists(where: Path | str) -> None:
    if isinstance(where, Path) and not where.is_file():
        raise NotFound(f"There is no database at {where} yet: nothing was ever run with this data folder.")
