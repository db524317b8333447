"""Runs Python and shell scripts on this machine, each under a supervisor of its own."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Coroutine
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
from bot.runners.supervisor import Report, Supervisor

__all__ = ["LocalRunner", "harden_process", "interpreter_of"]

PR_SET_DUMPABLE = 4

# Seconds to read what is left in the pipes once all writers are gone.
LAST_WORDS = 5.0

# Seconds that a script, and the end of a short one, have the processor to themselves before the next
# supervisor starts.
HEAD_START = 0.05


@dataclass(frozen=True)
class Ending:
    """What is left when a script and all it started are gone."""

    report: Report
    answer: bytes


@dataclass(frozen=True)
class _Ready:
    """A supervisor that knows what it will run, and waits for the word."""

    supervisor: Supervisor
    launch: Launch

    async def put_away(self) -> None:
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

    One supervisor is kept ready, so that a script needn't wait for one. `grace` is the time in seconds between
    asking a script to end and killing it.
    """

    def __init__(self, directory: Path, python: Path = Path(sys.executable), grace: float = 2.0) -> None:
        self._directory = directory.absolute()
        self._nursery = Nursery(python)
        self._grace = grace
        self._spare: asyncio.Task[Supervisor] | None = None
        self._expected: dict[str, _Expected] = {}
        self._putting_away: set[asyncio.Task[None]] = set()
        self._open = False

    async def open(self) -> None:
        """Start the first supervisor and see that it works here. Raises Unavailable."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            why = f"{self._directory} can't be made ({error.strerror})"
            raise Unavailable(f"Scripts can't be run here: {why}.") from None
        self._open = True
        self._spare = asyncio.create_task(self._nursery.supervisor())
        try:
            await (await self._spare).ready()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the supervisors that wait for a script. Running scripts are ended by cancelling their `run`."""
        self._open = False
        for run in list(self._expected):
            self.forget(run)
        await asyncio.gather(*self._putting_away)
        spare, self._spare = self._spare, None
        if spare:
            with suppress(DeputyError):
                await (await spare).close()
        await self._nursery.close()

    async def run(self, work: Work, output: Callable[[bytes], None], stop: Stop) -> Exit:
        """Run to the end, handing output over (both streams as one) up to the piece that passes the cap.

        Numbers in the result are as the script gave them, floats too.
        """
        if stop.is_set():
            return Exit(ExitReason.STOPPED)
        begun = time.monotonic()
        try:
            ready = await self._ready(work)
        except (DeputyError, OSError) as error:
            return _not_started(work, error)
        try:
            reason, ending = await self._supervised(ready, work, output, stop)
        except DeputyError as error:
            return _not_started(work, error)
        finally:
            ready.launch.discard()
            self._put_away(ready.supervisor.close())  # all of the script is gone; this takes a moment more
        return _exit(work, reason, ending, time.monotonic() - begun)

    def expect(self, work: Work) -> None:
        """Get ready for what will probably run in a moment; of its secrets only the names need be known."""
        if self._open and work.run not in self._expected:
            ready = asyncio.create_task(self._get_ready_beside(work))
            self._expected[work.run] = _Expected(_files(work), ready)

    def forget(self, run: str) -> None:
        """Expect a run no more; where it ran, that changes nothing."""
        expected = self._expected.pop(run, None)
        if expected:
            self._put_away(expected.put_away())

    def _put_away(self, away: Coroutine[None, None, None]) -> None:
        going = asyncio.create_task(away)
        self._putting_away.add(going)
        going.add_done_callback(self._is_away)

    def _is_away(self, done: asyncio.Task[None]) -> None:
        self._putting_away.discard(done)
        self._refill()

    async def _ready(self, work: Work) -> _Ready:
        """Return a supervisor that is ready to begin: the one that expects this, or another."""
        expected = self._expected.get(work.run)
        if expected is None or expected.files != _files(work):
            return await self._get_ready(work)
        ready = await asyncio.shield(expected.ready)  # who is cancelled here leaves it to `forget`
        del self._expected[work.run]
        return ready

    async def _get_ready_beside(self, work: Work) -> _Ready:
        await asyncio.sleep(0)  # whoever expects it has more urgent things to begin first
        return await self._get_ready(work)

    async def _get_ready(self, work: Work) -> _Ready:
        launch = lay_out(work, self._directory, self._grace)
        supervisor = None
        try:
            supervisor = await self._take()
            await supervisor.prepare(launch.spec)
        except BaseException:
            if supervisor:
                supervisor.stop()
            launch.discard()
            raise
        return _Ready(supervisor, launch)

    async def _take(self) -> Supervisor:
        """Return a supervisor that nobody else has: the spare one, or a new one where that is not to be had."""
        spare, self._spare = self._spare, None
        if spare:
            supervisor = await spare
            if supervisor.alive:
                return supervisor
            await supervisor.close()
        return await self._nursery.supervisor()

    async def _supervised(
        self, ready: _Ready, work: Work, output: Callable[[bytes], None], stop: Stop
    ) -> tuple[ExitReason, Ending]:
        over = asyncio.Event()
        pump = _pump(ready.supervisor, work.output_cap, output, over)
        course = asyncio.create_task(_course(ready, work, pump))
        asyncio.get_running_loop().call_later(HEAD_START, self._refill)
        try:
            reason = await _first(course, work.timeout, stop, over)
        finally:
            # Whatever happened, a cancellation too: the script ends now, and nobody leaves before it has.
            ready.supervisor.stop()
            await asyncio.wait({course})
        return reason, course.result()

    def _refill(self) -> None:
        if self._open and self._spare is None:
            self._spare = asyncio.create_task(self._nursery.supervisor())


