"""Measures one process of Deputy on each database, with scripts that run in it: `python -m tests.bench.many`.

What is measured is Deputy and the database, for the runner and the chat cost next to nothing.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bot.core.run import State
from bot.ports import Ports
from bot.service.sweep import expire
from bot.worker import Worker
from tests.bench.figures import Figure, ms, table
from tests.fakes import postgres
from tests.torture.deputy import deputy
from tests.torture.ground import Command, Ground, command, lay, signed_command
from tests.torture.people import Crowd

CONCURRENCY = 8
ALONE, TOGETHER, WAITING = 100, 2_000, 10_000
ROUND = 250  # requests that wait for approval, asked at once


def main() -> None:
    """Measure both databases and print one table."""
    figures = asyncio.run(measure("SQLite", ""))
    installed = postgres.binaries()
    if installed:
        with postgres.cluster(installed, fsync="on") as cluster:
            figures += asyncio.run(measure("PostgreSQL", cluster.url(cluster.database())))
    print(table(figures))


async def measure(name: str, url: str) -> list[Figure]:
    """Measure one database at `url`, SQLite where it is empty."""
    print(f"Measuring {name} …", flush=True)
    with tempfile.TemporaryDirectory(prefix="deputy-bench-") as folder:
        ground = lay(Path(folder), url)
        async with AsyncExitStack() as stack:
            ports = await stack.enter_async_context(deputy(ground, delivers=True))
            worker = Worker(ports, "bench", CONCURRENCY)
            await worker.start()
            stack.push_async_callback(worker.close)
            crowd = Crowd(ports, ground, range(0))
            await _complete(crowd, ports, [command(number) for number in range(20)])  # warm
            alone = [await _started(crowd, ground, command(number)) for number in range(100, 100 + ALONE)]
            many = [command(number) for number in range(1_000, 1_000 + TOGETHER)]
            seconds = await _complete(crowd, ports, many)
            before = _memory()
            await _wait_for_approval(crowd)
            swept = await _timed_sweep(ports)
            return [
                Figure(f"{name}: command → script started, idle", ms(alone), "ms", goal="≤ 25 ms"),
                Figure(f"{name}: complete runs", TOGETHER / seconds, "runs/s", goal="≥ 150 runs/s"),
                Figure(f"{name}: memory for {WAITING:,} that wait", _memory() - before, "MB", goal="next to none"),
                Figure(f"{name}: a look for those that expired", swept, "ms"),
            ]


async def _started(crowd: Crowd, ground: Ground, one: Command) -> float:
    """Ask for one run; return the seconds until its script has begun, which it writes itself."""
    size = ground.ledger.stat().st_size
    begun = time.perf_counter()
    await crowd.ask(one)
    while ground.ledger.stat().st_size == size:
        await asyncio.sleep(0.0005)
    seconds = time.perf_counter() - begun
    await asyncio.sleep(0.03)
    return seconds


async def _complete(crowd: Crowd, ports: Ports, commands: Sequence[Command]) -> float:
    """Ask for many runs at once; return the seconds until every one has succeeded."""
    begun = time.perf_counter()
    await asyncio.gather(*(crowd.ask(one) for one in commands))
    while await ports.store.queued(1) or await ports.store.runs(states=(State.RUNNING,), limit=1):
        await asyncio.sleep(0.01)
    return time.perf_counter() - begun


async def _wait_for_approval(crowd: Crowd) -> None:
    for first in range(20_000, 20_000 + WAITING, ROUND):
        await asyncio.gather(*(crowd.ask(signed_command(number)) for number in range(first, first + ROUND)))


async def _timed_sweep(ports: Ports) -> float:
    begun = time.perf_counter()
    await expire(ports)
    return (time.perf_counter() - begun) * 1000


def _memory() -> float:
    """Return what this process holds, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main()
