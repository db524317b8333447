"""Where chat platforms show posts: the message that each of them is, so that it is updated in place."""

from typing import Any

from sqlalchemy import Connection, bindparam, select

from bot.core.run import Place
from bot.service.posts import Posted
from bot.store.statement import Statement, inserting
from bot.store.tables import posts

_PLACE = ("platform", "conversation", "key")
_SHOWN = ("shown_in", "message", "content")
_THIS = [posts.c[name] == bindparam(f"its_{name}") for name in _PLACE]


def _kept(dialect: str) -> Any:
    new = inserting(dialect, posts)
    return new.on_conflict_do_update(index_elements=_PLACE, set_={name: new.excluded[name] for name in _SHOWN})


_FIND = Statement(select(posts.c.shown_in, posts.c.message, posts.c.content).where(*_THIS))
_EXPECT = Statement(lambda dialect: inserting(dialect, posts).on_conflict_do_nothing())
_KEEP = Statement(_kept)


def find(connection: Connection, place: Place, key: str) -> Posted | None:
    """Return where a post is shown; None where nothing was noted of it."""
    row = _FIND.one(connection, {f"its_{name}": value for name, value in {**vars(place), "key": key}.items()})
    return None if row is None else Posted(row.shown_in, row.message, row.content)


def expect(connection: Connection, place: Place, key: str) -> Posted | None:
    """Return where a post is shown; None where it was never tried, which from now on it was."""
    known = find(connection, place, key)
    tried = {**vars(place), "key": key, "shown_in": "", "message": "", "content": ""}
    if known is None and not _EXPECT.run(connection, tried):
        return Posted()  # another process tries it at this very moment
    return known


def keep(connection: Connection, place: Place, key: str, posted: Posted) -> None:
    """Note where a post is shown now."""
    shown = {"shown_in": posted.conversation, "message": posted.message, "content": posted.content}
    _KEEP.run(connection, {**vars(place), "key": key, **shown})
