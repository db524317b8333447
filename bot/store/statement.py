"""The statements of every run: SQLAlchemy writes each of them once, the database then gets them without a detour.

To execute one through SQLAlchemy takes several times as long as the database needs for it.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]

_INSERTS: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

_NOTHING: Values = {}


def inserting(dialect: str, table: Table) -> Any:
    """Return a dialect's own insert, which can leave alone what is there (`on_conflict_do_nothing`)."""
    return _INSERTS[dialect](table)


class Statement:
    """A statement whose values are given by name, always under the same names; none of them is a list.

    Raises what SQLAlchemy raises, on every database.
    """

    def __init__(self, clause: Executable | Callable[[str], Executable]) -> None:
        """Take a clause, or what makes it for a dialect by its name."""
        self._clause = clause
        self._written: dict[str, Written] = {}

    def run(self, connection: Connection, values: Values = _NOTHING) -> int:
        """Execute it; return how many rows it changed."""
        with errors(connection):
            changed: int = self._cursor(connection, values).rowcount
        return changed

    def rows(self, connection: Connection, values: Values = _NOTHING) -> Sequence[Any]:
        """Return the rows it finds, with their columns by name and in order."""
        with errors(connection):
            cursor = self._cursor(connection, values)
            row = _row(tuple(column[0] for column in cursor.description))
            return list(map(row._make, cursor))

    def one(self, connection: Connection, values: Values = _NOTHING) -> Any:
        """Return the one row it finds, or None where there is none."""
        return next(iter(self.rows(connection, values)), None)

    def written(self, dialect: Dialect, values: Values) -> "Written":
        """Return it as SQLAlchemy writes it for these names of values; it does so once."""
        return self._written.get(dialect.name) or self._write(dialect, values)

    def _cursor(self, connection: Connection, values: Values) -> Any:
        written = self.written(connection.dialect, values)
        return _driver(connection).execute(written.sql, written.given(values))

    def _write(self, dialect: Dialect, values: Values) -> "Written":
        clause = cast(Any, self._clause(dialect.name) if callable(self._clause) else self._clause)
        compiled = cast(SQLCompiler, clause.compile(dialect=dialect, column_keys=list(values)))
        written = Written(compiled.string, dict(compiled.params), compiled.positiontup)
        self._written[dialect.name] = written
        return written


@dataclass(frozen=True)
class Written:
    """A statement as the driver takes it; `places` are its values' names in order, None where it has names."""

    sql: str
    constants: Values
    places: Sequence[str] | None

    def given(self, values: Values) -> Any:
        """Return what the driver is given for these values."""
        named = {**self.constants, **values}
        return named if self.places is None else [named[place] for place in self.places]


@lru_cache
def _row(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names)


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


@contextmanager
def errors(connection: Connection) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy's; a connection that broke is not used again."""
    driver = connection.dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        broke = connection.dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
        if broke:
            connection.invalidate(error)
        raise DBAPIError.instance("", None, error, driver.Error, connection_invalidated=broke) from error
