"""What every engine promises: a new one is one more parameter of the fixture `subject`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.core.lifecycle import Event, Happening, begin
from bot.engine.embedded import EmbeddedEngine
from bot.engine.procrastinate import announce, prepare_queue, procrastinate_engine
from bot.ports import Delivery, Engine, NewRun
from bot.store.database import SqlStore, open_store
from tests.fakes.company import action
from tests.fakes.worked import Worked, working
from tests.unit.store.values import NOW, OLGA, a_change, a_run


@dataclass(frozen=True)
class Subject:
    """An engine, and the store whose runs it tells of."""

    engine: Engine
    store: SqlStore

    async def queue(self, *runs: str) -> None:
        """Write runs down as queued, and say so."""
        for run in runs:
            await self.store.commit(a_change(a_run(run)))
            await self.engine.enqueue(run)


@asynccontextmanager
async def embedded(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    folder: Path = request.getfixturevalue("tmp_path")
    store = await open_store(folder / "deputy.db")
    yield Subject(EmbeddedEngine(), store)
    await store.close()


@asynccontextmanager
async def procrastinate(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    url: str = request.getfixturevalue("database")
    await prepare_queue(url)
    store = await open_store(url, announce)
    async with procrastinate_engine(url, delivers=True) as engine:
        yield Subject(engine, store)
    await store.close()


@pytest.fixture(params=[embedded, procrastinate], ids=lambda one: one.__name__)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    async with request.param(request) as subject:
        yield subject


def names(count: int) -> Sequence[str]:
    return [f"R-{number}" for number in range(count)]


def new_run() -> NewRun:
    run = a_run("R-NEW", revision=0)
    permitted = begin(run, Happening(Event.PERMIT, by=OLGA), NOW)
    return NewRun(permitted, action("look"), ("desk-runs",), Delivery("d-1", "c" * 64))


async def test_every_queued_run_is_handed_out_once(subject: Subject) -> None:
    worked = Worked()
    await subject.queue("R-0")
    async with working(subject.engine, worked):
        await subject.queue(*names(10)[1:])
        await worked.until(10)
    assert sorted(map(str, worked.runs)) == names(10)


async def test_what_waits_and_is_said_again_is_handed_out_once(subject: Subject) -> None:
    worked = Worked()
    await subject.queue("R-0", "R-1")
    for run in ("R-0", "R-1", "R-0"):
        await subject.engine.remind(run)
    async with working(subject.engine, worked):
        await worked.until(2)
        await subject.queue("R-2")
        await worked.until(3)
    assert sorted(map(str, worked.runs)) == names(3)


async def test_no_more_run_at_once_than_allowed(subject: Subject) -> None:
    worked = Worked()
    worked.go_on.clear()
    async with working(subject.engine, worked, 2):
        await subject.queue(*names(5))
        await worked.until(2)
        worked.go_on.set()
        await worked.until(5)
    assert worked.most == 2


async def test_work_that_is_called_off_ends_at_once_though_a_run_goes_on(subject: Subject) -> None:
    worked = Worked()
    worked.go_on.clear()
    async with working(subject.engine, worked):
        await subject.queue("R-0")
        await worked.until(1)
    assert worked.going == 0


async def test_a_new_run_is_taken_and_begun_with_or_neither(subject: Subject) -> None:
    worked, new = Worked(), new_run()
    assert not subject.engine.hand_over(new)  # nobody works yet
    async with working(subject.engine, worked, 1):
        await subject.queue("R-0")
        await worked.until(1)
        async with asyncio.timeout(10):
            while worked.going:
                await asyncio.sleep(0.01)
        taken = [new] if subject.engine.hand_over(new) else []
        await subject.queue("R-1")
        await worked.until(2 + len(taken))
    assert worked.runs == ["R-0", *taken, "R-1"]


async def test_a_new_run_is_not_taken_where_every_worker_is_busy(subject: Subject) -> None:
    worked = Worked()
    worked.go_on.clear()
    async with working(subject.engine, worked, 1):
        await subject.queue("R-0", "R-1")
        await worked.until(1)
        assert not subject.engine.hand_over(new_run())
        worked.go_on.set()
        await worked.until(2)
    assert worked.runs == ["R-0", "R-1"]
