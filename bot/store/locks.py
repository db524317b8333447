"""Locks: what a running run keeps others from working on meanwhile."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, insert
from sqlalchemy.exc import IntegrityError

from bot.core.errors import Busy
from bot.store.statement import Statement
from bot.store.tables import locks

_RELEASE = Statement(delete(locks).where(locks.c.run == bindparam("its_run")))


def hold(connection: Connection, run: str, names: Sequence[str]) -> None:
    """Hold locks for a run. Raises Busy where another run holds one of them."""
    if not names:
        return
    # In one order for everybody, so that two runs with the same locks can't wait for each other.
    rows = [{"name": name, "run": run} for name in sorted(set(names))]
    try:
        connection.execute(insert(locks), rows)
    except IntegrityError as error:
        raise Busy(f"{run} waits: another run works on the same thing now.") from error


def release(connection: Connection, run: str) -> None:
    """Give back what a run holds."""
    _RELEASE.run(connection, {"its_run": run})
