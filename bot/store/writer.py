"""Group commit: the writes that wait at one moment share a transaction, and so one wait for the disk."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

T = TypeVar("T")
Step = Callable[[Connection], T]

MOST = 50  # writes in one transaction: other processes wait for its end
TRIES = 3
LOST_RACES = {"40001", "40P01"}  # serialization failure, deadlock: PostgreSQL took all of it back, do it again


@dataclass(frozen=True)
class _Waiting:
    """One write, and where its caller waits for the result."""

    step: Step[Any]
    done: asyncio.Future[Any]

    def settle(self, result: object) -> None:
        if self.done.done():
            return
        if isinstance(result, BaseException):
            self.done.set_exception(result)
        else:
            self.done.set_result(result)


class Writer:
    """Writes one group after the other; a write that fails by itself takes no other along."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[_Waiting] = deque()
        self._work: asyncio.Task[None] | None = None

    async def write(self, step: Step[T]) -> T:
        """Run a step in a transaction and return its result once that is on the disk."""
        waiting = _Waiting(step, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._write_all())
        result: T = await waiting.done
        return result

    async def close(self) -> None:
        """Write what still waits, then let go of the database."""
        if self._work:
            await asyncio.wait([self._work])
        self._engine.dispose()

    async def _write_all(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            # Who stopped waiting before its turn wants nothing written.
            await self._write([waiting for waiting in group if not waiting.done.cancelled()])

    async def _write(self, group: Sequence[_Waiting]) -> None:
        try:
            results = await asyncio.to_thread(self._transact, [waiting.step for waiting in group])
        except Exception as failure:
            results = [failure] * len(group)
        except asyncio.CancelledError:
            for waiting in [*group, *self._waiting]:
                waiting.done.cancel()
            raise
        for waiting, result in zip(group, results, strict=True):
            waiting.settle(result)

    def _transact(self, steps: Sequence[Step[Any]]) -> list[Any]:
        for _ in range(TRIES - 1):
            try:
                return self._transact_once(steps)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in LOST_RACES:
                    raise
        return self._transact_once(steps)

    def _transact_once(self, steps: Sequence[Step[Any]]) -> list[Any]:
        """Run the steps, and again each behind a savepoint of its own where one of them failed: that is seldom."""
        try:
            with self._begun() as connection:
                return [step(connection) for step in steps]
        except Exception as failure:
            if len(steps) == 1 or not _is_its_own(failure):
                raise
        with self._begun() as connection:
            return [_guarded(connection, step) for step in steps]

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        """Begin a transaction, on another connection where one broke while it rested: nothing is done by then."""
        try:
            connection = self._connected()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            connection = self._connected()
        with connection, cast(RootTransaction, connection.get_transaction()):
            yield connection

    def _connected(self) -> Connection:
        connection = self._engine.connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection


def _is_its_own(failure: Exception) -> bool:
    """Say whether a step is to blame, and not the disk or a lock."""
    return not isinstance(failure, DBAPIError) or isinstance(failure, IntegrityError | DataError)


def _guarded(connection: Connection, step: Step[Any]) -> Any:
    """Run a step; the result of one that failed is its error."""
    savepoint = connection.begin_nested()
    try:
        result = step(connection)
    except Exception as failure:
        if not _is_its_own(failure):
            raise  # and the savepoint may be gone
        savepoint.rollback()
        return failure
    savepoint.commit()
    return result
