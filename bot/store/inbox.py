"""What was said in chat: kept before it is acknowledged, and until it is done."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from bot.service.inbox import Intent
from bot.store.rows import moment
from bot.store.statement import Statement, inserting
from bot.store.tables import intents

MOST = 50  # rows in one statement


def keep(connection: Connection, kept: Sequence[Intent], holder: str) -> Collection[str]:
    """Keep intents for a holder, a name of this one call; return the ids of those that never came before."""
    new = set[str]()
    for start in range(0, len(kept), MOST):
        some = kept[start : start + MOST]
        ids = {one.id for one in some}
        count = _keeping(connection.dialect.name, len(some)).run(connection, _numbered(some, holder))
        new |= ids if count == len(ids) else _held(connection, ids, holder)
    return new


@lru_cache(2 * MOST)
def _keeping(dialect: str, count: int) -> Statement:
    """Return what inserts so many rows at once: row by row, each waits for its turn to run Python again."""
    names = [column.name for column in intents.columns]
    rows: list[dict[str, Any]] = [{name: bindparam(f"{name}_{row}") for name in names} for row in range(count)]
    return Statement(inserting(dialect, intents).values(rows).on_conflict_do_nothing())


def _numbered(kept: Sequence[Intent], holder: str) -> Mapping[str, str]:
    values = {}
    for row, one in enumerate(kept):
        values[f"id_{row}"] = one.id
        values[f"document_{row}"] = one.document
        values[f"holder_{row}"] = holder
        values[f"at_{row}"] = moment(one.at)
    return values


def _held(connection: Connection, ids: Collection[str], holder: str) -> set[str]:
    mine = select(intents.c.id).where(intents.c.id.in_(ids), intents.c.holder == holder)
    return set(connection.execute(mine).scalars())


def done(connection: Connection, ids: Collection[str]) -> None:
    """Empty intents that were acted on; their ids stay, so that they are known when they come again."""
    connection.execute(update(intents).where(intents.c.id.in_(ids)).values(document=""))


def take_over(connection: Connection, before: datetime, holder: str, now: datetime) -> Sequence[Intent]:
    """Return what was kept before a moment and is not done yet; it is the new holder's now."""
    left = select(intents).where(intents.c.document != "", intents.c.at < moment(before)).order_by(intents.c.at)
    rows = connection.execute(left.with_for_update(skip_locked=True)).all()
    mine = intents.c.id.in_([row.id for row in rows])
    connection.execute(update(intents).where(mine).values(holder=holder, at=moment(now)))
    return [Intent(row.id, row.document, datetime.fromisoformat(row.at)) for row in rows]


def forget(connection: Connection, before: datetime) -> None:
    """Remove what is done and came before a moment."""
    over = delete(intents).where(intents.c.document == "", intents.c.at < moment(before))
    connection.execute(over)
