"""Copying one database into another, empty one: every table, and the proof that the audit chain arrived whole."""

from sqlalchemy import Connection, Table, delete, func, insert, select

from bot.core.audit import Verdict, verify
from bot.core.errors import Conflict, Damaged
from bot.core.run import State
from bot.store import chain
from bot.store.tables import audit_head, metadata, runs

ROWS = 500  # rows in one statement
ENTRIES = 5_000  # audit entries verified at once


def copy(source: Connection, target: Connection) -> int:
    """Copy every row, in the target's transaction; return how many. Raises Conflict, Damaged."""
    _check_idle(source)
    _check_empty(target)
    target.execute(delete(audit_head))
    copied = sum(_copy_table(source, target, table) for table in metadata.sorted_tables)
    if target.dialect.name == "postgresql":
        _number_on(target)
    _check_chain(source, target)
    return copied


def _check_idle(source: Connection) -> None:
    lost = source.execute(select(runs.c.id).where(runs.c.state == State.RUNNING.value)).scalars().all()
    if lost:
        raise Conflict(
            f"{', '.join(lost)} did not end when Deputy did. Start it once more on the old data, so that it "
            "names what was interrupted; then stop it and copy again. Nothing was copied."
        )


def _check_empty(target: Connection) -> None:
    for table in metadata.sorted_tables:
        rows = target.execute(select(func.count()).select_from(table)).scalar_one()
        if rows and table is not audit_head:
            raise Conflict(
                f"The new database is not empty: it has {rows:,} rows in {table.name}. Nothing was copied; "
                "give an empty one."
            )


def _copy_table(source: Connection, target: Connection, table: Table) -> int:
    copied = 0
    rows = source.execution_options(yield_per=ROWS).execute(select(table).order_by(*table.primary_key))
    for part in rows.mappings().partitions():
        target.execute(insert(table), [dict(row) for row in part])
        copied += len(part)
    return copied


def _number_on(target: Connection) -> None:
    """Let new rows be numbered after the copied ones, which came with their numbers."""
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            target.execute(select(func.setval(sequence, func.max(column))))


def _check_chain(source: Connection, target: Connection) -> None:
    holds, head = 0, Verdict(0).head
    while page := chain.entries(target, holds, ENTRIES, ""):
        verdict = verify(page, since=(holds, head))
        if verdict.fault:
            raise Damaged(f"The audit log does not hold: {verdict.fault}. Nothing was copied.")
        holds, head = holds + verdict.holds, verdict.head
    if not (holds, head) == chain.head(target) == chain.head(source):
        raise Damaged(f"The audit log ends at entry {holds}, but its head says otherwise. Nothing was copied.")
