"""The worker's side of a supervisor: start one ahead of need, give it a script, hear how that ended."""

import asyncio
import json
import os
import socket
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.errors import Unavailable

PATH = "/usr/local/bin:/usr/bin:/bin"
LANG = "C.UTF-8"
# A result may have 1 MB (python_main.py); the rest is room for its quotes and name.
LARGEST_ANSWER = 1_100_000
LARGEST_REPORT = 10_000

_PROGRAM = Path(__file__).with_name("supervise.py")


@dataclass(frozen=True)
class Report:
    """What a supervisor says at the end: the script's exit code, or the fault that kept it from starting.

    Neither, where it was killed before it could say anything.
    """

    code: int | None = None
    fault: str = ""


@dataclass(frozen=True)
class Supervisor:
    """One running supervise.py with the pipes that its script will have."""

    process: Process
    control: socket.socket
    result: socket.socket
    go: socket.socket

    @classmethod
    async def start(cls, python: Path) -> "Supervisor":
        """Start a supervisor; it gets ready by itself. Raises Unavailable."""
        pairs = [socket.socketpair() for _ in range(3)]
        try:
            process = await _spawn(python, [end.fileno() for _, end in pairs])
        except BaseException as error:
            for ours, _ in pairs:
                ours.close()
            if isinstance(error, OSError):
                raise Unavailable(
                    f"Scripts can't be run here: {python} doesn't start ({error.strerror})."
                ) from None
            raise
        finally:
            for _, end in pairs:
                end.close()
        for ours, _ in pairs:
            ours.setblocking(False)
        return cls(process, *(ours for ours, _ in pairs))

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def ready(self) -> None:
        """Wait until it waits for a script. Raises Unavailable with what it says where it can't."""
        sign = await asyncio.get_running_loop().sock_recv(self.control, 1)
        if sign != b".":
            said = (await _stream(self.process.stdout).read(LARGEST_REPORT)).decode(errors="replace")
            lines = said.strip().splitlines() or ["it ended without a word"]
            raise Unavailable(f"Scripts can't be run here: their supervisor doesn't start ({lines[-1]}).")

    async def prepare(self, spec: Mapping[str, Any]) -> None:
        """Say what will run (see supervise.py for `spec`). Raises Unavailable where nobody listens."""
        try:
            await asyncio.get_running_loop().sock_sendall(self.control, json.dumps(spec).encode() + b"\n")
        except OSError:
            raise Unavailable("Its supervisor ended before it was told what to run. Try again.") from None

    def begin(self) -> None:
        """Have it started. Whether it was, the report tells."""
        with suppress(OSError):
            self.go.send(b".")

    async def feed(self, data: bytes) -> None:
        """Write the script's standard input and end it."""
        assert self.process.stdin  # noqa: S101 - it was started with a pipe
        with suppress(ConnectionError):
            self.process.stdin.write(data)
            await self.process.stdin.drain()
        self.process.stdin.close()

    async def output(self, size: int = 65536) -> bytes:
        """Return the next bytes of standard output and error, nothing at their end."""
        return await _stream(self.process.stdout).read(size)

    async def answer(self) -> bytes:
        """Return what the script wrote on its result descriptor, at most `LARGEST_ANSWER` bytes."""
        return await _read(self.result, LARGEST_ANSWER)

    async def report(self) -> Report:
        """Wait for the end: the script and all it started are gone then."""
        said = (await _read(self.control, LARGEST_REPORT)).removeprefix(b".")
        with suppress(ValueError, TypeError):
            return Report(**json.loads(said))
        return Report()

    def stop(self) -> None:
        """Ask for the end of the script and of the supervisor; doing it twice changes nothing."""
        for one in (self.go, self.control):
            with suppress(OSError):
                one.shutdown(socket.SHUT_WR)

    async def close(self) -> None:
        """Wait until the process is gone, and give everything back."""
        self.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), 5)
        for one in (self.control, self.result, self.go):
            one.close()


async def _spawn(python: Path, sockets: Sequence[int]) -> Process:
    return await asyncio.create_subprocess_exec(
        *(python, "-I", "-B", _PROGRAM),
        *map(str, sockets),
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
        pass_fds=sockets,
        env={"PATH": PATH, "LANG": LANG},
        cwd=os.sep,
        start_new_session=True,
    )


def _stream(stream: asyncio.StreamReader | None) -> asyncio.StreamReader:
    assert stream  # noqa: S101 - it was started with a pipe
    return stream


async def _read(end: socket.socket, most: int) -> bytes:
    """Read a socket to its end and return the first `most` bytes."""
    loop = asyncio.get_running_loop()
    read = bytearray()
    with suppress(ConnectionError):
        while data := await loop.sock_recv(end, 65536):
            read += data[: most - len(read)]
    return bytes(read)
