"""Statements whose results nobody reads: one after the other in SQLite, one single statement for PostgreSQL.

There each statement waits for the server, and for its turn to run Python again; a change of a run has ten.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import IntegrityError

from bot.core.errors import DeputyError
from bot.store.statement import Statement, Values, errors

_PLACE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class Verbatim:
    """A query in PostgreSQL's own words, for what SQLAlchemy has none; its places read `%(name)s`."""

    sql: str


@dataclass(frozen=True)
class _Part:
    statement: Statement | Verbatim
    values: Values
    otherwise: DeputyError | None = None


class Together:
    """Statements to be executed in one go: none sees what another one writes, so no two are about one row."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self._fault: DeputyError | None = None

    def add(self, statement: Statement | Verbatim, values: Values, fault: DeputyError | None = None) -> None:
        """Add a statement; `fault` is what it means where it contradicts a row that is there."""
        self._parts.append(_Part(statement, values))
        self._fault = self._fault or fault

    def expect(self, statement: Statement, values: Values, otherwise: DeputyError) -> None:
        """Add a statement that has to change a row; `otherwise` is what it means where there is none to change."""
        self._parts.append(_Part(statement, values, otherwise))

    def run(self, connection: Connection) -> None:
        """Execute them. Raises the fault that was given, or what SQLAlchemy raises."""
        if not self._parts:
            return
        run = _as_one if connection.dialect.name == "postgresql" else _one_by_one
        try:
            changed = run(connection, self._parts)
        except IntegrityError as error:
            if self._fault is None:
                raise
            raise self._fault from error
        for part, rows in zip(self._parts, changed, strict=True):
            if part.otherwise and rows == 0:
                raise part.otherwise


def _one_by_one(connection: Connection, parts: Sequence[_Part]) -> list[int]:
    """Return how many rows each changed."""
    return [part.statement.run(connection, part.values) for part in parts if isinstance(part.statement, Statement)]


def _as_one(connection: Connection, parts: Sequence[_Part]) -> Sequence[int]:
    """Return how many rows each changed, or found."""
    dialect, values = connection.dialect, dict[str, Any]()
    for number, part in enumerate(parts):
        if isinstance(part.statement, Statement):
            part.statement.written(dialect, part.values)  # before it is joined: which values it has is known here
        values.update({f"p{number}_{name}": value for name, value in _given(dialect, part).items()})
    joined = _joined(dialect, tuple(part.statement for part in parts))
    with errors(connection):
        driver: Any = connection.connection.dbapi_connection
        counts: Sequence[int] = driver.execute(joined, values).fetchone()
    return counts


def _given(dialect: Dialect, part: _Part) -> Values:
    if isinstance(part.statement, Verbatim):
        return part.values
    return {**part.statement.written(dialect, part.values).constants, **part.values}


@lru_cache(1000)
def _joined(dialect: Dialect, statements: tuple[Statement | Verbatim, ...]) -> str:
    """Join statements to one that tells how many rows each changed; to be counted, a query is carried out too."""
    parts = [f"p{number} AS ({_part(dialect, one, number)})" for number, one in enumerate(statements)]
    counts = [f"(SELECT count(*) FROM p{number})" for number in range(len(parts))]  # noqa: S608 - numbers alone
    return f"WITH {', '.join(parts)} SELECT {', '.join(counts)}"


def _part(dialect: Dialect, statement: Statement | Verbatim, number: int) -> str:
    if isinstance(statement, Verbatim):
        sql = statement.sql
    else:
        sql = statement.written(dialect, {}).sql
        sql = sql if " RETURNING " in sql else f"{sql} RETURNING 1"
    return _PLACE.sub(rf"%(p{number}_\1)s", sql)
