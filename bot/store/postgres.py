"""All that only PostgreSQL understands: how to connect, and what its errors mean."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    SQLAlchemyError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from bot.core.errors import Damaged, DeputyError, Invalid, Unavailable
from bot.store.statement import errors

READERS = 4
PATIENCE = 5  # seconds to wait for a connection, or for another process that is writing
WRITING = 0x4465707574790001  # the advisory lock of who writes: "Deputy", then a number

# The driver begins no transaction by itself (AUTOCOMMIT), which would take another message and answer.
_BEGIN_ALONE = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({WRITING})"

# A commit is on the disk when it returns, whatever the server's default; and no process that hangs in the
# midst of a transaction keeps the others waiting.
_SESSION = {"synchronous_commit": "on", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "15s"}
_CONNECTION = {
    "application_name": "deputy",
    "client_encoding": "utf8",
    "connect_timeout": PATIENCE,
    "tcp_user_timeout": 15_000,
}

_EXAMPLE = "postgresql://deputy:password@db.example.com/deputy"

RESTED = 1.0  # seconds without use, after which a connection may have broken unnoticed

# By SQLSTATE, appendix A of PostgreSQL's manual.
_UNAVAILABLE = {
    "53100": "can't be written: its disk is full. Nothing was done; free space, then try again.",
    "25006": "can't be written: it is read-only. Nothing was done; point DEPUTY_DATABASE_URL at the primary.",
    "42501": "refuses Deputy a right it needs. Nothing was done; make Deputy's role the owner of its tables.",
    "55P03": "is held by another program. Nothing was done; try again in a moment, or end what holds it.",
    "58030": "can't be read or written: its disk fails. Nothing was done; look at the server's log.",
}
_DAMAGED = {"XX001", "XX002"}
_CHARACTERS = {"22P05": "a character that the database's encoding lacks: give it the encoding UTF8"}
_NUL = "a NUL character, which PostgreSQL can't store"


@dataclass(frozen=True)
class PostgresDatabase:
    """One database of a PostgreSQL server; satisfies `Backend`."""

    url: URL = field(repr=False)
    near = False

    @classmethod
    def read(cls, text: str) -> "PostgresDatabase":
        """Read `postgresql://name:password@host:port/database`. Raises Invalid."""
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            url = None
        if url is None or url.drivername != "postgresql" or not url.database:
            raise Invalid(
                f"This is no address of a PostgreSQL database; one reads like {_EXAMPLE}.", "The database"
            )
        return cls(url.set(drivername="postgresql+psycopg"))

    @property
    def name(self) -> str:
        """Return what people call it: the database and its server, without the password."""
        host = self.url.host or self.url.query.get("host") or "this machine"
        return f"{self.url.database} on {host}"

    def writer(self) -> Engine:
        """Return the engine of the one connection that writes; its transactions wait for other writers."""
        engine = self._engine(1, {})

        # One after the other, as in SQLite: two writers that lock rows in another order would wait for each other.
        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            driver: Any = connection.connection.dbapi_connection
            with errors(connection):
                driver.execute(_BEGIN_ALONE, prepare=False)  # two statements at once can't be prepared

        return engine

    def readers(self) -> Engine:
        """Return the engine of the connections that read: beside the writer, without waiting for it."""
        return self._engine(READERS, {"default_transaction_read_only": "on"})

    def _engine(self, connections: int, session: dict[str, str]) -> Engine:
        given = self.url.query.get("options", ())
        options = [given] if isinstance(given, str) else list(given)
        options += [f"-c {name}={value}" for name, value in (_SESSION | session).items()]
        engine = create_engine(
            self.url,
            connect_args={**_CONNECTION, "options": " ".join(options)},
            isolation_level="AUTOCOMMIT",
            pool_size=connections,
            max_overflow=0,
            pool_timeout=PATIENCE,
        )
        event.listen(engine, "checkin", _rested)
        event.listen(engine, "checkout", _checked)
        return engine

    def check(self, connection: Connection) -> None:
        """Ask for an answer, and no more: the server verifies its pages itself, by their checksums."""
        connection.exec_driver_sql("SELECT 1")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Map what the database raises onto Unavailable, Damaged and Invalid, in sentences that name it."""
        try:
            yield
        except DBAPIError as error:
            raise self._meaning(error) from error
        except UnicodeEncodeError as error:
            raise Invalid("A text holds half of a character (a lone surrogate). Nothing was done.") from error
        except SQLAlchemyError as error:
            raise Unavailable(f"The database {self.name} is too busy. Try again in a moment.") from error

    def _meaning(self, error: DBAPIError) -> DeputyError:
        state = getattr(error.orig, "sqlstate", None)
        said = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no reason"
        if isinstance(error, DataError) and (state is None or state in _CHARACTERS):
            return Invalid(f"A text holds {_CHARACTERS.get(state or '', _NUL)}. Nothing was done.")
        if state in _DAMAGED:
            return Damaged(f"The database {self.name} is damaged ({said}). Stop Deputy and restore a backup.")
        if isinstance(error, IntegrityError):
            return Damaged(f"The database {self.name} holds rows that contradict each other ({said}).")
        if state in _UNAVAILABLE:
            return Unavailable(f"The database {self.name} {_UNAVAILABLE[state]}")
        if error.connection_invalidated:
            return Unavailable(
                f"The connection to the database {self.name} broke, so it is not known whether the last change "
                "was written. Look before you try again."
            )
        if state is None:
            return Unavailable(
                f"The database {self.name} can't be reached ({said}). Nothing was done; see that its server runs, "
                "and that DEPUTY_DATABASE_URL is right."
            )
        return Unavailable(f"The database {self.name} reports “{said}”. Nothing was done.")


def _rested(connection: object, record: ConnectionPoolEntry) -> None:
    record.info["since"] = time.monotonic()


def _checked(connection: psycopg.Connection, record: ConnectionPoolEntry, _: object) -> None:
    """Ask a connection that has rested for an answer: one that broke meanwhile is replaced before it is used."""
    if time.monotonic() - record.info.get("since", time.monotonic()) < RESTED:
        return
    try:
        connection.execute("")
        if not connection.autocommit:
            connection.rollback()
    except psycopg.Error as error:
        raise DisconnectionError from error
