"""The embedded engine: words inside one process."""

import asyncio

import pytest

from bot.core.errors import Unavailable
from bot.engine.embedded import EmbeddedEngine
from tests.contract.test_engine import new_run
from tests.fakes.worked import Worked, working


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


async def test_two_new_runs_are_not_taken_for_one_free_worker() -> None:
    engine, worked = EmbeddedEngine(), Worked()
    first, second = new_run(), new_run()
    async with working(engine, worked, 1):
        await until_resting()
        assert [engine.hand_over(first), engine.hand_over(second)] == [True, False]
        await worked.until(1)
    assert worked.runs == [first]


async def test_a_new_run_that_nobody_began_with_when_the_work_ends_is_sent_back_and_what_is_queued_stays() -> None:
    engine, worked, new = EmbeddedEngine(), Worked(), new_run()
    work = asyncio.create_task(engine.work(worked.execute, 2))
    await until_resting()
    work.cancel()
    assert engine.hand_over(new)
    await engine.enqueue("R-1")
    await asyncio.wait([work])
    assert worked.runs == []
    with pytest.raises(Unavailable, match="stopping"):
        await new.written
    async with working(engine, worked, 1):
        await worked.until(1)
    assert worked.runs == ["R-1"]


async def until_resting() -> None:
    """Let the workers begin to wait."""
    for _ in range(3):
        await asyncio.sleep(0)
