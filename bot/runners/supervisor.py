"""The worker's side of a supervisor: give it a script, feed that, hear what it says and how it ended."""

import asyncio
import json
import select
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from typing import Any

from bot.core.errors import Unavailable

PATH = "/usr/local/bin:/usr/bin:/bin"
LANG = "C.UTF-8"
# A result may have 1 MB (python_main.py); the rest is room for its quotes and name.
LARGEST_ANSWER = 1_100_000
LARGEST_REPORT = 10_000


@dataclass(frozen=True)
class Report:
    """What a supervisor says at the end: the script's exit code, or the fault that kept it from starting.

    Neither, where it was killed before it could say anything.
    """

    code: int | None = None
    fault: str = ""


@dataclass(frozen=True)
class Supervisor:
    """One supervisor, and our ends of its script's input and output and of its sockets (see supervise.py)."""

    feeding: FileIO
    said: asyncio.StreamReader
    pipe: asyncio.BaseTransport
    control: socket.socket
    result: socket.socket
    go: socket.socket

    @property
    def alive(self) -> bool:
        poll = select.poll()
        poll.register(self.control, select.POLLRDHUP)
        return not poll.poll(0)

    async def ready(self) -> int:
        """Wait until it waits for a script; return its process id. Raises Unavailable, saying why it doesn't."""
        sign = b""
        while not sign.endswith(b"\n"):
            part = await asyncio.get_running_loop().sock_recv(self.control, 1)
            if not part:
                raise Unavailable(not_started(await self.said.read(LARGEST_REPORT)))
            sign += part
        return int(sign)

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
        with suppress(ConnectionError):
            while data:
                written = self.feeding.write(data)
                if written is None:
                    await _writable(self.feeding)
                data = data[written or 0 :]
        self.feeding.close()

    async def output(self, size: int = 65536) -> bytes:
        """Return the next bytes of standard output and error, nothing at their end."""
        return await self.said.read(size)

    async def answer(self) -> bytes:
        """Return what the script wrote on its result descriptor, at most `LARGEST_ANSWER` bytes."""
        return await _read(self.result, LARGEST_ANSWER)

    async def report(self) -> Report:
        """Wait for the end: the script and all it started are gone then."""
        said = b""
        with suppress(ConnectionError, ValueError, TypeError):
            while not (said.endswith(b"\n") and b"}" in said):  # its process id came before, in a line of its own
                part = await asyncio.get_running_loop().sock_recv(self.control, LARGEST_REPORT)
                if not part:
                    return Report()
                said += part
            return Report(**json.loads(said.splitlines()[-1]))
        return Report()

    def stop(self) -> None:
        """Ask for the end of the script and of the supervisor; doing it twice changes nothing."""
        for one in (self.go, self.control):
            with suppress(OSError):
                one.shutdown(socket.SHUT_WR)

    async def close(self) -> None:
        """Wait until the supervisor is gone, and give everything back."""
        self.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await _read(self.control, 0)
        self.feeding.close()
        self.pipe.close()
        for one in (self.control, self.result, self.go):
            one.close()


def not_started(said: bytes) -> str:
    """Return the sentence for a supervisor that said this instead of getting ready."""
    lines = said.decode(errors="replace").strip().splitlines() or ["it ended without a word"]
    return f"Scripts can't be run here: their supervisor doesn't start ({lines[-1]})."


async def _writable(pipe: FileIO) -> None:
    """Wait until a pipe takes more."""
    loop, writable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_writer(pipe, writable.set)
    try:
        await writable.wait()
    finally:
        loop.remove_writer(pipe)


async def _read(end: socket.socket, most: int) -> bytes:
    """Read a socket to its end and return the first `most` bytes."""
    loop = asyncio.get_running_loop()
    read = bytearray()
    with suppress(ConnectionError):
        while data := await loop.sock_recv(end, 65536):
            read += data[: most - len(read)]
    return bytes(read)
