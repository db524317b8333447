"""The databases that the store runs on: which one an address means, and all that differs between them."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine


class Backend(Protocol):
    """One database: how to connect to it, and what its errors mean.

    It is `near` where it works in this process: a small question is answered before a thread would have begun.
    """

    @property
    def near(self) -> bool: ...

    def writer(self) -> Engine:
        """Return the engine of the one connection that writes; its transactions wait for other writers."""

    def readers(self) -> Engine:
        """Return the engine of the connections that read: beside the writer, without waiting for it."""

    def errors(self) -> AbstractContextManager[None]:
        """Map what the database raises onto Unavailable, Damaged and Invalid, in sentences that name it."""

    def check(self, connection: Connection) -> None:
        """Raise Damaged where the stored pages don't fit each other."""


def backend(where: Path | str) -> Backend:
    """Return the database at `where`: a path is SQLite's file (made where there is none), a text a URL.

    Raises Unavailable for a file that can't be made, Invalid for a URL that can't be read.
    """
    if isinstance(where, Path):
        from bot.store.sqlite import SqliteFile

        return SqliteFile.make(where)
    from bot.store.postgres import PostgresDatabase

    return PostgresDatabase.read(where)
