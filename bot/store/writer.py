"""Group commit: the writes that wait at one moment share a transaction, and so one wait for the disk."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
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
        with self._engine.begin() as connection:
            return _each(connection, steps)


def _each(connection: Connection, steps: Sequence[Step[Any]]) -> list[Any]:
    """Run each step behind a savepoint of its own; the result of one that failed is its error."""
    if len(steps) == 1:
        return [steps[0](connection)]  # it takes no other along, so the transaction itself is enough
    return [_guarded(connection, step) for step in steps]


def _guarded(connection: Connection, step: Step[Any]) -> Any:
    savepoint = connection.begin_nested()
    try:
        result = step(connection)
    except Exception as failure:
        if isinstance(failure, DBAPIError) and not isinstance(failure, IntegrityError | DataError):
            raise  # the disk or a lock: it's not this step's fault, and the savepoint may be gone
        savepoint.rollback()
        return failure
    savepoint.commit()
    return result
