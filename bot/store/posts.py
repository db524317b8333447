"""Where chat platforms show posts: the message that each of them is, so that it is updated in place."""

from sqlalchemy import ColumnElement, Connection, insert, select, update

from bot.core.run import Place
from bot.service.posts import Posted
from bot.store.tables import posts


def expect(connection: Connection, place: Place, key: str) -> Posted | None:
    """Return where a post is shown; None where it was never tried, which from now on it was."""
    row = connection.execute(select(posts).where(_this(place, key)).with_for_update()).one_or_none()
    if row is not None:
        return Posted(row.shown_in, row.message, row.content)
    connection.execute(insert(posts), {**vars(place), "key": key, "shown_in": "", "message": "", "content": ""})
    return None


def keep(connection: Connection, place: Place, key: str, posted: Posted) -> None:
    """Note where a post is shown now."""
    shown = {"shown_in": posted.conversation, "message": posted.message, "content": posted.content}
    connection.execute(update(posts).where(_this(place, key)).values(shown))


def _this(place: Place, key: str) -> ColumnElement[bool]:
    there = (posts.c.platform == place.platform) & (posts.c.conversation == place.conversation)
    return there & (posts.c.key == key)
