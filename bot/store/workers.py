"""What processes tell each other: that they live, and that a script of another one is to stop."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.principal import Who
from bot.core.run import State
from bot.store.statement import Statement
from bot.store.tables import runs, stops, workers
from bot.store.together import Together

_ENDED = Statement(delete(stops).where(stops.c.run == bindparam("its_run")))


def beat(connection: Connection, worker: str) -> None:
    """Count one on for a worker that lives; one that was taken for dead begins anew."""
    mine = update(workers).where(workers.c.name == worker).values(beats=workers.c.beats + 1)
    if connection.execute(mine).rowcount == 0:
        connection.execute(insert(workers), {"name": worker, "beats": 1})


def beats(connection: Connection) -> Mapping[str, int]:
    """Return the counts of all workers by their names."""
    return {row.name: row.beats for row in connection.execute(select(workers))}


def leave(connection: Connection, names: Collection[str]) -> None:
    """Forget workers that have ended."""
    connection.execute(delete(workers).where(workers.c.name.in_(names)))


def ask_stop(connection: Connection, run: str, by: Who) -> bool:
    """Ask for a running script to be stopped; who asked first counts. False where it isn't running."""
    running = (runs.c.id == run) & (runs.c.state == State.RUNNING.value)
    if connection.execute(select(runs.c.id).where(running)).scalar() is None:
        return False
    try:
        with connection.begin_nested():
            connection.execute(insert(stops), {"run": run, **vars(by)})
    except IntegrityError:
        pass
    return True


def asked_to_stop(connection: Connection, names: Collection[str]) -> Mapping[str, Who]:
    """Return who asked which of these runs to stop."""
    rows = connection.execute(select(stops).where(stops.c.run.in_(names)))
    return {row.run: Who(row.tenant, row.oid, row.name) for row in rows}


def ended(run: str, later: Together) -> None:
    """Forget that a run was to be stopped."""
    later.add(_ENDED, {"its_run": run})
