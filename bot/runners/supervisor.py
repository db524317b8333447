"""The worker's side of a supervisor: give it a script, hear what that says and how it ended."""

import asyncio
import json
import os
import select
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.core.errors import Unavailable

PATH = "/usr/local/bin:/usr/bin:/bin"
LANG = "C.UTF-8"
# A result may have 1 MB (python_main.py); the rest is room for its quotes and name.
LARGEST_ANSWER = 1_100_000
LARGEST_REPORT = 10_000
PIECE = 65_536  # bytes read at once

Output = Callable[[bytes], None]

# Seconds to read what is left in the pipes once all writers are gone.
LAST_WORDS = 5.0


@dataclass(frozen=True)
class Report:
    """What a supervisor says at the end: the script's exit code, or the fault that kept it from starting.

    Neither, where it was killed before it could say anything.
    """

    code: int | None = None
    fault: str = ""


@dataclass(frozen=True)
class Ending:
    """What is left when a script and all it started are gone."""

    report: Report
    answer: bytes


class Supervisor:
    """One supervisor, by our end of its socket CONTROL (see supervise.py). It takes one script after the other."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.pid = 0  # once it has said so
        self._stopped = False

    @property
    def alive(self) -> bool:
        """Whether it can be given a script."""
        return not self._stopped and not self._gone

    @property
    def _gone(self) -> bool:
        poll = select.poll()
        poll.register(self.control, select.POLLRDHUP)
        return bool(poll.poll(0))

    async def ready(self) -> int:
        """Wait until it waits for its first script; return its process id. Raises Unavailable."""
        sign = b""
        while not sign.endswith(b"\n"):
            part = await asyncio.get_running_loop().sock_recv(self.control, 1)
            if not part:
                raise Unavailable("Scripts can't be run here: a supervisor ended before it was ready.")
            sign += part
        self.pid = int(sign)
        return self.pid

    async def prepare(self, spec: Mapping[str, Any], cap: int) -> "Course":
        """Say what will run (see supervise.py for `spec`). Raises Unavailable where nobody listens."""
        course, theirs = Course.opened(self, cap)
        order = json.dumps(spec).encode() + b"\n"
        try:
            sent = socket.send_fds(self.control, [order], theirs)
            if sent < len(order):
                await asyncio.get_running_loop().sock_sendall(self.control, order[sent:])
        except OSError:
            course.close()
            raise Unavailable("Its supervisor ended before it was told what to run. Try again.") from None
        except BaseException:
            course.close()
            raise
        finally:
            for one in theirs:
                os.close(one)
        return course

    def stop(self) -> None:
        """Ask for the end of the script and of the supervisor; doing it twice changes nothing.

        A script that halted its supervisor (SIGSTOP) gains nothing by it.
        """
        self._stopped = True
        with suppress(OSError):
            self.control.shutdown(socket.SHUT_WR)
        if self.pid and not self._gone:
            with suppress(OSError):
                os.kill(self.pid, signal.SIGCONT)

    async def close(self) -> None:
        """Wait until the supervisor is gone, and give its socket back."""
        self.stop()
        loop = asyncio.get_running_loop()
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(5):
                while await loop.sock_recv(self.control, PIECE):
                    pass
        self.control.close()


class Course:
    """One script from its order to its end. What it says is handed over as it comes, up to the piece that passes
    `cap`; then, and where whoever takes it raises, it is `over`: it should be stopped.
    """

    def __init__(self, supervisor: Supervisor, cap: int, feeding: int, said: int, result: int, go: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._supervisor, self._control = supervisor, supervisor.control
        self._output: Output | None = None  # nothing is said before it begins
        self._cap, self._seen = cap, 0
        self._feeding, self._go = feeding, go
        self._reading = {said: self._hear, result: self._take}
        self._answer = bytearray()
        self._told = b""
        self._report: Report | None = None
        self._failure: Exception | None = None
        self._last_words: asyncio.TimerHandle | None = None
        self.over = self._loop.create_future()
        self.ended: asyncio.Future[Ending] = self._loop.create_future()

    @classmethod
    def opened(cls, supervisor: Supervisor, cap: int) -> tuple["Course", list[int]]:
        """Open the pipes of a script; return our ends of them as a course, and the script's. Raises OSError."""
        pipes = [os.pipe() for _ in range(4)]
        (given, feeding), (said, written), (result, answering), (word, go) = pipes
        for ours in (feeding, said, result):
            os.set_blocking(ours, False)
        return cls(supervisor, cap, feeding, said, result, go), [given, written, answering, word]

    def begin(self, order: bytes, output: Output) -> None:
        """Have the script started, with `order` as its standard input. Whether it was, the report tells."""
        self._output = output
        for descriptor, read in self._reading.items():
            self._loop.add_reader(descriptor, self._read, descriptor, read)
        self._loop.add_reader(self._control, self._listen)
        self._feed(order)
        if self._supervisor.alive:  # or nobody would supervise it
            with suppress(OSError):
                os.write(self._go, b".")
        os.close(self._go)
        self._go = -1

    def close(self) -> None:
        """Give back what was opened, without waiting for anything."""
        if self._control.fileno() >= 0:
            self._loop.remove_reader(self._control)
        for descriptor in list(self._reading):
            self._end(descriptor)
        self._end_feeding()
        if self._go >= 0:
            os.close(self._go)
            self._go = -1
        if self._last_words:
            self._last_words.cancel()

    # ---- what comes from the script ----------------------------------------------------------------

    def _read(self, descriptor: int, take: Output) -> None:
        try:
            data = os.read(descriptor, PIECE)
        except BlockingIOError:
            return
        if data:
            take(data)
        else:
            self._end(descriptor)
            self._settle()

    def _hear(self, data: bytes) -> None:
        """Hand output over up to the cap, and read the rest away so that a script can't hang on a full pipe."""
        if self._output and self._seen <= self._cap:
            try:
                self._output(data)
            except Exception as failure:  # whoever takes it can't, so the script is worth nothing
                self._failure, self._cap = failure, -1
        self._seen += len(data)
        if self._seen > self._cap and not self.over.done():
            self.over.set_result(None)

    def _take(self, data: bytes) -> None:
        self._answer += data[: LARGEST_ANSWER - len(self._answer)]

    def _end(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        os.close(descriptor)
        del self._reading[descriptor]

    def _feed(self, data: bytes) -> None:
        """Write the script's standard input, as far as it takes it now, and the rest when it does; then end it."""
        try:
            data = data[os.write(self._feeding, data) if data else 0 :]
        except BlockingIOError:
            pass
        except OSError:
            data = b""  # it doesn't read
        self._loop.remove_writer(self._feeding)
        if data:
            self._loop.add_writer(self._feeding, self._feed, data)
        else:
            self._end_feeding()

    def _end_feeding(self) -> None:
        if self._feeding >= 0:
            self._loop.remove_writer(self._feeding)
            os.close(self._feeding)
            self._feeding = -1

    # ---- what comes from the supervisor --------------------------------------------------------------

    def _listen(self) -> None:
        try:
            part = self._control.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        self._told += part
        *before, line = self._told.rpartition(b"\n")[0].split(b"\n")
        for one in (*before, line):
            self._supervisor.pid = int(one) if one.isdigit() else self._supervisor.pid
        if part and not line.startswith(b"{"):
            return
        self._loop.remove_reader(self._control)
        self._report = _read_report(line)
        self._last_words = self._loop.call_later(LAST_WORDS, self._give_up)
        self._settle()

    def _settle(self) -> None:
        """All who could write are gone with the report, so the pipes are at their end soon."""
        if self._report is not None and not self._reading:
            self._give_up()

    def _give_up(self) -> None:
        """End with what there is: a supervisor that was killed leaves writers behind."""
        if self.ended.done():
            return
        if self._failure:
            self.ended.set_exception(self._failure)
        else:
            self.ended.set_result(Ending(self._report or Report(), bytes(self._answer)))


def _read_report(line: bytes) -> Report:
    with suppress(ValueError, TypeError):
        return Report(**json.loads(line))
    return Report()


def not_started(said: bytes) -> str:
    """Return the sentence for what was said instead of getting ready."""
    lines = said.decode(errors="replace").strip().splitlines() or ["it ended without a word"]
    return f"Scripts can't be run here: their supervisor doesn't start ({lines[-1]})."
