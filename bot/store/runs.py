"""Runs with their scripts and outputs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.action import Script
from bot.core.canonical import sha256_bytes
from bot.core.errors import Conflict, Damaged, NotFound
from bot.core.principal import Who
from bot.core.run import Run, State
from bot.ports import Output
from bot.store.rows import moment, output_row, read_output, read_run, run_row
from bot.store.tables import outputs, runs, scripts


def save(connection: Connection, run: Run) -> None:
    """Write a run whose revision is one more than the stored one's. Raises Conflict where it isn't."""
    if run.revision == 1:
        try:
            connection.execute(insert(runs), run_row(run))
        except IntegrityError as error:
            raise Conflict(f"There is a run {run.id} already. Nothing was done; ask again.") from error
        return
    mine = (runs.c.id == run.id) & (runs.c.revision == run.revision - 1)
    if connection.execute(update(runs).where(mine), run_row(run)).rowcount == 0:
        raise Conflict(
            f"Somebody else changed {run.id} at the same moment, so nothing was done. Look at its card again."
        )


def get(connection: Connection, name: str) -> Run:
    """Return one run. Raises NotFound, Damaged."""
    document = connection.execute(select(runs.c.document).where(runs.c.id == name)).scalar()
    if document is None:
        raise NotFound(f"There is no run {name}.")
    return read_run(name, document)


def newest(
    connection: Connection, states: Collection[State], requester: Who | None, action: str, limit: int
) -> Sequence[Run]:
    """Return runs, newest first: in one of `states` if any are named, of one requester or action if named."""
    query = select(runs.c.id, runs.c.document)
    if states:
        query = query.where(runs.c.state.in_([state.value for state in states]))
    if requester:
        query = query.where(runs.c.requester == requester.key)
    if action:
        query = query.where(runs.c.action == action)
    rows = connection.execute(query.order_by(runs.c.number.desc()).limit(limit))
    return [read_run(row.id, row.document) for row in rows]


def usage(connection: Connection, who: Who) -> Mapping[str, int]:
    """Count somebody's runs by action."""
    query = select(runs.c.action, func.count().label("times")).where(runs.c.requester == who.key)
    return {row.action: row.times for row in connection.execute(query.group_by(runs.c.action))}


def keep_scripts(connection: Connection, kept: Sequence[Script]) -> None:
    """Keep scripts by the hash of their bytes; one that is there already stays."""
    new = {script.sha: script for script in kept}
    if new:
        there = connection.execute(select(scripts.c.sha).where(scripts.c.sha.in_(new))).scalars()
        for sha in there.all():
            del new[sha]
    if new:
        rows = [{"sha": sha, "name": script.name, "content": script.content} for sha, script in new.items()]
        connection.execute(insert(scripts), rows)


def script(connection: Connection, sha: str) -> bytes:
    """Return a script's bytes. Raises NotFound, Damaged where they don't have that hash."""
    content: bytes | None = connection.execute(select(scripts.c.content).where(scripts.c.sha == sha)).scalar()
    if content is None:
        raise NotFound(f"There is no script with the SHA-256 {sha}.")
    if not isinstance(content, bytes) or sha256_bytes(content) != sha:
        raise Damaged(f"The script with the SHA-256 {sha} was changed in the database; it won't be run.")
    return content


def keep_output(connection: Connection, kept: Output) -> None:
    """Keep a run's output in place of an earlier attempt's."""
    connection.execute(delete(outputs).where(outputs.c.run == kept.run))
    connection.execute(insert(outputs).values(output_row(kept)))


def output(connection: Connection, run: str) -> Output | None:
    """Return a run's output. Raises Damaged."""
    row = connection.execute(select(outputs).where(outputs.c.run == run)).one_or_none()
    return read_output(row) if row else None


def forget_outputs(connection: Connection, now: datetime) -> int:
    """Remove outputs whose time is over; return how many."""
    return connection.execute(delete(outputs).where(outputs.c.expires <= moment(now))).rowcount
