"""The actions that people marked as their favourites."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, select

from bot.core.principal import Who
from bot.store.statement import inserting
from bot.store.tables import favourites


def of(connection: Connection, who: Who) -> Collection[str]:
    """Return the ids of somebody's favourite actions, also of those that are gone."""
    mine = select(favourites.c.action).where(favourites.c.principal == who.key)
    return set(connection.execute(mine).scalars())


def mark(connection: Connection, who: Who, action: str) -> None:
    """Mark an action as somebody's favourite; one that is stays."""
    insert = inserting(connection.dialect.name, favourites).on_conflict_do_nothing()
    connection.execute(insert, {"principal": who.key, "action": action})


def unmark(connection: Connection, who: Who, action: str) -> None:
    """Let an action no longer be somebody's favourite."""
    mine = (favourites.c.principal == who.key) & (favourites.c.action == action)
    connection.execute(delete(favourites).where(mine))
