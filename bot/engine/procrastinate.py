"""The engine for many processes: Procrastinate, on the PostgreSQL database that is the store too.

Its queue says only that a run may be queued: each entry carries a run's id, is deleted when it is done and
never tried again by itself. Whether a run starts is decided by the compare-and-set on the run.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from math import inf
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from bot.core.errors import Unavailable
from bot.core.run import State
from bot.engine import queue_schema
from bot.engine.bell import CHANNEL, CONNECTION, LINES, Bell
from bot.engine.relay import Relay
from bot.ports import Change, NewRun

log = logging.getLogger(__name__)

QUEUE, NAME = "runs", "run"
POLL = 0.5  # seconds until the queue is looked into, should no notification come
PAUSE = 1.0  # seconds before the queue is worked on again after a failure
CONNECTIONS = 4
RESTED = 1.0  # seconds after which a connection may have broken unnoticed

# Cards of these are often overtaken by the next one: in other processes they wait for that, or for a look.
_PASSING = (State.QUEUED, State.RUNNING)

_WAKE = "SELECT pg_notify(%(channel)s, '')"
_SAY = "SELECT pg_notify(%(channel)s, %(word)s)"
# The same row that Procrastinate writes. One that waits already is enough.
_ENQUEUE = (
    "SELECT procrastinate_defer_jobs_v1(ARRAY[CAST(ROW(CAST(%(queue)s AS varchar), CAST(%(name)s AS varchar), 0, "
    "NULL, CAST(%(lock)s AS text), jsonb_build_object('run', CAST(%(run)s AS text)), NULL) "
    "AS procrastinate_job_to_defer_v1)]) "
    "WHERE NOT EXISTS (SELECT FROM procrastinate_jobs WHERE queueing_lock = %(lock)s AND status = 'todo')"
)


def announce(change: Change) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield what tells the workers of a change in its own transaction: they hear of it when it is committed."""
    if change.run and change.run.state is State.QUEUED:
        yield _ENQUEUE, {"queue": QUEUE, "name": NAME, "run": change.run.id, "lock": _lock(change.run.id)}
    if change.posts and not (change.run and change.run.state in _PASSING):
        yield _WAKE, {"channel": CHANNEL}


def _lock(run: str) -> str:
    return f"run:{run}"


async def prepare_queue(url: str) -> None:
    """Bring the queue's tables up to date. Raises Unavailable."""
    with _errors():
        await queue_schema.upgrade(url)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (psycopg.Error, ConnectorException) as error:
        said = str(error).strip().partition("\n")[0]
        raise Unavailable(f"The queue in the database can't be opened ({said}). Nothing was done.") from error


@asynccontextmanager
async def procrastinate_engine(url: str, *, delivers: bool) -> AsyncIterator["ProcrastinateEngine"]:
    """Bring the engine up on the database at `url`, and down again. Raises Unavailable.

    Where `delivers` is set, this process takes its turn in delivering posts.
    """
    await prepare_queue(url)
    engine = ProcrastinateEngine(url, delivers=delivers)
    try:
        with _errors():
            await engine.open()
        yield engine
    finally:
        await engine.close()


class ProcrastinateEngine:
    """Satisfies `Engine` for any number of processes; used by `procrastinate_engine`."""

    exclusive = False

    def __init__(self, url: str, *, delivers: bool) -> None:
        connector = PsycopgConnector(
            pool_factory=_pool,
            conninfo=url,
            kwargs=dict(CONNECTION),
            configure=_each_for_itself,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=5.0,
        )
        self._app = App(connector=connector)
        self._app.task(name=NAME, queue=QUEUE)(self._run)
        # A worker without anything periodic loses its heartbeat silently at the first failure.
        self._app.periodic(cron="0 * * * *")(self._app.task(name="hour", queue=QUEUE)(_hour))
        self.relay = Relay(self._say)
        self._bell = Bell(url, self.relay.heard, delivers=delivers)
        self._listening: asyncio.Task[None] | None = None
        self._execute: Callable[[str | NewRun], Awaitable[None]] | None = None

    async def open(self) -> None:
        """Connect, and begin to listen."""
        await self._app.open_async()
        self._listening = asyncio.create_task(self._bell.listen())

    async def close(self) -> None:
        """Let go of every connection."""
        await self.relay.close()
        if self._listening:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._app.close_async()

    @property
    def delivers(self) -> bool:
        """Whether it is this process's turn to deliver posts: one process at a time does."""
        return self._bell.mine

    async def enqueue(self, run: str) -> None:
        """Say nothing: the word went in with the run's own transaction, by `announce`."""

    async def remind(self, run: str) -> None:
        """Say again that a run is queued; where it waits already, that changes nothing. Raises Unavailable."""
        again = self._app.configure_task(NAME, queue=QUEUE, queueing_lock=_lock(run))
        try:
            with contextlib.suppress(AlreadyEnqueued):
                await again.defer_async(run=run)
        except ConnectorException as error:
            raise Unavailable("The queue can't be reached; what is queued waits.") from error

    def hand_over(self, new: NewRun) -> bool:
        """Say no: which worker is free is not known here."""
        return False

    async def work(self, execute: Callable[[str | NewRun], Awaitable[None]], concurrency: int) -> None:
        """Hand queued runs to `execute`, at most `concurrency` at once, until cancelled.

        Procrastinate's worker ends when the database is out of reach for long: it is started again.
        """
        self._execute = execute
        options: dict[str, Any] = {"shutdown_graceful_timeout": 0, "delete_jobs": "always"}
        while True:
            try:
                await self._app.run_worker_async(
                    concurrency=concurrency,
                    fetch_job_polling_interval=POLL,
                    install_signal_handlers=False,
                    **options,
                )
            except Exception as error:
                log.error("queued runs wait, for the queue can't be read: %s", error)
            await asyncio.sleep(PAUSE)

    async def _say(self, word: str) -> None:
        """Send lines of a running script to whoever listens; what is lost is overtaken by the next."""
        try:
            await self._app.connector.execute_query_async(_SAY, channel=LINES, word=word)
        except ConnectorException as error:
            log.info("lines of a running script were not shown: %s", error)

    async def _run(self, run: str) -> None:
        if self._execute:
            await self._execute(run)

    def knock(self) -> None:
        """Say in this process that posts wait; the others hear it by `announce`."""
        self._bell.ring()

    async def knocked(self, seconds: float) -> None:
        """Wait until somebody knocks, `seconds` at most."""
        await self._bell.wait(seconds)


async def _each_for_itself(connection: AsyncConnection[Any]) -> None:
    """Let every statement of Procrastinate's be a transaction: none of them goes with another."""
    await connection.set_autocommit(True)


def _pool(**options: Any) -> AsyncConnectionPool:
    """Make a pool that asks a connection whether it still lives once a second, not before every use."""
    asked = WeakKeyDictionary[AsyncConnection[Any], float]()

    async def check(connection: AsyncConnection[Any]) -> None:
        if monotonic() - asked.get(connection, -inf) >= RESTED:
            await AsyncConnectionPool.check_connection(connection)
            asked[connection] = monotonic()

    return AsyncConnectionPool(**{**options, "check": check})


async def _hour(timestamp: int) -> None:
    """Nothing is to be done every hour."""
