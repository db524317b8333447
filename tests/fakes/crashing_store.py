"""A store that fails on demand, and what it is kept in: what outlives a crash of the process."""

import pickle
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from bot.core.errors import Unavailable
from bot.ports import Store
from bot.store.database import SqlStore, open_store
from tests.fakes.memory_store import MemoryStore
from tests.fakes.postgres import Cluster

WRITES = frozenset({"commit", "posted", "postpone", "forget_outputs"})


class CrashNow(BaseException):
    """The process dies here. No `except Exception` may outlive it."""


class Kind(StrEnum):
    """What goes wrong."""

    NOTHING = "nothing"
    CRASH_BEFORE = "crash before a write"
    CRASH_AFTER = "crash after a write"
    DOWN = "database down"


@dataclass(frozen=True)
class Fault:
    """What goes wrong, at which write (of an outage: at which call, reads too), counted from 1."""

    kind: Kind = Kind.NOTHING
    at: int = 1


STEADY = Fault()


class CrashingStore:
    """Hands every call on to a store, but for the one that a fault is braced for."""

    def __init__(self, store: Store) -> None:
        self.steady = store
        self.dead = False
        self.brace(STEADY)

    def brace(self, fault: Fault, meanwhile: Callable[[], None] | None = None) -> None:
        """Count from here to the fault; `meanwhile` happens right after the next write."""
        self._fault, self._calls, self._meanwhile = fault, 0, meanwhile

    @property
    def struck(self) -> bool:
        """Whether the fault that was braced for has come."""
        return self._fault != STEADY and self._calls >= self._fault.at

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._through(name in WRITES, lambda: getattr(self.steady, name)(*args, **kwargs))

        return call

    async def _through(self, write: bool, call: Callable[[], Awaitable[Any]]) -> Any:
        self._die_if(self.dead)
        kind = self._due(write)
        if kind is Kind.DOWN:
            raise Unavailable("The database can't be reached. Nothing was done; try again in a moment.")
        self._die_if(kind is Kind.CRASH_BEFORE)
        answer = await call()
        self._die_if(kind is Kind.CRASH_AFTER)
        if write and self._meanwhile:
            happen, self._meanwhile = self._meanwhile, None
            happen()
        return answer

    def _due(self, write: bool) -> Kind:
        if write or self._fault.kind is Kind.DOWN:
            self._calls += 1
        return self._fault.kind if self._calls == self._fault.at else Kind.NOTHING

    def _die_if(self, now: bool) -> None:
        if now:
            self.dead = True
            raise CrashNow


class Keeping(Protocol):
    """Where a store's contents are between two processes."""

    async def open(self) -> Store:
        """Open the store as a new process does."""

    async def close(self) -> None:
        """Let go of it as a process that ends does."""

    def raw(self) -> bytes:
        """Return every byte that is kept; may be read while it is closed only."""

    def drop(self) -> None:
        """Throw it away."""


class InMemory:
    """Keeps a `MemoryStore`."""

    def __init__(self) -> None:
        self._store = MemoryStore()

    async def open(self) -> Store:
        return self._store

    async def close(self) -> None:
        pass

    def raw(self) -> bytes:
        return pickle.dumps(vars(self._store))

    def drop(self) -> None:
        pass


class InSqlite:
    """Keeps a database file of its own."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._store: SqlStore

    async def open(self) -> Store:
        self._store = await open_store(Path(self._folder.name) / "deputy.db")
        return self._store

    async def close(self) -> None:
        await self._store.close()

    def raw(self) -> bytes:
        return b"".join(file.read_bytes() for file in Path(self._folder.name).iterdir())

    def drop(self) -> None:
        self._folder.cleanup()


class InPostgres:
    """Keeps a database of its own on a server, copied from the one called `template`."""

    def __init__(self, cluster: Cluster, template: str) -> None:
        self._cluster = cluster
        self._name = cluster.database(template)
        self._store: SqlStore

    async def open(self) -> Store:
        self._store = await open_store(self._cluster.url(self._name))
        return self._store

    async def close(self) -> None:
        await self._store.close()

    def raw(self) -> bytes:
        rows = [
            self._cluster.run(f"SELECT x::text FROM {table} x", self._name)
            for (table,) in self._cluster.run(
                "SELECT tablename FROM pg_tables WHERE schemaname='public'", self._name
            )
        ]
        return str(rows).encode()

    def drop(self) -> None:
        self._cluster.run(f"DROP DATABASE {self._name} WITH (FORCE)")
