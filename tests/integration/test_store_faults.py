"""What goes wrong with a disk or a file: nothing is half done, and the sentence says what to do."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import Pool

from bot.core.errors import Damaged, Unavailable
from bot.ports import Change, Output
from bot.store.database import SqlStore, open_store
from bot.store.sqlite import SqliteFile
from tests.unit.store.values import NOW, OLGA, PLACE, a_change, a_draft, a_post, a_run, verified


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deputy.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqlStore]:
    store = await open_store(path)
    await store.commit(a_change(a_run("R-0")))
    yield store
    await store.close()


@pytest.fixture
def pragma() -> Iterator[Callable[[str], None]]:
    """Set a pragma on every connection from now on, until the test ends or another one is set."""
    setting = ["user_version"]

    def checkout(connection: Any, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA {setting[0]}")
        cursor.close()

    event.listen(Pool, "checkout", checkout)
    yield lambda text: setting.__setitem__(0, text)
    event.remove(Pool, "checkout", checkout)


async def nothing_was_done(store: SqlStore) -> bool:
    return [run.id for run in await store.runs()] == ["R-0"] and (await verified(store)).holds == 1


# ---- writing -------------------------------------------------------------------------------------


async def test_X16_A7_a_full_disk_writes_nothing_and_says_so(
    store: SqlStore, pragma: Callable[[str], None], path: Path
) -> None:
    pragma("max_page_count = 1")  # no less than the file has: from here on it can't grow
    big = Output("R-1", "x" * 100_000)

    answers = await asyncio.gather(
        *(store.commit(a_change(a_run(f"R-{n}"), output=Output(f"R-{n}", big.text))) for n in (1, 2)),
        return_exceptions=True,
    )

    assert {type(answer) for answer in answers} == {Unavailable}
    assert str(answers[0]) == (
        f"The database {path} can't be written: the disk is full. Nothing was done; free space, then try again."
    )
    assert await nothing_was_done(store)
    pragma("max_page_count = 1000000")
    await store.commit(a_change(a_run("R-1")))
    assert (await verified(store)).holds == 2


async def test_A7_a_read_only_database_writes_nothing_and_says_so(
    store: SqlStore, pragma: Callable[[str], None]
) -> None:
    pragma("query_only = ON")

    with pytest.raises(Unavailable, match=r"read-only\. Nothing was done; let Deputy write"):
        await store.commit(a_change(a_run("R-1")))

    assert await nothing_was_done(store)


async def test_A7_a_database_that_is_held_by_another_program_writes_nothing_and_can_still_be_read(
    store: SqlStore, pragma: Callable[[str], None], path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    pragma("busy_timeout = 20")

    with pytest.raises(Unavailable, match=r"held by another program\. Nothing was done; try again"):
        await store.commit(a_change(a_run("R-1")))

    assert await nothing_was_done(store)
    other.execute("ROLLBACK")
    other.close()
    await store.commit(a_change(a_run("R-1")))
    assert (await verified(store)).holds == 2


async def test_a_write_waits_for_another_program_that_writes(store: SqlStore, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    commit = asyncio.create_task(store.commit(a_change(a_run("R-1"))))

    assert not (await asyncio.wait([commit], timeout=0.2))[0]
    other.execute("COMMIT")
    other.close()
    await commit

    assert (await verified(store)).holds == 2


def test_A7_a_failing_disk_writes_nothing_and_says_so(path: Path) -> None:
    program = (
        "import asyncio, pathlib, resource, sys\n"
        "from bot.core.errors import Unavailable\n"
        "from bot.ports import Output\n"
        "from bot.store.database import open_store\n"
        "from tests.unit.store.values import a_change, a_run\n"
        "async def main():\n"
        "    store = await open_store(pathlib.Path(sys.argv[1]))\n"
        "    await store.commit(a_change(a_run('R-0')))\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))\n"
        "    try:\n"
        "        await store.commit(a_change(a_run('R-1'), output=Output('R-1', 'x' * 3_000_000)))\n"
        "    except Unavailable as error:\n"
        "        print(error)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "    print([run.id for run in await store.runs()], await store.output('R-1'))\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
    )

    run = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)

    assert "the disk fails. Nothing was done" in run.stdout
    assert run.stdout.endswith("['R-0'] None\n")


def test_X16_a_full_disk_is_named_also_where_only_the_index_has_no_room(path: Path) -> None:
    full = sqlite3.OperationalError("disk I/O error")
    full.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    with pytest.raises(Unavailable, match=r"the disk is full\. Nothing was done"), SqliteFile(path).errors():
        raise OperationalError("SELECT 1", None, full)


async def test_every_way_to_write_names_what_is_wrong(store: SqlStore, pragma: Callable[[str], None]) -> None:
    pragma("query_only = ON")
    writes = (
        store.show(a_post(), NOW),
        store.say(PLACE, "Olga", "hello", "m-1", NOW),
        store.posted([1]),
        store.postpone(1, NOW),
        store.forget_outputs(NOW),
    )
    for write in writes:
        with pytest.raises(Unavailable, match="read-only"):
            await write


# ---- opening -------------------------------------------------------------------------------------


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"nowhere/deputy.db can't be opened: no such file or directory\. Make"):
        await open_store(tmp_path / "nowhere" / "deputy.db")


async def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"can't be opened: it is no file\. Make its folder"):
        await open_store(tmp_path)


async def test_a_file_that_is_no_database_is_left_as_it_is(path: Path) -> None:
    path.write_text("something else\n" * 1000)

    with pytest.raises(Damaged, match=r"is no database.*restore a backup"):
        await open_store(path)

    assert path.read_text() == "something else\n" * 1000


async def test_a_database_that_can_be_read_only_is_not_opened(path: Path, pragma: Callable[[str], None]) -> None:
    await (await open_store(path)).close()
    pragma("query_only = ON")

    with pytest.raises(Unavailable, match="read-only"):
        await open_store(path)


async def test_only_its_owner_may_read_the_file(store: SqlStore, path: Path) -> None:
    assert {os.stat(file).st_mode & 0o077 for file in path.parent.iterdir()} == {0}


async def test_a_commit_waits_for_the_disk(store: SqlStore) -> None:
    def settings(connection: Any) -> list[Any]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert await store._write(settings) == ["wal", 2, 1]


# ---- damage --------------------------------------------------------------------------------------


async def test_pages_that_were_overwritten_are_found(path: Path) -> None:
    store = await open_store(path)
    await store.commit(Change(tuple(a_draft(f"R-{n}") for n in range(200))))
    await store.check()
    await store.close()
    content = bytearray(path.read_bytes())
    logged = [at for at in range(0, len(content), 4096) if b"run:started" in content[at : at + 4096]]
    assert logged
    for at in logged:
        content[at : at + 4096] = b"\xff" * 4096
    path.write_bytes(content)

    store = await open_store(path)

    with pytest.raises(Damaged, match="is damaged"):
        await store.check()
    with pytest.raises(Damaged, match=r"is damaged.*restore a backup"):
        await store.entries()
    await store.close()


@pytest.mark.parametrize(
    ("change", "read", "named"),
    [
        ("UPDATE runs SET document = '{'", lambda store: store.runs(), "The run R-1"),
        ("UPDATE outbox SET card = 'x'", lambda store: store.outbox(NOW), "The post 1 in the outbox"),
        ("UPDATE messages SET at = 'x'", lambda store: store.messages(PLACE), "The message 1"),
        ("UPDATE outputs SET expires = 'x'", lambda store: store.output("R-1"), "The output of R-1"),
        ("DELETE FROM audit_head", lambda store: store.head(), "lost its head"),
        ("UPDATE audit_head SET sequence = 0", lambda store: store.commit(a_change()), "has an entry 1 already"),
    ],
    ids=["run", "post", "message", "output", "head gone", "head set back"],
)
async def test_a_row_that_was_changed_is_named(
    store: SqlStore, path: Path, change: str, read: Callable[[SqlStore], Any], named: str
) -> None:
    await store.commit(a_change(a_run("R-1"), posts=(a_post(),), output=Output("R-1", "text", expires=NOW)))
    await store.show(a_post(), NOW)
    with sqlite3.connect(path) as other:
        other.execute(change)
    other.close()

    with pytest.raises(Damaged, match=named):
        await read(store)


async def test_reads_that_are_called_off_leave_the_store_in_order(store: SqlStore) -> None:
    for _ in range(30):
        reads = [asyncio.create_task(store.usage(OLGA)) for _ in range(6)]
        await asyncio.sleep(0.001)
        for read in reads[:3]:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)

    assert await nothing_was_done(store)
