"""Where supervisors come from: a process that has loaded all they need, and forks one whenever one is wanted."""

import asyncio
import os
import socket
from asyncio.subprocess import PIPE, STDOUT, Process
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import Unavailable
from bot.runners.supervisor import LANG, LARGEST_REPORT, PATH, Supervisor, not_started

_PROGRAM = Path(__file__).with_name("supervise.py")
_WANTED = b"."


@dataclass(frozen=True)
class _Parent:
    """A running supervise.py."""

    process: Process
    wanted: socket.socket


class Nursery:
    """Gives out supervisors that run on the interpreter `python`; where its process died, from another one."""

    def __init__(self, python: Path) -> None:
        self._python = python
        self._starting = asyncio.Lock()
        self._parent: _Parent | None = None

    async def supervisor(self) -> Supervisor:
        """Return a new supervisor; it gets ready by itself. Raises Unavailable."""
        try:
            try:
                return await _ask((await self._running()).wanted)
            except ConnectionError:  # it died just now
                return await _ask((await self._start()).wanted)
        except OSError as error:
            raise Unavailable(
                f"Scripts can't be run here: no supervisor is to be had ({error.strerror})."
            ) from None

    async def close(self) -> None:
        """End the process; supervisors that were given out go on."""
        parent, self._parent = self._parent, None
        if parent:
            parent.wanted.close()
            await parent.process.communicate()

    async def _running(self) -> _Parent:
        async with self._starting:
            parent = self._parent
            return parent if parent and parent.process.returncode is None else await self._start()

    async def _start(self) -> _Parent:
        await self.close()
        ours, theirs = socket.socketpair()
        try:
            process = await _spawn(self._python, theirs.fileno())
            ours.setblocking(False)
            self._parent = parent = _Parent(process, ours)
        except OSError as error:
            ours.close()
            why = f"{self._python} doesn't start ({error.strerror})"
            raise Unavailable(f"Scripts can't be run here: {why}.") from None
        finally:
            theirs.close()
        if not await asyncio.get_running_loop().sock_recv(ours, 1):
            assert process.stdout  # noqa: S101 - it was started with a pipe
            raise Unavailable(not_started(await process.stdout.read(LARGEST_REPORT)))
        return parent


async def _spawn(python: Path, wanted: int) -> Process:
    return await asyncio.create_subprocess_exec(
        *(python, "-I", "-B", _PROGRAM, str(wanted)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        pass_fds=(wanted,),
        env={"PATH": PATH, "LANG": LANG},
        cwd=os.sep,
        start_new_session=True,
    )


async def _ask(wanted: socket.socket) -> Supervisor:
    """Have a supervisor forked. Raises OSError."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            socket.send_fds(wanted, [_WANTED], [theirs.fileno()])
        except OSError:
            ours.close()
            raise
    ours.setblocking(False)
    return Supervisor(ours)
