"""Runs with their scripts and outputs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, delete, func, insert, select, update

from bot.core.action import Script
from bot.core.canonical import sha256_bytes
from bot.core.errors import Conflict, Damaged, NotFound
from bot.core.principal import Who
from bot.core.run import Run, State
from bot.ports import Output
from bot.store.rows import moment, output_row, read_output, read_run, run_row
from bot.store.statement import Statement, inserting
from bot.store.tables import outputs, runs, scripts
from bot.store.together import Together

_BEGIN = Statement(lambda dialect: inserting(dialect, runs).on_conflict_do_nothing())
_ADVANCE = Statement(update(runs).where(runs.c.id == bindparam("its_id"), runs.c.revision == bindparam("before")))
_GET = Statement(select(runs.c.document).where(runs.c.id == bindparam("its_id")))
_SCRIPT = Statement(select(scripts.c.content).where(scripts.c.sha == bindparam("its_sha")))
_HAS_SCRIPT = Statement(select(scripts.c.sha).where(scripts.c.sha == bindparam("its_sha")))
_KEEP_SCRIPT = Statement(insert(scripts))
_KEEP_OUTPUT = Statement(lambda dialect: _in_its_place(inserting(dialect, outputs)))


def save(run: Run, steps: int, later: Together) -> None:
    """Write a run whose revision is `steps` more than the stored one's; a Conflict where it isn't."""
    before = run.revision - steps
    if not before:
        twice = Conflict(f"There is a run {run.id} already. Nothing was done; ask again.")
        later.expect(_BEGIN, run_row(run), twice)
        return
    overtaken = Conflict(
        f"Somebody else changed {run.id} at the same moment, so nothing was done. Look at its card again."
    )
    later.expect(_ADVANCE, {**run_row(run), "its_id": run.id, "before": before}, overtaken)


def get(connection: Connection, name: str) -> Run:
    """Return one run. Raises NotFound, Damaged."""
    row = _GET.one(connection, {"its_id": name})
    if row is None:
        raise NotFound(f"There is no run {name}.")
    return read_run(name, row.document)


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


def late(connection: Connection, now: datetime, limit: int) -> Sequence[Run]:
    """Return runs that wait for approval though their time to be decided is over, the oldest first."""
    over = (runs.c.state == State.AWAITING_APPROVAL.value) & (runs.c.expires <= moment(now))
    rows = connection.execute(select(runs.c.id, runs.c.document).where(over).order_by(runs.c.expires).limit(limit))
    return [read_run(row.id, row.document) for row in rows]


def queued(connection: Connection, limit: int) -> Sequence[str]:
    """Return the ids of queued runs, the oldest first."""
    query = select(runs.c.id).where(runs.c.state == State.QUEUED.value)
    return connection.execute(query.order_by(runs.c.number).limit(limit)).scalars().all()


def usage(connection: Connection, who: Who) -> Mapping[str, int]:
    """Count somebody's runs by action."""
    query = select(runs.c.action, func.count().label("times")).where(runs.c.requester == who.key)
    return {row.action: row.times for row in connection.execute(query.group_by(runs.c.action))}


def keep_scripts(connection: Connection, kept: Sequence[Script]) -> None:
    """Keep scripts by the hash of their bytes; one that is there already stays."""
    for script in kept:
        if not _HAS_SCRIPT.rows(connection, {"its_sha": script.sha}):
            _KEEP_SCRIPT.run(connection, {"sha": script.sha, "name": script.name, "content": script.content})


def script(connection: Connection, sha: str) -> bytes:
    """Return a script's bytes. Raises NotFound, Damaged where they don't have that hash."""
    row = _SCRIPT.one(connection, {"its_sha": sha})
    if row is None:
        raise NotFound(f"There is no script with the SHA-256 {sha}.")
    content = row.content
    if not isinstance(content, bytes) or sha256_bytes(content) != sha:
        raise Damaged(f"The script with the SHA-256 {sha} was changed in the database; it won't be run.")
    return content


def _in_its_place(kept: Any) -> Executable:
    """Let an insert of an output take the place of the one that is there."""
    new = {name: kept.excluded[name] for name in ("text", "sealed", "expires")}
    clause: Executable = kept.on_conflict_do_update(index_elements=["run"], set_=new)
    return clause


def keep_output(kept: Output, later: Together) -> None:
    """Keep a run's output in place of an earlier attempt's."""
    later.add(_KEEP_OUTPUT, output_row(kept))


def output(connection: Connection, run: str) -> Output | None:
    """Return a run's output. Raises Damaged."""
    row = connection.execute(select(outputs).where(outputs.c.run == run)).one_or_none()
    return read_output(row) if row else None


def sealed_outputs(connection: Connection) -> Sequence[Output]:
    """Return every output that is sealed, by run. Raises Damaged."""
    rows = connection.execute(select(outputs).where(outputs.c.sealed.is_not(None)).order_by(outputs.c.run))
    return [read_output(row) for row in rows]


def reseal_output(connection: Connection, before: Output, sealed: bytes) -> None:
    """Replace what an output has sealed, unless that is another by now."""
    same = (outputs.c.run == before.run) & (outputs.c.sealed == before.sealed)
    connection.execute(update(outputs).where(same).values(sealed=sealed))


def forget_outputs(connection: Connection, now: datetime) -> int:
    """Remove outputs whose time is over; return how many."""
    return connection.execute(delete(outputs).where(outputs.c.expires <= moment(now))).rowcount
