"""The menu and completion over a large catalogue."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from tests.bench.channel import Channel, channel
from tests.bench.figures import Figure, ms
from tests.bench.server import deputy, write_actions

ACTIONS = 400
STARTS = 3
ASKS: Mapping[str, Callable[[Channel], Awaitable[object]]] = {
    "menu": lambda page: page.say("/deputy"),
    "completion": lambda page: page.complete("/deputy look-at-39"),
}
SETTLED = 0.6  # seconds after which the folder is looked at again


async def measure(folder: Path, rounds: int) -> list[Figure]:
    """Measure the first answer after a start, those that look at the folder again, and those that needn't."""
    actions = write_actions(folder / "actions", ACTIONS)
    figures: list[Figure] = []
    for name, ask in ASKS.items():
        times: dict[str, list[float]] = {"first": [], "folder looked at": [], "warm": []}
        for _ in range(STARTS):
            with deputy(folder / "data", actions) as ours:
                async with channel(ours.address) as page:
                    await _time(partial(ask, page), times, rounds // STARTS + 1)
        figures += [
            Figure(f"{name} of {ACTIONS} actions, {when}", ms(took), "ms", goal="≤ 50 ms")
            for when, took in times.items()
        ]
    return figures


async def _time(ask: Callable[[], Awaitable[object]], times: Mapping[str, list[float]], rounds: int) -> None:
    times["first"].append(await _once(ask))
    for _ in range(rounds):
        await asyncio.sleep(SETTLED)
        times["folder looked at"].append(await _once(ask))
        times["warm"].append(await _once(ask))


async def _once(ask: Callable[[], Awaitable[object]]) -> float:
    begun = time.monotonic()
    await ask()
    return time.monotonic() - begun
