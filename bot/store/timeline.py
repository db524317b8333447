"""The local channel's messages: cards that are updated in place, and people's words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from bot.core.run import Place
from bot.ports import Message, Post
from bot.store.rows import card_text, moment, read_message
from bot.store.statement import Statement
from bot.store.tables import messages

_FIND = Statement(
    select(messages)
    .where(messages.c.conversation == bindparam("place"), messages.c.key == bindparam("its_key"))
    .with_for_update()
)
_ADD = Statement(insert(messages).returning(messages))
_CHANGE = Statement(update(messages).where(messages.c.id == bindparam("its_id")).returning(messages))


def show(connection: Connection, post: Post, now: datetime) -> Message:
    """Write a card under its key, or update the one there; the same post again changes nothing."""
    shown = {"card": card_text(post.card), "only_for": post.only}
    there = _find(connection, post.place, post.key)
    if there is None:
        return _write(connection, post.place, post.key, now, shown)
    if (there.card, there.only_for) == (shown["card"], shown["only_for"]):
        return read_message(there)
    changed = {"its_id": there.id, "version": there.version + 1, **shown}
    return read_message(_CHANGE.one(connection, changed))


def say(connection: Connection, place: Place, author: str, text: str, key: str, now: datetime) -> Message:
    """Write a person's words; the same key again changes nothing."""
    there = _find(connection, place, key)
    return read_message(there) if there else _write(connection, place, key, now, {"author": author, "text": text})


def newest(connection: Connection, place: Place, limit: int) -> Sequence[Message]:
    """Return the newest messages in order of their ids."""
    mine = select(messages).where(messages.c.conversation == place.conversation)
    rows = connection.execute(mine.order_by(messages.c.id.desc()).limit(limit)).all()
    return [read_message(row) for row in reversed(rows)]


def _find(connection: Connection, place: Place, key: str) -> Any:
    return _FIND.one(connection, {"place": place.conversation, "its_key": key})


def _write(connection: Connection, place: Place, key: str, now: datetime, said: dict[str, str]) -> Message:
    empty = {"version": 1, "only_for": "", "author": "", "text": "", "card": None}
    row = {**empty, "conversation": place.conversation, "key": key, "at": moment(now), **said}
    return read_message(_ADD.one(connection, row))
