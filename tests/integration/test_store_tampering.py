"""Attack A1: whatever is changed in the audit table, the verifier names the first entry that doesn't hold."""

import asyncio
import sqlite3
from pathlib import Path
from shutil import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.audit import Verdict
from bot.ports import Change
from bot.store.database import open_store
from tests.unit.store.values import a_draft, verified

COLUMNS = ("at", "tag", "tenant", "actor", "actor_name", "subject", "facts", "previous", "hash")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with ten entries."""
    path = tmp_path_factory.mktemp("chain") / "deputy.db"

    async def write() -> None:
        store = await open_store(path)
        await store.commit(Change(tuple(a_draft(f"R-{number}", reason="é", code=number) for number in range(10))))
        await store.close()

    asyncio.run(write())
    return path


async def verdict(path: Path) -> Verdict:
    store = await open_store(path)
    try:
        return await verified(store)
    finally:
        await store.close()


def after(original: Path, *statements: str) -> Verdict:
    """Return what the verifier says of a copy in which some statements were executed."""
    path = Path(copy(original, original.with_name("copy.db")))
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return asyncio.run(verdict(path))


def test_an_untouched_chain_holds(original: Path) -> None:
    assert (after(original).holds, after(original).broken_at) == (10, None)


@pytest.mark.parametrize(
    ("statements", "broken"),
    [
        (["DELETE FROM audit_entries WHERE sequence = 4"], 4),
        (["DELETE FROM audit_entries WHERE sequence = 1"], 1),
        (["UPDATE audit_entries SET sequence = 99 WHERE sequence = 10"], 10),
        (
            [
                "UPDATE audit_entries SET sequence = -sequence WHERE sequence IN (4, 5)",
                "UPDATE audit_entries SET sequence = 9 + sequence WHERE sequence < 0",
            ],
            4,
        ),
        (
            [
                "UPDATE audit_entries SET sequence = -sequence - 1 WHERE sequence > 4",
                "UPDATE audit_entries SET sequence = -sequence WHERE sequence < 0",
                "INSERT INTO audit_entries SELECT 5, at, tag, tenant, actor, actor_name, subject, facts, previous,"
                " hash FROM audit_entries WHERE sequence = 4",
            ],
            5,
        ),
    ],
    ids=["deleted", "first deleted", "renumbered", "swapped", "inserted"],
)
def test_A1_rows_that_were_moved_are_found(original: Path, statements: list[str], broken: int) -> None:
    found = after(original, *statements)

    assert (found.broken_at, found.holds) == (broken, broken - 1)
    assert str(broken) in found.fault


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(
    "value",
    ["''", "'x'", "x'ff00'", "7", "'{\"a\":1.5}'", "'{\"é\":1}'", "'[1]'", "'null'", "'9007199254740993'"],
    ids=["empty", "text", "bytes", "number", "float", "key", "list", "null", "large"],
)
def test_A1_a_column_that_holds_something_else_is_found(original: Path, column: str, value: str) -> None:
    found = after(original, f"UPDATE audit_entries SET {column} = {value} WHERE sequence = 4")

    assert (found.broken_at, found.holds) == (4, 3)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("facts", "replace(facts, ':', ': ')"),
        ("facts", "facts || ' '"),
        ("facts", "replace(facts, 'é', '\\u00e9')"),
        ("facts", "replace(facts, '{', '{\"code\":0,')"),
        ("facts", "'{\"code\":' || printf('%.*c', 5000, '[') || '}'"),
        ("at", "replace(at, 'T', ' ')"),
        ("at", "replace(at, '+00:00', 'Z')"),
        ("at", "replace(at, '+00:00', '')"),
        ("hash", "upper(hash)"),
    ],
)
def test_A1_the_same_fact_in_another_spelling_is_found(original: Path, written: str, instead: str) -> None:
    found = after(original, f"UPDATE audit_entries SET {written} = {instead} WHERE sequence = 4")

    assert (found.broken_at, found.holds) == (4, 3)


@given(st.data())
@settings(max_examples=60)
def test_A1_one_changed_byte_anywhere_is_found(original: Path, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(COLUMNS))
    with sqlite3.connect(original) as connection:
        (text,) = connection.execute(
            f"SELECT CAST({column} AS BLOB) FROM audit_entries WHERE sequence = 4"
        ).fetchone()
    connection.close()
    at = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[at]))
    changed = (text[:at] + bytes([byte]) + text[at + 1 :]).hex()

    found = after(original, f"UPDATE audit_entries SET {column} = CAST(x'{changed}' AS TEXT) WHERE sequence = 4")

    assert (found.broken_at, found.holds) == (4, 3)


def test_A2_a_truncated_tail_is_behind_the_head(original: Path) -> None:
    path = Path(copy(original, original.with_name("copy.db")))
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM audit_entries WHERE sequence > 7")
    connection.close()

    async def compared() -> tuple[int, int]:
        store = await open_store(path)
        sequence, _ = await store.head()
        holds = (await verified(store)).holds
        await store.close()
        return holds, sequence

    assert asyncio.run(compared()) == (7, 10)
