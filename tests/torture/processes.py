"""Processes that are cheap to kill and to start, four times a second on two cores."""

import multiprocessing
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

from tests.torture.ground import Ground
from tests.torture.people import Share, ask
from tests.torture.worker import work

# All that a process imports is there already when it is forked.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["tests.torture.processes", "sqlalchemy.dialects.postgresql.psycopg", "procrastinate.builtin_tasks"]
)


class Workers:
    """Starts workers; `spare` are ready and wait, for to get ready may take longer than a worker lives."""

    def __init__(self, ground: Ground, spare: int) -> None:
        self._ground = ground
        self._spare = spare
        self._ready: deque[tuple[ForkServerProcess, Connection]] = deque()

    def take(self) -> ForkServerProcess:
        """Let a worker begin, and another get ready."""
        while len(self._ready) <= self._spare:
            waits, go = _FORKS.Pipe(duplex=False)
            self._ready.append((_started(work, self._ground, waits), go))
            waits.close()
        process, go = self._ready.popleft()
        go.close()
        return process

    def close(self) -> None:
        """End those who were never called."""
        for process, _ in self._ready:
            _end(process)


class Member:
    """One of those in the scene: a process, and the next one in its place when it is killed."""

    def __init__(self, take: Callable[[], ForkServerProcess]) -> None:
        self._take = take
        self._process = take()

    @property
    def fell(self) -> bool:
        """Whether the process ended by itself."""
        return self._process.exitcode is not None

    def kill(self) -> None:
        """Kill the process."""
        _end(self._process)

    def replace(self) -> None:
        """Let the next one take its place."""
        self._process = self._take()


def people(ground: Ground, share: Share) -> ForkServerProcess:
    """Start a process of people."""
    return _started(ask, ground, share)


def _started(what: Callable[..., None], *given: object) -> ForkServerProcess:
    process = _FORKS.Process(target=what, args=given, daemon=True)
    process.start()
    return process


def _end(process: ForkServerProcess) -> None:
    process.kill()
    process.join()
