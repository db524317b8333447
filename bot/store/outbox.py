"""What was delivered to Deputy, and what Deputy has to post: the inbox and the outbox."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, exists, func, insert, select, update

from bot.core.errors import Conflict
from bot.core.run import Place
from bot.ports import Delivery, Post, Waiting
from bot.store.rows import card_text, moment, read_waiting
from bot.store.statement import Statement, inserting
from bot.store.tables import deliveries, outbox
from bot.store.together import Together

WAITING, POSTED, SUPERSEDED = "waiting", "posted", "superseded"


def _due() -> Select[Any]:
    """Select posts that are due, oldest first; none overtakes an older one of its run in its place."""
    older = outbox.alias("older")
    held = exists().where(
        older.c.status == WAITING,
        older.c.id < outbox.c.id,
        older.c.due > bindparam("now"),
        older.c.run == outbox.c.run,
        older.c.run != "",
        older.c.platform == outbox.c.platform,
        older.c.conversation == outbox.c.conversation,
    )
    ready = select(outbox).where(outbox.c.status == WAITING, outbox.c.due <= bindparam("now"), ~held)
    return ready.order_by(outbox.c.id).limit(bindparam("most"))


_PLACE = ("platform", "conversation", "key")

_ACCEPT = Statement(lambda dialect: inserting(dialect, deliveries).on_conflict_do_nothing())
_SUPERSEDE = Statement(
    update(outbox)
    .where(outbox.c.status == WAITING, *(outbox.c[name] == bindparam(f"its_{name}") for name in _PLACE))
    .values(status=SUPERSEDED)
)
_PUT = Statement(insert(outbox))
_DUE = Statement(_due())


def accept(delivery: Delivery, run: str, at: datetime | None, later: Together) -> None:
    """Remember a delivery and the run it led to; a Conflict where its id came before."""
    before = Conflict("This was delivered before and was acted on then; nothing was done again.")
    later.expect(_ACCEPT, {**vars(delivery), "run": run, "at": None if at is None else moment(at)}, before)


def accepted(connection: Connection, delivery: Delivery) -> str | None:
    """Return the run that an earlier delivery of the same id led to, None for a new one.

    Raises Conflict where it came with another content (attack W3).
    """
    query = select(deliveries.c.content, deliveries.c.run).where(deliveries.c.id == delivery.id)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.content != delivery.content:
        raise Conflict(
            "A delivery with the same id came before with another content, so nothing was done. "
            "Send it anew, under an id of its own."
        )
    run: str = row.run
    return run


def put(post: Post, reference: str, later: Together) -> None:
    """Add a post, in place of the waiting ones with its key; a card without one gets `reference`."""
    card = post.card if post.card.audit else replace(post.card, audit=reference)
    place = {"platform": post.place.platform, "conversation": post.place.conversation, "key": post.key}
    later.add(_SUPERSEDE, {f"its_{name}": place[name] for name in _PLACE})
    due = moment(post.due) if post.due else ""
    shown = {"run": card.run, "only_for": post.only, "card": card_text(card)}
    later.add(_PUT, {**place, **shown, "status": WAITING, "due": due, "attempts": 0})


def due(connection: Connection, now: datetime, limit: int, beside: Collection[int]) -> Sequence[Waiting]:
    """Return waiting posts that are due, oldest first; none overtakes an older one of its run in its place.

    Those with an id in `beside` are left out: they are under way.
    """
    rows = _DUE.rows(connection, {"now": moment(now), "most": limit})
    return [read_waiting(row) for row in rows if row.id not in beside]


def waiting(connection: Connection, platform: str) -> Collection[tuple[Place, str]]:
    """Return the place and key of every post to a platform that isn't delivered."""
    query = select(outbox.c.conversation, outbox.c.key).where(
        outbox.c.status == WAITING, outbox.c.platform == platform
    )
    return [(Place(platform, row.conversation), row.key) for row in connection.execute(query)]


def posted(connection: Connection, ids: Collection[int]) -> None:
    """Mark posts as delivered."""
    _posted(len(ids)).run(connection, {f"post_{number}": post for number, post in enumerate(ids)})


@lru_cache(100)
def _posted(count: int) -> Statement:
    these = outbox.c.id.in_([bindparam(f"post_{number}") for number in range(count)])
    return Statement(update(outbox).where(these).values(status=POSTED))


def tidy(connection: Connection, before: datetime) -> None:
    """Remove posts that are done with, but the newest, and deliveries from before a moment."""
    # An id is never given twice: SQLite numbers on from the largest one that is there.
    newest = select(func.max(outbox.c.id)).scalar_subquery()
    connection.execute(delete(outbox).where(outbox.c.status != WAITING, outbox.c.id < newest))
    connection.execute(delete(deliveries).where(deliveries.c.at < moment(before)))


def postpone(connection: Connection, post: int, until: datetime) -> None:
    """Count a failed attempt and make a post due later."""
    later = {"due": moment(until), "attempts": outbox.c.attempts + 1}
    connection.execute(update(outbox).where(outbox.c.id == post, outbox.c.status == WAITING).values(later))
