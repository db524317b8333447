"""The local channel's messages: cards that are updated in place, and people's words."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bot.core.run import Place
from bot.ports import Message, Post
from bot.store.rows import AnyRow, card_text, moment, read_message
from bot.store.tables import messages


def show(connection: Connection, post: Post, now: datetime) -> Message:
    """Write a card under its key, or update the one there; the same post again changes nothing."""
    shown = {"card": card_text(post.card), "only_for": post.only}
    there = _find(connection, post.place, post.key)
    if there is None:
        return _write(connection, post.place, post.key, now, shown)
    if shown.items() <= there._mapping.items():
        return read_message(there)
    changed = update(messages).where(messages.c.id == there.id).returning(messages)
    return read_message(connection.execute(changed, {"version": there.version + 1, **shown}).one())


def say(connection: Connection, place: Place, author: str, text: str, key: str, now: datetime) -> Message:
    """Write a person's words; the same key again changes nothing."""
    there = _find(connection, place, key)
    return read_message(there) if there else _write(connection, place, key, now, {"author": author, "text": text})


def newest(connection: Connection, place: Place, limit: int) -> Sequence[Message]:
    """Return the newest messages in order of their ids."""
    mine = select(messages).where(messages.c.conversation == place.conversation)
    rows = connection.execute(mine.order_by(messages.c.id.desc()).limit(limit)).all()
    return [read_message(row) for row in reversed(rows)]


def _find(connection: Connection, place: Place, key: str) -> AnyRow | None:
    mine = (messages.c.conversation == place.conversation) & (messages.c.key == key)
    return connection.execute(select(messages).where(mine).with_for_update()).one_or_none()


def _write(connection: Connection, place: Place, key: str, now: datetime, said: dict[str, str]) -> Message:
    empty = {"version": 1, "only_for": "", "author": "", "text": ""}
    row = {**empty, "conversation": place.conversation, "key": key, "at": moment(now), **said}
    return read_message(connection.execute(insert(messages).returning(messages), row).one())
