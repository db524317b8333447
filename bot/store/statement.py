"""The statements of every run: SQLAlchemy writes each of them once, the database then gets them without a detour.

To execute one through SQLAlchemy takes several times as long as the database needs for it.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql.compiler import SQLCompiler

from bot.core.errors import DeputyError

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
        self._written: dict[str, SQLCompiler] = {}

    def run(self, connection: Connection, values: Values = _NOTHING) -> int:
        """Execute it; return how many rows it changed."""
        with _errors(connection):
            changed: int = self._cursor(connection, values).rowcount
        return changed

    def send(self, connection: Connection, values: Values) -> Any:
        """Execute it as part of what goes `Together`; return its cursor. Raises what the driver raises."""
        return self._cursor(connection, values)

    def rows(self, connection: Connection, values: Values = _NOTHING) -> Sequence[Any]:
        """Return the rows it finds, with their columns by name and in order."""
        with _errors(connection):
            cursor = self._cursor(connection, values)
            row = _row(tuple(column[0] for column in cursor.description))
            return list(map(row._make, cursor))

    def one(self, connection: Connection, values: Values = _NOTHING) -> Any:
        """Return the one row it finds, or None where there is none."""
        return next(iter(self.rows(connection, values)), None)

    def _cursor(self, connection: Connection, values: Values) -> Any:
        dialect = connection.dialect
        written = self._written.get(dialect.name) or self._write(dialect, values)
        given = {**written.params, **values}
        named = given if written.positiontup is None else [given[name] for name in written.positiontup]
        return cast(Any, connection.connection.dbapi_connection).execute(written.string, named)

    def _write(self, dialect: Dialect, values: Values) -> SQLCompiler:
        clause = cast(Any, self._clause(dialect.name) if callable(self._clause) else self._clause)
        written = cast(SQLCompiler, clause.compile(dialect=dialect, column_keys=list(values)))
        self._written[dialect.name] = written
        return written


@dataclass(frozen=True)
class Verbatim:
    """A statement in the driver's own words, for what SQLAlchemy has none."""

    sql: str

    def send(self, connection: Connection, values: Values) -> Any:
        """Execute it as part of what goes `Together`; return its cursor. Raises what the driver raises."""
        return cast(Any, connection.connection.dbapi_connection).execute(self.sql, values)


class Together:
    """Statements whose results nobody reads, executed in their order and, on a server, in one go."""

    def __init__(self) -> None:
        self._statements: list[tuple[Statement | Verbatim, Values, DeputyError | None]] = []
        self._fault: DeputyError | None = None

    def add(self, statement: Statement | Verbatim, values: Values, fault: DeputyError | None = None) -> None:
        """Add a statement; `fault` is what it means where it contradicts a row that is there."""
        self._statements.append((statement, values, None))
        self._fault = self._fault or fault

    def expect(self, statement: Statement, values: Values, otherwise: DeputyError) -> None:
        """Add a statement that has to change a row; `otherwise` is what it means where there is none to change."""
        self._statements.append((statement, values, otherwise))

    def run(self, connection: Connection) -> None:
        """Execute them. Raises the fault that was given, or what SQLAlchemy raises."""
        try:
            with _errors(connection), _in_one_go(connection):
                changed = [
                    (statement.send(connection, values), otherwise)
                    for statement, values, otherwise in self._statements
                ]
        except IntegrityError as error:
            if self._fault is None:
                raise
            raise self._fault from error
        for cursor, otherwise in changed:
            if otherwise and cursor.rowcount == 0:
                raise otherwise


def _in_one_go(connection: Connection) -> AbstractContextManager[object]:
    driver = cast(Any, connection.connection.dbapi_connection)
    together: AbstractContextManager[object] = getattr(driver, "pipeline", nullcontext)()
    return together


@lru_cache
def _row(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names)


@contextmanager
def _errors(connection: Connection) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy's; a connection that broke is not used again."""
    driver = connection.dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        broke = connection.dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
        if broke:
            connection.invalidate(error)
        raise DBAPIError.instance("", None, error, driver.Error, connection_invalidated=broke) from error
