"""Where chat platforms show posts: the message that each of them is, so that it is updated in place."""

from sqlalchemy import Connection, bindparam, insert, select, update

from bot.core.run import Place
from bot.service.posts import Posted
from bot.store.statement import Statement
from bot.store.tables import posts

_PLACE = ("platform", "conversation", "key")
_THIS = [posts.c[name] == bindparam(f"its_{name}") for name in _PLACE]
_FIND = Statement(select(posts.c.shown_in, posts.c.message, posts.c.content).where(*_THIS).with_for_update())
_EXPECT = Statement(insert(posts))
_KEEP = Statement(update(posts).where(*_THIS))


def expect(connection: Connection, place: Place, key: str) -> Posted | None:
    """Return where a post is shown; None where it was never tried, which from now on it was."""
    row = _FIND.one(connection, _this(place, key))
    if row is not None:
        return Posted(row.shown_in, row.message, row.content)
    _EXPECT.run(connection, {**vars(place), "key": key, "shown_in": "", "message": "", "content": ""})
    return None


def keep(connection: Connection, place: Place, key: str, posted: Posted) -> None:
    """Note where a post is shown now."""
    shown = {"shown_in": posted.conversation, "message": posted.message, "content": posted.content}
    _KEEP.run(connection, {**_this(place, key), **shown})


def _this(place: Place, key: str) -> dict[str, str]:
    return {"its_platform": place.platform, "its_conversation": place.conversation, "its_key": key}
