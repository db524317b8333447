"""The menu and completion over a large catalogue."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.bench.channel import channel
from tests.bench.figures import Figure, ms
from tests.bench.server import deputy, write_actions

ACTIONS = 400
SETTLED = 0.6  # seconds after which the folder is looked at again


async def measure(folder: Path, rounds: int) -> list[Figure]:
    """Measure the first answer after a start, those that look at the folder again, and those that needn't."""
    actions = write_actions(folder / "actions", ACTIONS)
    figures: list[Figure] = []
    for number, name in enumerate(("menu", "completion")):
        with deputy(folder / f"data-{number}", actions) as ours:
            async with channel(ours.address) as page:
                asks: list[Callable[[], Awaitable[object]]] = [
                    lambda page=page: page.say("/deputy"),
                    lambda page=page: page.complete("/deputy look-at-39"),
                ]
                figures += await _three(f"{name} of {ACTIONS} actions", asks[number], rounds)
    return figures


async def _three(name: str, ask: Callable[[], Awaitable[object]], rounds: int) -> list[Figure]:
    cold = [await _timed(ask)]
    again, warm = [], []
    for _ in range(rounds):
        await asyncio.sleep(SETTLED)
        again.append(await _timed(ask))
        warm.append(await _timed(ask))
    return [
        Figure(f"{name}, first", ms(cold), "ms", goal="≤ 50 ms"),
        Figure(f"{name}, folder looked at", ms(again), "ms", goal="≤ 50 ms"),
        Figure(f"{name}, warm", ms(warm), "ms", goal="≤ 50 ms"),
    ]


async def _timed(ask: Callable[[], Awaitable[object]]) -> float:
    begun = time.monotonic()
    await ask()
    return time.monotonic() - begun
