"""`deputy db`: bring the database up to date, check it, copy it to PostgreSQL."""

import asyncio
from dataclasses import replace
from typing import Annotated

import typer

from bot.core.errors import Conflict, Damaged, NotFound
from bot.settings import Settings, read

app = typer.Typer(no_args_is_help=True, help="The database: bring it up to date, check it, copy it to PostgreSQL.")


@app.command()
def upgrade() -> None:
    """Bring the tables up to date. Starting Deputy does so too; this lets another account own them."""
    asyncio.run(_upgrade(read()))


async def _upgrade(settings: Settings) -> None:
    from bot.app import bring_up_to_date

    await bring_up_to_date(settings)
    print("The database is up to date.")


@app.command()
def check() -> None:
    """Check that the stored pages fit each other, and that the audit log holds."""
    asyncio.run(_check(read()))


async def _check(settings: Settings) -> None:
    from bot.cli.audit import check_chain
    from bot.store.database import open_store

    if not settings.database_url and not settings.database_file.is_file():
        raise NotFound(f"There is no database at {settings.database_file} yet.")
    store = await open_store(settings.database)
    try:
        await store.check()
        verdict = await check_chain(store)
    finally:
        await store.close()
    if verdict.fault:
        raise Damaged(f"The audit log does not hold: {verdict.fault}.")
    print(f"The database is sound, and its audit log holds: {verdict.holds:,} entries.")


@app.command()
def copy(
    to: Annotated[str, typer.Option(help="postgresql://deputy:password@db.example.com/deputy, an empty database")],
) -> None:
    """Copy everything from SQLite's file into an empty PostgreSQL database. No Deputy may be running on it."""
    asyncio.run(_copy(read(), to))


async def _copy(settings: Settings, to: str) -> None:
    from bot.app import bring_up_to_date
    from bot.engine.lock import only_one
    from bot.store.database import open_store

    if settings.database_url:
        raise Conflict(
            "DEPUTY_DATABASE_URL is set already: only SQLite's file is copied. Unset it for this command."
        )
    if not settings.database_file.is_file():
        raise NotFound(f"There is no database at {settings.database_file} to copy.")
    with only_one(settings.data_dir):
        await bring_up_to_date(replace(settings, database_url=to))
        source, target = await open_store(settings.database_file), await open_store(to)
        try:
            rows = await target.fill(source)
        finally:
            await source.close()
            await target.close()
    print(f"{rows:,} rows are copied and the audit log holds. Set DEPUTY_DATABASE_URL to that address.")
    print(f"The vault's key stays where it is: {settings.key_file}. Every machine that runs scripts needs it.")
