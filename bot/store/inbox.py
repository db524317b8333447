"""What was said in chat: kept before it is acknowledged, and until it is done."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from bot.service.inbox import Intent
from bot.store.rows import moment
from bot.store.statement import inserting
from bot.store.tables import intents


def keep(connection: Connection, kept: Sequence[Intent], holder: str) -> Collection[str]:
    """Keep intents for a holder, a name of this one call; return the ids of those that never came before."""
    rows = [{**vars(one), "at": moment(one.at), "holder": holder} for one in kept]
    new = inserting(connection, intents).on_conflict_do_nothing().returning(intents.c.id)
    return set(connection.execute(new, rows).scalars())


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
