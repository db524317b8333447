"""A worker: the real one, in a process of its own; and a careless one, by which the judge is judged."""

import asyncio
import contextlib
import os
from multiprocessing.connection import Connection

from bot.app import nonce
from bot.core.lifecycle import Event, Happening
from bot.core.run import Run
from bot.ports import Ports
from bot.service import pulse
from bot.service.sweep import end
from bot.worker import Worker
from tests.torture.deputy import deputy, persist
from tests.torture.ground import Ground

CONCURRENCY = 1


def work(ground: Ground, go: Connection) -> None:
    """Wait for the other end of `go` to be closed, then work until killed."""
    with contextlib.suppress(EOFError):
        go.recv()
    persist(_work, ground)


async def begin(ports: Ports, ground: Ground) -> None:
    """Start the worker of a process; on broken ground the careless one."""
    if ground.broken:
        pulse.give_up = _run_again  # type: ignore[attr-defined]
    await Worker(ports, f"{os.getpid()}:{nonce()[:6]}", CONCURRENCY, ground.lease).start()


async def _run_again(ports: Ports, run: Run) -> bool:
    """Do as many queues do: what a silent worker ran is run again, whatever it was."""
    return await end(ports, run, Happening(Event.REQUEUE))


async def _work(ground: Ground) -> None:
    async with deputy(ground, delivers=False) as ports:
        await begin(ports, ground)
        await asyncio.Event().wait()
