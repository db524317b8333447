"""Locks: what a running run keeps others from working on meanwhile."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from bot.core.errors import Busy
from bot.store.statement import Statement
from bot.store.tables import locks
from bot.store.together import Together

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


def take_places(connection: Connection, run: str, limits: Mapping[str, int]) -> None:
    """Take one of the places that there are under each name. Raises Busy where all are taken."""
    for name, most in sorted(limits.items()):
        places = [f"{name} {number}" for number in range(1, most + 1)]
        taken = set(connection.execute(select(locks.c.name).where(locks.c.name.in_(places))).scalars())
        free = next((place for place in places if place not in taken), None)
        if free is None:
            raise Busy(f"{run} waits: {most} of its kind run already.")
        hold(connection, run, [free])


def release(run: str, later: Together) -> None:
    """Give back what a run holds."""
    later.add(_RELEASE, {"its_run": run})
