"""The embedded engine: words inside one process."""

import asyncio

import pytest

from bot.engine.embedded import EmbeddedEngine


@pytest.mark.parametrize("ticks", range(4))
async def test_who_waits_for_a_knock_can_be_stopped_though_it_comes_at_the_same_moment(ticks: int) -> None:
    engine = EmbeddedEngine()
    waiting = asyncio.create_task(engine.knocked(60))
    await asyncio.sleep(0)
    engine.knock()
    for _ in range(ticks):
        await asyncio.sleep(0)
    was_over = waiting.done()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert was_over or waiting.cancelled()
