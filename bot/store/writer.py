"""Group commit: the writes that wait at one moment share a transaction, and so one wait for the disk."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from bot.store.disk import Disk

T = TypeVar("T")
Step = Callable[[Connection], T]

MOST = 50  # writes in one transaction: other processes wait for its end
TRIES = 3
LOST_RACES = {"40001", "40P01"}  # serialization failure, deadlock: PostgreSQL took all of it back, do it again


@dataclass(frozen=True)
class _Waiting:
    """One write, and where its caller waits for the result. A `long` one is much work."""

    step: Step[Any]
    done: asyncio.Future[Any]
    long: bool

    def settle(self, result: object) -> None:
        if self.done.done():
            return
        if isinstance(result, BaseException):
            self.done.set_exception(result)
        else:
            self.done.set_result(result)


class Writer:
    """Writes one group after the other; a write that fails by itself takes no other along.

    Where the database is `near`, in this process, what isn't long is done on the event loop: that takes less than
    giving it to a thread, which would wait for its turn to run Python at every statement. Only a commit that may
    have to wait for the disk is a thread's.
    """

    def __init__(self, engine: Engine, *, near: bool = False) -> None:
        self._engine = engine
        self._near = near
        self._disk = Disk()
        self._waiting: deque[_Waiting] = deque()
        self._work: asyncio.Task[None] | None = None

    async def write(self, step: Step[T], *, long: bool = False) -> T:
        """Run a step in a transaction and return its result once that is on the disk."""
        waiting = _Waiting(step, asyncio.get_running_loop().create_future(), long)
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
            results = await self._transacted(group)
        except Exception as failure:
            results = [failure] * len(group)
        except asyncio.CancelledError:
            for waiting in [*group, *self._waiting]:
                waiting.done.cancel()
            raise
        for waiting, result in zip(group, results, strict=True):
            waiting.settle(result)

    async def _transacted(self, group: Sequence[_Waiting]) -> list[Any]:
        steps = [waiting.step for waiting in group]
        if self._near and not any(waiting.long for waiting in group):
            done = None
            with suppress(DBAPIError):  # another process writes, or worse: a thread can wait, and tells
                done = self._done(steps)
            if done:
                await self._commit(done[0], alone=len(group) == 1)
                return done[1]
        return await asyncio.to_thread(self._transact, steps)

    async def _commit(self, connection: Connection, *, alone: bool) -> None:
        """Commit here where little else is to do and the disk is quick: no thread would begin by then."""
        if alone and self._disk.quick:
            with self._disk.timed():
                _commit(connection)
        else:
            await asyncio.get_running_loop().run_in_executor(None, _commit, connection)

    def _transact(self, steps: Sequence[Step[Any]]) -> list[Any]:
        for _ in range(TRIES - 1):
            try:
                return self._transact_once(steps)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in LOST_RACES:
                    raise
        return self._transact_once(steps)

    def _transact_once(self, steps: Sequence[Step[Any]]) -> list[Any]:
        connection, results = self._done(steps)
        _commit(connection)
        return results

    def _done(self, steps: Sequence[Step[Any]]) -> tuple[Connection, list[Any]]:
        """Run the steps, and again each behind a savepoint of its own where one of them failed: that is seldom.

        Returns a connection whose transaction is to be committed.
        """
        try:
            return self._in_transaction(lambda connection: [step(connection) for step in steps])
        except Exception as failure:
            if len(steps) == 1 or not _is_its_own(failure):
                raise
        return self._in_transaction(lambda connection: [_guarded(connection, step) for step in steps])

    def _in_transaction(self, work: Step[list[Any]]) -> tuple[Connection, list[Any]]:
        connection = self._begun()
        try:
            return connection, work(connection)
        except BaseException:
            connection.close()
            raise

    def _begun(self) -> Connection:
        """Begin a transaction, on another connection where one broke while it rested: nothing is done by then."""
        try:
            return self._connected()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return self._connected()

    def _connected(self) -> Connection:
        connection = self._engine.connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection


def _commit(connection: Connection) -> None:
    with connection:
        connection.commit()


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
