"""Moving from SQLite to PostgreSQL: all of it, into an empty database, with the audit chain proven, or nothing."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from bot.core.errors import Conflict, Damaged, Invalid
from bot.core.run import State
from bot.core.secret import Secret
from bot.ports import Change, Delivery, Output
from bot.service.secrets import set_secret
from bot.store.database import SqlStore, open_store
from bot.store.tables import metadata
from bot.vault.builtin import open_vault
from tests.unit.store.values import NOW, OLGA, PLACE, SCRIPT, a_change, a_draft, a_post, a_run, verified


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = await open_store(tmp_path / "deputy.db")
    yield store
    await store.close()


@pytest.fixture
async def target(database: str) -> AsyncIterator[SqlStore]:
    store = await open_store(database)
    yield store
    await store.close()


async def fill(store: SqlStore) -> None:
    for name in ("R-1", "R-2", "R-3"):
        output = Output(name, "ünïcødé", sealed=b"\x00\xff", expires=NOW)
        delivery = Delivery(f"d-{name}", "c" * 64)
        await store.commit(
            a_change(a_run(name), posts=(a_post(name),), scripts=(SCRIPT,), output=output, delivery=delivery)
        )
    await store.say(PLACE, "Olga", "hello", "m-1", NOW)
    await store.commit(Change(tuple(a_draft(f"R-{n}") for n in range(1_000))))


def contents(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {
        table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
        for table in metadata.sorted_tables
    }


async def test_everything_is_there_afterwards_and_new_things_come_after_it(
    source: SqlStore, target: SqlStore
) -> None:
    await fill(source)
    before = await source._read(contents)

    rows = await target.fill(source)

    assert await target._read(contents) == before == await source._read(contents)
    assert rows == sum(len(part) for part in before.values())
    await target.commit(a_change(a_run("R-4"), posts=(a_post("R-4"),)))
    await target.say(PLACE, "Olga", "again", "m-2", NOW)
    assert [run.id for run in await target.runs()] == ["R-4", "R-3", "R-2", "R-1"]
    assert [waiting.post.key for waiting in await target.outbox(NOW)][-1] == "R-4"
    assert (await verified(target)).holds == 1_004


async def test_an_empty_database_can_be_copied_too(source: SqlStore, target: SqlStore) -> None:
    assert await target.fill(source) == 1  # the audit chain's head
    await target.commit(a_change(a_run()))
    assert (await verified(target)).holds == 1


async def test_the_vault_opens_there_what_was_sealed_before(
    source: SqlStore, target: SqlStore, tmp_path: Path
) -> None:
    vault = await open_vault(tmp_path / "vault.key", source)
    await set_secret(source, vault, "directory", {"password": Secret("s3cret")}, OLGA, NOW)

    await target.fill(source)

    there = await open_vault(tmp_path / "vault.key", target)
    assert (await there.lease("vault:directory", 1, "R-1"))["password"].reveal() == "s3cret"


async def test_a_database_that_holds_something_is_left_alone(source: SqlStore, target: SqlStore) -> None:
    await fill(source)
    await target.say(PLACE, "Olga", "mine", "m-9", NOW)

    with pytest.raises(Conflict, match=r"not empty: it has 1 rows in messages\. Nothing was copied"):
        await target.fill(source)

    assert [message.text for message in await target.messages(PLACE)] == ["mine"]
    assert await target.runs() == []


async def test_a_run_that_did_not_end_with_deputy_is_settled_first(source: SqlStore, target: SqlStore) -> None:
    await source.commit(a_change(a_run("R-7", state=State.RUNNING)))

    with pytest.raises(Conflict, match=r"R-7 did not end when Deputy did.*Nothing was copied"):
        await target.fill(source)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE audit_entries SET subject = 'R-9' WHERE sequence = 500", "does not hold: .*500"),
        ("DELETE FROM audit_entries WHERE sequence > 900", "ends at entry 900, but its head says otherwise"),
    ],
)
async def test_A1_A2_a_chain_that_does_not_hold_is_not_copied(
    source: SqlStore, target: SqlStore, tmp_path: Path, change: str, words: str
) -> None:
    await fill(source)
    with sqlite3.connect(tmp_path / "deputy.db") as other:
        other.execute(change)
    other.close()

    with pytest.raises(Damaged, match=words):
        await target.fill(source)

    assert await target.runs() == []
    assert (await target.head())[0] == 0


async def test_X3_a_text_that_PostgreSQL_cannot_hold_stops_the_copy_in_words(
    source: SqlStore, target: SqlStore
) -> None:
    await source.say(PLACE, "Olga", "a\x00b", "m-1", NOW)

    with pytest.raises(Invalid, match="NUL character"):
        await target.fill(source)

    assert (await target.head())[0] == 0
