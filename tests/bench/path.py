"""From a command to its result, round by round in turn with the bare handler."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import aiohttp

from bot.runners.nursery import Nursery
from tests.bench.channel import Channel, channel
from tests.bench.figures import Figure, ms
from tests.bench.server import Server, bare, deputy, write_actions

WARM_UP = 5
CROWD = 8  # as many scripts as Deputy runs at once
PAUSE = 0.2  # seconds of quiet before each measurement, in which the next supervisor gets ready


async def measure(folder: Path, rounds: int) -> list[Figure]:
    """Measure the times to start and to result, runs per second, and memory."""
    actions = write_actions(folder / "actions", 20)
    with deputy(folder / "data", actions) as ours, bare(actions) as theirs:
        idle = ours.resident, theirs.resident
        async with channel(ours.address) as page, aiohttp.ClientSession() as session:
            figures = await _one_by_one(page, session, theirs, rounds)
            figures += await _together(page, session, theirs, rounds * 4)
    memory = Figure("memory, idle", idle[0], "MB", idle[1])
    return [*figures, memory]


async def _one_by_one(page: Channel, session: aiohttp.ClientSession, theirs: Server, rounds: int) -> list[Figure]:
    ours, others, supervisors = [], [], []
    for _ in range(WARM_UP + rounds):
        await asyncio.sleep(PAUSE)
        ours.append(await _timed(page))
        await asyncio.sleep(PAUSE)
        others.append(await _bare(session, theirs))
        await asyncio.sleep(PAUSE)
        supervisors.append(await supervisor_start())
    measured, against = ours[WARM_UP:], others[WARM_UP:]
    start = ms([began for began, _ in measured]), ms([began for began, _ in against])
    result = ms([shown for _, shown in measured]), ms([shown for _, shown in against])
    return [
        Figure("command → script started", start[0], "ms", start[1], "≤ 3 ×"),
        Figure("command → result shown", result[0], "ms", result[1], "≤ 3 ×, and a supervisor"),
        Figure("a supervisor's start, ahead of need", ms(supervisors[WARM_UP:]), "ms"),
    ]


async def _together(page: Channel, session: aiohttp.ClientSession, theirs: Server, runs: int) -> list[Figure]:
    ours, others = [], []
    for _ in range(3):
        ours.append(await _rate(runs, lambda: page.run("/deputy tell-time")))
        others.append(await _rate(runs, lambda: _bare(session, theirs)))
    return [Figure(f"runs, {CROWD} at once", median(ours), "/s", median(others))]


async def _rate(runs: int, once: Callable[[], Awaitable[object]]) -> float:
    left = iter(range(runs))

    async def one_after_another() -> None:
        for _ in left:
            await once()

    begun = time.monotonic()
    await asyncio.gather(*(one_after_another() for _ in range(CROWD)))
    return runs / (time.monotonic() - begun)


async def _timed(page: Channel) -> tuple[float, float]:
    """Return the seconds until the script began and until its result was shown."""
    asked = time.time()
    seen = await page.run("/deputy tell-time")
    return seen.began - asked, seen.shown - asked


async def _bare(session: aiohttp.ClientSession, theirs: Server) -> tuple[float, float]:
    asked = time.time()
    async with session.post(f"{theirs.address}/run", json={"text": "tell-time"}) as answer:
        began = float(await answer.text())
    return began - asked, time.time() - asked


async def supervisor_start() -> float:
    """Return the seconds that a supervisor needs to get ready."""
    nursery = Nursery(Path(sys.executable))
    await (await nursery.supervisor()).close()
    begun = time.monotonic()
    supervisor = await nursery.supervisor()
    await supervisor.ready()
    took = time.monotonic() - begun
    await supervisor.close()
    await nursery.close()
    return took
