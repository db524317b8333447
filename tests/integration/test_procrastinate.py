"""The engine for many processes: a run is queued with its word, and starts once wherever it is heard."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psycopg
import pytest
from procrastinate.schema import SchemaManager

from bot.core.errors import Conflict, Unavailable
from bot.core.run import Place, State
from bot.engine.procrastinate import ProcrastinateEngine, announce, prepare_queue, procrastinate_engine
from bot.ports import NewRun
from bot.store.database import SqlStore, open_store
from tests.fakes.postgres import Cluster
from tests.fakes.worked import Worked, working
from tests.unit.store.values import a_change, a_post, a_run


@pytest.fixture
async def store(database: str) -> AsyncIterator[SqlStore]:
    await prepare_queue(database)
    store = await open_store(database, announce)
    yield store
    await store.close()


@pytest.fixture
async def engine(database: str, store: SqlStore) -> AsyncIterator[ProcrastinateEngine]:
    async with procrastinate_engine(database, delivers=True) as engine:
        yield engine


def queue(database: str) -> list[str]:
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
        return [str(name).removeprefix("run:") for (name,) in rows]


# ---- queued in the run's own transaction ---------------------------------------------------------


async def test_a_run_and_its_word_are_written_together_or_not_at_all(store: SqlStore, database: str) -> None:
    await store.commit(a_change(a_run("R-1")))
    answers = await asyncio.gather(
        *(store.commit(a_change(a_run(name))) for name in ("R-1", "R-2", "R-2")), return_exceptions=True
    )

    assert [isinstance(answer, Conflict) for answer in answers] == [True, False, True]
    assert queue(database) == ["R-1", "R-2"]


async def test_only_queued_runs_are_announced_and_one_that_waits_only_once(store: SqlStore, database: str) -> None:
    await store.commit(a_change(a_run("R-1", state=State.AWAITING_APPROVAL)))
    assert queue(database) == []
    await store.commit(a_change(a_run("R-1", revision=2)))
    await store.commit(a_change(a_run("R-1", revision=3)))
    assert queue(database) == ["R-1"]


async def test_what_is_said_again_is_said_once(
    store: SqlStore, engine: ProcrastinateEngine, database: str
) -> None:
    await store.commit(a_change(a_run("R-1")))
    for run in ("R-1", "R-1", "R-2", "R-2"):
        await engine.remind(run)
        await engine.enqueue(run)

    assert queue(database) == ["R-1", "R-2"]


# ---- worked on -----------------------------------------------------------------------------------


async def test_every_queued_run_is_handed_out_once_and_nothing_is_left_of_it(
    store: SqlStore, engine: ProcrastinateEngine, database: str
) -> None:
    worked = Worked()
    await store.commit(a_change(a_run("R-0")))
    async with (
        procrastinate_engine(database, delivers=False) as other,
        working(engine, worked),
        working(other, worked),
    ):
        await asyncio.gather(*(store.commit(a_change(a_run(f"R-{n}"))) for n in range(1, 30)))
        await worked.until(30)

    assert sorted(worked.runs) == sorted(f"R-{n}" for n in range(30))
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)


async def test_a_run_that_fails_in_the_worker_is_not_handed_out_again(
    store: SqlStore, engine: ProcrastinateEngine
) -> None:
    worked = Worked()

    async def fail(run: str | NewRun) -> None:
        await worked.execute(run)
        raise RuntimeError(run)

    work = asyncio.create_task(engine.work(fail, 1))
    for name in ("R-1", "R-2", "R-3"):
        await store.commit(a_change(a_run(name)))
    await worked.until(3)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)

    assert worked.runs == ["R-1", "R-2", "R-3"]


async def test_X14_work_goes_on_after_a_crash_of_the_server(
    store: SqlStore, engine: ProcrastinateEngine, cluster: Cluster
) -> None:
    worked = Worked()
    async with working(engine, worked):
        await store.commit(a_change(a_run("R-1")))
        await worked.until(1)
        cluster.crash()
        try:
            with pytest.raises(Unavailable, match="queue can't be reached"):
                await engine.remind("R-2")
        finally:
            cluster.start()
        await store.commit(a_change(a_run("R-3")))
        await worked.until(2)

    assert worked.runs == ["R-1", "R-3"]


# ---- posts ---------------------------------------------------------------------------------------


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


async def test_who_waits_for_posts_hears_of_those_of_another_process(
    store: SqlStore, engine: ProcrastinateEngine
) -> None:
    await until(lambda: engine.delivers)
    await engine.knocked(0.01)
    waiting = asyncio.create_task(engine.knocked(3600))
    await asyncio.sleep(0.1)
    assert not waiting.done()

    await store.commit(a_change(a_run("R-1", state=State.SUCCEEDED), posts=(a_post(),)))

    done, _ = await asyncio.wait([waiting], timeout=30)
    assert done == {waiting}


async def test_one_process_at_a_time_delivers_and_another_takes_over(
    store: SqlStore, database: str, cluster: Cluster
) -> None:
    async with procrastinate_engine(database, delivers=False) as never:
        async with procrastinate_engine(database, delivers=True) as first:
            await until(lambda: first.delivers)
            async with procrastinate_engine(database, delivers=True) as second:
                await second.knocked(0.1)
                assert (first.delivers, second.delivers, never.delivers) == (True, False, False)
                await first.close()
                assert not first.delivers
                await until(lambda: second.delivers)
                cluster.run("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
                await until(lambda: not second.delivers)
                await until(lambda: second.delivers)
        assert not never.delivers


async def test_lines_of_a_running_script_are_heard_in_every_process_that_has_doors(
    database: str, store: SqlStore
) -> None:
    heard: list[tuple[str, Place, str, str]] = []
    async with (
        procrastinate_engine(database, delivers=True) as first,
        procrastinate_engine(database, delivers=True) as second,
        procrastinate_engine(database, delivers=False) as worker,
    ):
        for name, engine in (("first", first), ("second", second), ("worker", worker)):
            engine.relay.hear(lambda *said, name=name: heard.append((name, *said)))  # type: ignore[misc]
        await asyncio.sleep(0.3)  # until all of them listen
        place = Place("slack", "C0OPS")
        worker.relay.progress(place, "R-1", "copied 40 of 90\n“ü”")
        await until(lambda: len(heard) >= 2)
        await asyncio.sleep(0.1)
    assert sorted(heard) == [(name, place, "R-1", "copied 40 of 90\n“ü”") for name in ("first", "second")]


# ---- its tables ----------------------------------------------------------------------------------


async def test_many_may_prepare_a_fresh_queue_at_once(database: str) -> None:
    await asyncio.gather(*(prepare_queue(database) for _ in range(4)))
    await prepare_queue(database)

    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)


async def test_what_a_newer_procrastinate_adds_is_added_once(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare_queue(database)
    shipped = Path(SchemaManager.get_migrations_path())
    for step in shipped.glob("*.sql"):
        (tmp_path / step.name).write_text("an old step is not done again")
    (tmp_path / "99.00.00_01_new.sql").write_text("CREATE TABLE added (); CREATE TABLE too ();")
    monkeypatch.setattr(SchemaManager, "get_migrations_path", lambda: str(tmp_path))

    await prepare_queue(database)
    await prepare_queue(database)

    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT FROM added, too").fetchall() == []


async def test_a_database_that_is_not_there_is_said_in_a_sentence() -> None:
    with pytest.raises(Unavailable, match=r"queue in the database can't be opened .*refused.*Nothing was done\."):
        await prepare_queue("postgresql://deputy@127.0.0.1:1/deputy")
