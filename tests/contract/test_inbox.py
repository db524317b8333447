"""What every store promises about intents: kept once, by one holder, until they are done."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.service.inbox import Intent
from bot.store.database import SqlStore, open_store
from tests.unit.store.values import NOW

LATER = NOW + timedelta(minutes=1)


def an_intent(id: str) -> Intent:
    return Intent(id, f'{{"do": "{id}"}}', NOW)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    return tmp_path / "deputy.db" if request.param == "sqlite" else str(request.getfixturevalue("database"))


@pytest.fixture
async def stores(where: Path | str) -> AsyncIterator[tuple[SqlStore, SqlStore]]:
    """Return one database as two processes have it open."""
    both = await open_store(where), await open_store(where)
    yield both
    await asyncio.gather(*(store.close() for store in both))


Both = tuple[SqlStore, SqlStore]


async def test_an_intent_is_new_once_whoever_keeps_it(stores: Both) -> None:
    one, other = stores
    assert set(await one.keep_intents([an_intent("a"), an_intent("b")], "h-1")) == {"a", "b"}
    assert set(await other.keep_intents([an_intent("b"), an_intent("c")], "h-2")) == {"c"}
    assert set(await one.keep_intents([an_intent("a")], "h-3")) == set()


async def test_I8_of_those_who_keep_an_intent_at_the_same_moment_one_is_first(stores: Both) -> None:
    wanted = [an_intent(str(number)) for number in range(20)]
    calls = [store.keep_intents(wanted, f"h-{number}") for number, store in enumerate(stores * 5)]
    new = [id for ids in await asyncio.gather(*calls) for id in ids]
    assert sorted(new) == sorted(one.id for one in wanted)


async def test_what_is_done_is_not_handed_over_and_stays_known(stores: Both) -> None:
    one, other = stores
    await one.keep_intents([an_intent("a"), an_intent("b")], "h-1")
    await one.end_intents(["a"])
    assert await other.take_over_intents(LATER, "h-2", LATER) == [an_intent("b")]
    assert set(await other.keep_intents([an_intent("a")], "h-3")) == set()


async def test_what_is_left_is_handed_over_to_one_and_only_when_it_is_old(stores: Both) -> None:
    await stores[0].keep_intents([an_intent(str(number)) for number in range(5)], "h-1")
    assert await stores[1].take_over_intents(NOW, "h-2", LATER) == []
    calls = [store.take_over_intents(LATER, f"t-{number}", LATER) for number, store in enumerate(stores * 3)]
    taken = [intent.id for intents in await asyncio.gather(*calls) for intent in intents]
    assert sorted(taken) == list("01234")


async def test_only_what_is_done_and_old_is_forgotten(stores: Both) -> None:
    store = stores[0]
    await store.keep_intents([an_intent("done"), an_intent("left")], "h-1")
    await store.end_intents(["done"])
    await store.forget_intents(NOW)
    assert set(await store.keep_intents([an_intent("done")], "h-2")) == set()
    await store.forget_intents(LATER)
    assert set(await store.keep_intents([an_intent("done"), an_intent("left")], "h-3")) == {"done"}
