"""The statements of every run: SQLAlchemy writes each of them once, SQLite then gets them without a detour.

To execute one through SQLAlchemy takes several times as long as SQLite needs for it. On a server it is the way
there that takes long, and SQLAlchemy looks after broken connections, so there nothing is left out.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]

_INSERTS: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

_NOTHING: Values = {}


def inserting(connection: Connection, table: Table) -> Any:
    """Return the connection's own insert, which can leave alone what is there (`on_conflict_do_nothing`)."""
    return _INSERTS[connection.dialect.name](table)


class Statement:
    """A statement whose values are given by name, always under the same names; none of them is a list.

    Raises what SQLAlchemy raises, on every database.
    """

    def __init__(self, clause: Executable) -> None:
        self._clause = clause
        self._written: SQLCompiler | None = None

    def run(self, connection: Connection, values: Values = _NOTHING) -> int:
        """Execute it; return how many rows it changed."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._clause, values).rowcount
        with _errors():
            return self._cursor(connection, values).rowcount

    def rows(self, connection: Connection, values: Values = _NOTHING) -> Sequence[Any]:
        """Return the rows it finds, with their columns by name and in order."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._clause, values).all()
        with _errors():
            cursor = self._cursor(connection, values)
            row = _row(tuple(name for name, *_ in cursor.description))
            return list(map(row._make, cursor))

    def one(self, connection: Connection, values: Values = _NOTHING) -> Any:
        """Return the one row it finds, or None where there is none."""
        return next(iter(self.rows(connection, values)), None)

    def _cursor(self, connection: Connection, values: Values) -> sqlite3.Cursor:
        written = self._written or self._write(values)
        given = {**written.params, **values}
        driver = cast(sqlite3.Connection, connection.connection.dbapi_connection)
        return driver.execute(written.string, [given[name] for name in written.positiontup or ()])

    def _write(self, values: Values) -> SQLCompiler:
        clause = cast(Any, self._clause)
        self._written = written = cast(SQLCompiler, clause.compile(dialect=_SQLITE, column_keys=list(values)))
        return written


_SQLITE = sqlite.dialect()


@lru_cache
def _row(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names)


@contextmanager
def _errors() -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy's."""
    try:
        yield
    except sqlite3.Error as error:
        raise DBAPIError.instance("", None, error, sqlite3.Error) from error
