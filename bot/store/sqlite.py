"""All that only SQLite understands: how to connect, and what its errors mean."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from bot.core.errors import Damaged, DeputyError, Invalid, Unavailable
from bot.store.statement import Statement

READERS = 4
PATIENCE = 10  # seconds to wait for another process that is writing

_BEGIN = Statement(text("BEGIN IMMEDIATE"))
_PATIENCE = "patience"  # what a connection's is set to

# Texts are read even where their bytes were damaged: who checks them must get to see them.
_text = partial(str, encoding="utf-8", errors="replace")

_UNAVAILABLE = {
    sqlite3.SQLITE_FULL: "can't be written: the disk is full. Nothing was done; free space, then try again.",
    sqlite3.SQLITE_READONLY: (
        "can't be written: it is read-only. Nothing was done; let Deputy write the file and its folder, "
        "then try again."
    ),
    sqlite3.SQLITE_BUSY: (
        "is held by another program. Nothing was done; try again in a moment, or close what keeps it open."
    ),
    sqlite3.SQLITE_IOERR: "can't be read or written: the disk fails. Nothing was done; look at the system's log.",
    sqlite3.SQLITE_CANTOPEN: (
        "can't be opened. Nothing was done; make it a file in a folder that Deputy may write to."
    ),
}
_UNAVAILABLE[sqlite3.SQLITE_LOCKED] = _UNAVAILABLE[sqlite3.SQLITE_BUSY]
# No room for the index of the log, the first thing that is written where nobody else has the database open.
_UNAVAILABLE[sqlite3.SQLITE_IOERR_SHMSIZE] = _UNAVAILABLE[sqlite3.SQLITE_FULL]
_UNAVAILABLE[sqlite3.SQLITE_PERM] = _UNAVAILABLE[sqlite3.SQLITE_CANTOPEN]

_DAMAGED = {
    sqlite3.SQLITE_NOTADB: "is no database: something else stands in the file. Stop Deputy and restore a backup.",
    sqlite3.SQLITE_CORRUPT: "is damaged: its pages don't fit together. Stop Deputy and restore a backup.",
}


@dataclass(frozen=True)
class SqliteFile:
    """A database in one file; satisfies `Backend`. Several processes may have it open."""

    path: Path
    near = True

    @classmethod
    def make(cls, path: Path) -> "SqliteFile":
        """Make the database's file, empty and for its owner alone, where there is none. Raises Unavailable."""
        try:
            path.touch(mode=0o600)  # one that exists isn't opened: closing it would undo this process's locks
            reason = "" if path.is_file() else "it is no file"
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
        if reason:
            raise Unavailable(
                f"The database {path} can't be opened: {reason}. Make its folder and let Deputy write there, "
                "or choose another with DEPUTY_DATA_DIR."
            )
        return cls(path)

    def writer(self) -> Engine:
        """Return the engine of the one connection that writes; its transactions wait for other writers."""
        engine = self._engine(1, "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")

        # A transaction that began by reading could not be sure to be let write later. An event loop never waits.
        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            patience = 0 if asyncio._get_running_loop() else PATIENCE
            if connection.info.get(_PATIENCE) != patience:
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience * 1000}")
                connection.info[_PATIENCE] = patience
            _BEGIN.run(connection)

        return engine

    def readers(self) -> Engine:
        """Return the engine of the connections that read: beside the writer, without waiting for it."""
        return self._engine(READERS, "query_only=ON")

    def _engine(self, connections: int, *pragmas: str) -> Engine:
        engine = create_engine(
            URL.create("sqlite", database=str(self.path.absolute())),
            connect_args={"isolation_level": None, "check_same_thread": False, "timeout": PATIENCE},
            pool_size=connections,
            max_overflow=0,
        )

        @event.listens_for(engine, "connect")
        def connect(connection: Any, _: object) -> None:
            connection.text_factory = _text
            try:
                cursor = connection.cursor()
                for pragma in pragmas:
                    cursor.execute(f"PRAGMA {pragma}")
                cursor.close()
            except Exception:
                connection.close()  # the pool doesn't know it yet, so nobody else will
                raise

        return engine

    def check(self, connection: Connection) -> None:
        """Read every page of the file and raise Damaged where they don't fit. Takes seconds on a large one."""
        said = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
        found = said.splitlines()[-1]  # a heading may stand before it
        if found != "ok":
            raise Damaged(f"The database {self.path} is damaged ({found}). Stop Deputy and restore a backup.")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Map what the database raises onto Unavailable, Damaged and Invalid, in sentences that name the file."""
        try:
            yield
        except DBAPIError as error:
            raise _meaning(self.path, error) from error
        except UnicodeEncodeError as error:
            raise Invalid("A text holds half of a character (a lone surrogate). Nothing was done.") from error
        except SQLAlchemyError as error:
            raise Unavailable(f"The database {self.path} is too busy. Try again in a moment.") from error


def _meaning(path: Path, error: DBAPIError) -> DeputyError:
    details = getattr(error.orig, "sqlite_errorcode", 0)
    code = details & 0xFF
    if code in _DAMAGED:
        return Damaged(f"The database {path} {_DAMAGED[code]}")
    if isinstance(error, IntegrityError):
        return Damaged(f"The database {path} holds rows that contradict each other ({error.orig}).")
    problem = _UNAVAILABLE.get(details) or _UNAVAILABLE.get(code, f"reports “{error.orig}”. Nothing was done.")
    return Unavailable(f"The database {path} {problem}")
