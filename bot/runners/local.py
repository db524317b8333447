"""Runs Python and shell scripts on this machine, each under a supervisor of its own."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.core.action import Script
from bot.core.canonical import Json
from bot.core.errors import DeputyError, Unavailable
from bot.core.work import Exit, ExitReason, Work
from bot.ports import Stop
from bot.runners.interpreter import interpreter_of
from bot.runners.launch import Launch, lay_out
from bot.runners.nursery import Nursery
from bot.runners.supervisor import Course, Ending, Output, Supervisor

__all__ = ["LocalRunner", "harden_process", "interpreter_of"]

PR_SET_DUMPABLE = 4

# Seconds that a script, and the end of a short one, have the processor to themselves before the next
# supervisor starts.
HEAD_START = 0.05
AGAIN = 1.0  # seconds until a supervisor is told again to stop: its script may have halted it
MOST_IDLE = 16  # supervisors kept for the next scripts
MOST_EXPECTED = 10


@dataclass(frozen=True)
class _Ready:
    """A supervisor that knows what it will run, and waits for the word."""

    supervisor: Supervisor
    launch: Launch
    course: Course

    async def put_away(self) -> None:
        self.course.close()
        await self.supervisor.close()
        self.launch.discard()


@dataclass(frozen=True)
class _Expected:
    """What a run will begin with, and its supervisor getting ready for that."""

    files: tuple[Script, ...]
    ready: asyncio.Task[_Ready]

    async def put_away(self) -> None:
        with suppress(DeputyError, OSError):
            await (await self.ready).put_away()


class LocalRunner:
    """Runs scripts in empty directories under `directory`, which vanish afterwards; satisfies `ports.Runner`.

    A supervisor is kept ready, so that a script needn't wait for one; when that has ended, it takes the next.
    `grace` is the time in seconds between asking a script to end and killing it.
    """

    def __init__(self, directory: Path, python: Path = Path(sys.executable), grace: float = 2.0) -> None:
        self._directory = directory.absolute()
        self._nursery = Nursery(python)
        self._grace = grace
        self._idle: list[Supervisor] = []
        self._expected: dict[str, _Expected] = {}
        self._beside: set[asyncio.Task[None]] = set()
        self._open = False

    async def open(self) -> None:
        """Start the first supervisor and see that it works here. Raises Unavailable."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            why = f"{self._directory} can't be made ({error.strerror})"
            raise Unavailable(f"Scripts can't be run here: {why}.") from None
        try:
            first = await self._nursery.supervisor()
            await first.ready()
        except BaseException:
            await self.close()
            raise
        self._open = True
        self._idle.append(first)

    async def close(self) -> None:
        """End the supervisors that wait for a script. Running scripts are ended by cancelling their `run`."""
        self._open = False
        for run in list(self._expected):
            self.forget(run)
        await asyncio.gather(*self._beside)
        idle, self._idle = self._idle, []
        await asyncio.gather(*(one.close() for one in idle))
        await self._nursery.close()

    async def run(self, work: Work, output: Output, stop: Stop) -> Exit:
        """Run to the end, handing output over (both streams as one) up to the piece that passes the cap.

        Numbers in the result are as the script gave them, floats too.
        """
        if stop.is_set():
            return Exit(ExitReason.STOPPED)
        begun = time.monotonic()
        try:
            ready = await self._ready(work)
            order = await _handed_over(ready, work)
        except (DeputyError, OSError) as error:
            return _not_started(work, error)
        ready.course.begin(order, output)
        reason, ending = await self._followed(ready, work.timeout, stop)
        return _exit(work, reason, ending, time.monotonic() - begun)

    def expect(self, work: Work) -> None:
        """Get ready for what will probably run in a moment; of its secrets only the names need be known."""
        if self._open and work.run not in self._expected and len(self._expected) < MOST_EXPECTED:
            ready = asyncio.create_task(self._get_ready(work))
            self._expected[work.run] = _Expected(_files(work), ready)

    def forget(self, run: str) -> None:
        """Expect a run no more; where it ran, that changes nothing."""
        expected = self._expected.pop(run, None)
        if expected:
            self._do_beside(expected.put_away())

    def _do_beside(self, what: Coroutine[None, None, None]) -> None:
        doing = asyncio.create_task(what)
        self._beside.add(doing)
        doing.add_done_callback(self._beside.discard)

    async def _ready(self, work: Work) -> _Ready:
        """Return a supervisor that is ready to begin: the one that expects this, or another."""
        expected = self._expected.get(work.run)
        if expected is None or expected.files != _files(work):
            return await self._get_ready(work)
        ready = await asyncio.shield(expected.ready)  # who is cancelled here leaves it to `forget`
        del self._expected[work.run]
        return ready

    async def _get_ready(self, work: Work) -> _Ready:
        launch = lay_out(work, self._directory, self._grace)
        try:
            supervisor = await self._take()
            try:
                course = await supervisor.prepare(launch.spec, work.output_cap)
            except BaseException:
                self._do_beside(supervisor.close())
                raise
        except BaseException:
            launch.discard()
            raise
        return _Ready(supervisor, launch, course)

    async def _take(self) -> Supervisor:
        """Return a supervisor that nobody else has: one that is idle, or a new one where there is none."""
        while self._idle:
            supervisor = self._idle.pop()
            if supervisor.alive:
                return supervisor
            self._do_beside(supervisor.close())
        return await self._nursery.supervisor()

    async def _followed(self, ready: _Ready, seconds: float, stop: Stop) -> tuple[ExitReason, Ending]:
        """Follow a script that has begun until it and all it started are gone."""
        asyncio.get_running_loop().call_later(HEAD_START, self._refill)
        try:
            reason = await _first(ready.course, seconds, stop)
        finally:
            # Whatever happened, a cancellation too: the script ends now, and nobody leaves before it has.
            while not ready.course.ended.done():
                ready.supervisor.stop()
                await asyncio.wait({ready.course.ended}, timeout=AGAIN)
            ready.course.close()
            ready.launch.discard()
            self._give_back(ready.supervisor)
        return reason, ready.course.ended.result()

    def _give_back(self, supervisor: Supervisor) -> None:
        """Keep a supervisor for the next script, unless it was stopped or has ended."""
        if self._open and supervisor.alive and len(self._idle) < MOST_IDLE:
            self._idle.append(supervisor)
        else:
            self._do_beside(supervisor.close())

    def _refill(self) -> None:
        if self._open and not self._idle:
            self._do_beside(self._start_one())

    async def _start_one(self) -> None:
        with suppress(DeputyError):  # who needs one is told
            supervisor = await self._nursery.supervisor()
            self._give_back(supervisor)


