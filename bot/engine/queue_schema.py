"""The tables of Procrastinate's queue, made and brought up to date by the statements it ships."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
from procrastinate.schema import SchemaManager

from bot.engine.bell import CONNECTION

UPGRADING = 0x4465707574790003  # the advisory lock of who upgrades: "Deputy", then a number


async def upgrade(url: str) -> None:
    """Bring the queue's tables up to date; several processes may do so at once. Raises psycopg.Error."""
    async with await psycopg.AsyncConnection.connect(url, **CONNECTION) as connection:  # type: ignore[arg-type]
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [UPGRADING])
        await connection.execute("CREATE TABLE IF NOT EXISTS queue_migrations (name text PRIMARY KEY)")
        rows = await (await connection.execute("SELECT name FROM queue_migrations")).fetchall()
        for name, statements in _missing({str(name) for (name,) in rows}):
            await connection.execute(statements.encode())
            await connection.execute("INSERT INTO queue_migrations VALUES (%s)", [name])


def _missing(there: set[str]) -> Iterator[tuple[str, str]]:
    """Yield names and statements of what is to be done; what makes everything new stands for all the steps."""
    steps = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    if not there:
        yield "schema", SchemaManager.get_schema()
    for step in steps:
        if step.name not in there:
            yield step.name, step.read_text() if there else "SELECT"