async def _course(ready: _Ready, work: Work, pump: Coroutine[None, None, None]) -> Ending:
    """Begin a script and follow it until it and all it started are gone."""
    supervisor = ready.supervisor
    streams = [pumped := asyncio.ensure_future(pump), answered := asyncio.ensure_future(supervisor.answer())]
    try:
        streams.append(asyncio.ensure_future(supervisor.feed(_secrets_handed_over(ready.launch, work))))
        supervisor.begin()
        report = await supervisor.report()
        # All who could write are gone, so these are at their end; but for a supervisor that was killed.
        await asyncio.wait({pumped, answered}, timeout=LAST_WORDS)
        if pumped.done():
            pumped.result()
        return Ending(report, answered.result() if answered.done() else b"")
    finally:
        for stream in streams:
            stream.cancel()


def _secrets_handed_over(launch: Launch, work: Work) -> bytes:
    try:
        return launch.hand_over(work)
    except OSError as error:
        raise Unavailable(f"Its secrets can't be handed over ({error.strerror}).") from None


def _files(work: Work) -> tuple[Script, ...]:
    return (work.script, *work.action.libraries)


async def _pump(supervisor: Supervisor, cap: int, output: Callable[[bytes], None], over: asyncio.Event) -> None:
    """Hand output over up to the cap, and read the rest away so that a script can't hang on a full pipe."""
    seen = 0
    while data := await supervisor.output():
        if seen <= cap:
            output(data)
        seen += len(data)
        if seen > cap:
            over.set()


async def _first(course: asyncio.Task[Ending], seconds: float, stop: Stop, over: asyncio.Event) -> ExitReason:
    """Wait for what comes first: the end, the time limit, a stop or too much output."""
    stopped = asyncio.ensure_future(_set(stop))
    flooded = asyncio.ensure_future(_set(over))
    try:
        done, _ = await asyncio.wait(
            (course, stopped, flooded), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        stopped.cancel()
        flooded.cancel()
    if over.is_set():
        return ExitReason.OUTPUT_LIMIT
    if course in done:
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