async def _handed_over(ready: _Ready, work: Work) -> bytes:
    """Give a script its secrets; return what goes to its standard input. Raises Unavailable."""
    try:
        return ready.launch.hand_over(work)
    except (DeputyError, OSError) as error:
        await ready.put_away()
        why = error.strerror if isinstance(error, OSError) else error
        raise Unavailable(f"Its secrets can't be handed over ({why}).") from None


def _files(work: Work) -> tuple[Script, ...]:
    return (work.script, *work.action.libraries)


async def _first(course: Course, seconds: float, stop: Stop) -> ExitReason:
    """Wait for what comes first: the end, the time limit, a stop or too much output."""
    stopped = asyncio.ensure_future(_set(stop))
    try:
        done, _ = await asyncio.wait(
            (course.ended, stopped, course.over), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        stopped.cancel()
    if course.over.done():
        return ExitReason.OUTPUT_LIMIT
    if course.ended in done:
        return ExitReason.EXITED
    return ExitReason.STOPPED if stopped in done else ExitReason.TIMED_OUT


async def _set(event: Stop) -> None:
    await event.wait()


def _not_started(work: Work, error: Exception) -> Exit:
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return Exit(ExitReason.NOT_STARTED, sentence=f"{work.script.name} was not started. {why.rstrip('.')}.")


def _exit(work: Work, reason: ExitReason, ending: Ending, seconds: float) -> Exit:
    """Put together how a script ended. Only one that ended by itself, with code 0, has a result."""
    code = ending.report.code
    if ending.report.fault:
        return _not_started(work, Unavailable(ending.report.fault))
    if code is None:
        sentence = f"The supervisor of {work.script.name} was killed; something of the script may still run."
        return Exit(reason, seconds=seconds, sentence=sentence)
    if reason is not ExitReason.EXITED:
        return Exit(reason, code, seconds=seconds)
    result, sentence = _read_answer(ending.answer)
    if code:
        return Exit(reason, code, None, seconds, sentence or _signal_sentence(code))
    return Exit(reason, code, result, seconds, sentence)


def _read_answer(data: bytes) -> tuple[Json, str]:
    """Return the result and the sentence of a script. It can write what it likes, so nothing is taken on trust."""
    if not data:
        return None, ""
    try:
        answer = json.loads(data)
        json.dumps(answer, ensure_ascii=False).encode()  # raises for half characters
        return answer.get("result"), str(answer.get("sentence", ""))
    except (ValueError, RecursionError, AttributeError):
        return None, "What the script gave as its result can't be read."


def _signal_sentence(code: int) -> str:
    """Say which signal an exit code above 128 stands for (POSIX shells' convention)."""
    try:
        return f"The script ended as after the signal {signal.Signals(code - 128).name}."
    except ValueError:
        return ""


def harden_process() -> None:
    """Keep scripts, which run as the same account, from reading this process's memory and environment.

    Linux only (PR_SET_DUMPABLE); elsewhere nothing is done, and nothing can be run either.
    """
    import ctypes

    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
