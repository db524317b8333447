"""What goes wrong with a PostgreSQL server: nothing is half done, and the sentence says what to do."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, make_url, text

from bot.core.errors import Damaged, Invalid, Unavailable
from bot.ports import Change, Output
from bot.store.database import SqlStore, open_store
from bot.store.tables import metadata
from tests.fakes.postgres import PASSWORD, Cluster
from tests.unit.store.values import NOW, PLACE, a_change, a_draft, a_post, a_run, verified


@pytest.fixture
async def store(database: str) -> AsyncIterator[SqlStore]:
    store = await open_store(database)
    await store.commit(a_change(a_run("R-0")))
    yield store
    await store.close()


async def nothing_was_done(store: SqlStore) -> bool:
    return [run.id for run in await store.runs()] == ["R-0"] and (await verified(store)).holds == 1


# ---- opening -------------------------------------------------------------------------------------


async def test_the_migrations_make_the_very_tables_that_the_code_uses(store: SqlStore, database: str) -> None:
    with create_engine(make_url(database).set(drivername="postgresql+psycopg")).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


async def test_many_may_open_a_fresh_database_at_once(database: str) -> None:
    stores = await asyncio.gather(*(open_store(database) for _ in range(4)))

    await stores[0].commit(a_change(a_run()))
    assert [len(await store.runs()) for store in stores] == [1] * 4
    await asyncio.gather(*(store.close() for store in stores))


async def test_a_migration_that_breaks_halfway_leaves_the_database_as_it_was(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE secrets (mine TEXT)")

    with pytest.raises(Unavailable, match="already exists"):
        await open_store(database)

    with psycopg.connect(database) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert names == [("secrets",)]


@pytest.mark.parametrize("url", ["mysql://a@b/c", "postgresql://", "postgresql://h:port/d", "deputy.db", ""])
async def test_an_address_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match=r"no address of a PostgreSQL database; one reads like postgresql://"):
        await open_store(url)


async def test_a_wrong_password_is_said_without_it(cluster: Cluster) -> None:
    name = cluster.database()
    store = await open_store(cluster.tcp_url(name))
    await store.close()

    with pytest.raises(Unavailable, match="password authentication failed") as caught:
        await open_store(cluster.tcp_url(name, "wrong-guess"))

    assert str(caught.value).startswith(f"The database {name} on 127.0.0.1 can't be reached (")
    assert str(caught.value).endswith("see that its server runs, and that DEPUTY_DATABASE_URL is right.")
    assert "wrong-guess" not in f"{caught.value}{caught.value.__cause__}{vars(store)}"
    assert PASSWORD not in f"{vars(store)}{store._backend!r}"


async def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(Unavailable, match=r"deputy on 127\.0\.0\.1 can't be reached .*efused.*Nothing was done"):
        await open_store("postgresql://deputy@127.0.0.1:1/deputy")


# ---- writing -------------------------------------------------------------------------------------


async def test_A7_a_read_only_database_writes_nothing_and_says_so(
    store: SqlStore, cluster: Cluster, database: str
) -> None:
    name = make_url(database).database
    cluster.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    cluster.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    for write in (store.commit(a_change(a_run())), store.show(a_post(), NOW), store.posted([1])):
        with pytest.raises(Unavailable, match=r"read-only\. Nothing was done; point DEPUTY_DATABASE_URL"):
            await write

    assert await nothing_was_done(store)


async def test_A7_a_database_that_is_held_by_another_program_writes_nothing_and_can_still_be_read(
    store: SqlStore, database: str
) -> None:
    with psycopg.connect(database) as other:
        other.execute("SELECT * FROM audit_head FOR UPDATE")
        await store._write(lambda connection: connection.execute(text("SET lock_timeout = 20")))
        with pytest.raises(Unavailable, match=r"held by another program\. Nothing was done"):
            await store.commit(a_change(a_run()))
        assert await nothing_was_done(store)

    await store.commit(a_change(a_run()))
    assert (await verified(store)).holds == 2


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        ("53100", Unavailable, "its disk is full. Nothing was done; free space"),
        ("58030", Unavailable, "its disk fails. Nothing was done"),
        ("42501", Unavailable, "refuses Deputy a right it needs. Nothing was done"),
        ("XX001", Damaged, "is damaged"),
        ("0A000", Unavailable, "reports “not today”. Nothing was done"),
    ],
)
async def test_X16_A7_what_the_server_refuses_is_said_and_nothing_is_written(
    store: SqlStore, database: str, state: str, kind: type[Exception], words: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = '{state}'; END $$".encode()
        )
        connection.execute("CREATE TRIGGER fail BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION fail()")

    with pytest.raises(kind, match=words):
        await store.commit(a_change(a_run(), posts=(a_post(),)))

    assert await nothing_was_done(store)


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_a_lost_race_is_run_again(store: SqlStore, state: str) -> None:
    tried: list[int] = []

    def fail_once(connection: Connection) -> str:
        tried.append(1)
        if len(tried) == 1:
            raised = f"DO $$ BEGIN RAISE EXCEPTION 'race' USING ERRCODE = '{state}'; END $$"
            connection.exec_driver_sql(raised)
        return "done"

    results = await asyncio.gather(store._write(fail_once), store.commit(a_change(a_run())))

    assert (results[0], len(tried)) == ("done", 2)
    assert (await verified(store)).holds == 2


async def test_X3_a_NUL_in_a_text_is_refused_in_words_and_takes_no_other_change_along(store: SqlStore) -> None:
    bad = (a_change(a_run("R-1"), output=Output("R-1", "a\x00b")), Change((a_draft("R\x00"),)))

    answers = await asyncio.gather(
        *(store.commit(change) for change in (*bad, a_change(a_run("R-2")))), return_exceptions=True
    )

    assert [str(answer) for answer in answers[:2]] == [
        "A text holds a NUL character, which PostgreSQL can't store. Nothing was done."
    ] * 2
    assert {run.id for run in await store.runs()} == {"R-0", "R-2"}
    with pytest.raises(Invalid, match="NUL"):
        await store.say(PLACE, "Olga", "a\x00", "m-1", NOW)


async def test_a_commit_waits_for_the_disk_and_readers_write_nothing(store: SqlStore) -> None:
    def setting(connection: Connection) -> Any:
        return connection.exec_driver_sql("SHOW synchronous_commit").scalar()

    assert await store._write(setting) == "on"
    with pytest.raises(Unavailable, match="read-only"):
        await store._read(lambda connection: connection.exec_driver_sql("DELETE FROM audit_head"))


# ---- the server goes away ------------------------------------------------------------------------


async def test_X14_after_a_crash_of_the_server_all_that_was_said_to_be_written_is_there(
    store: SqlStore, cluster: Cluster
) -> None:
    await asyncio.gather(*(store.commit(a_change(a_run(f"R-{n}"))) for n in range(1, 6)))
    await store.head()

    cluster.crash()
    try:
        for act in (store.head(), store.commit(a_change(a_run("R-6")))):
            with pytest.raises(Unavailable, match="can't be reached"):
                await act
    finally:
        cluster.start()

    await store.commit(a_change(a_run("R-7")))
    assert {run.id for run in await store.runs()} == {f"R-{n}" for n in (0, 1, 2, 3, 4, 5, 7)}
    assert (await verified(store)).holds == 7


async def test_A7_a_connection_that_breaks_within_a_change_says_that_its_end_is_not_known(store: SqlStore) -> None:
    def breaking(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(Unavailable, match="not known whether the last change was written"):
        await store._write(breaking)

    await store.commit(a_change(a_run()))
    assert (await verified(store)).holds == 2


# ---- several processes ---------------------------------------------------------------------------

APPENDING = """
import asyncio, sys
from bot.ports import Change
from bot.store.database import open_store
from tests.unit.store.values import a_draft

async def main(url, name):
    store = await open_store(url)
    await asyncio.gather(*(store.commit(Change((a_draft(f"{name}-{n}"),))) for n in range(60)))
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_A3_A6_processes_that_start_at_once_append_to_one_chain(database: str) -> None:
    commands = [[sys.executable, "-c", APPENDING, database, f"p{number}"] for number in range(3)]

    assert [process.wait() for process in [subprocess.Popen(command) for command in commands]] == [0, 0, 0]

    store = await open_store(database)
    assert ((await verified(store)).holds, (await store.head())[0]) == (180, 180)
    await store.close()
