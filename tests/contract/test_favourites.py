"""Favourites: what every store promises of them, the fake one too."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.principal import Who
from bot.ports import Store
from bot.store.database import open_store
from tests.contract.test_store import postgresql, sqlite
from tests.fakes.memory_store import MemoryStore

MIA, MAX = Who("contoso", "o-2", "Mia"), Who("contoso", "o-3", "Max")


def memory(request: pytest.FixtureRequest) -> Path | str:
    return ""


@pytest.fixture(params=[sqlite, postgresql, memory], ids=lambda one: one.__name__)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    where = request.param(request)
    if not where:
        yield MemoryStore()
        return
    store = await open_store(where)
    yield store
    await store.close()


async def test_favourites_are_each_persons_own(store: Store) -> None:
    assert set(await store.favourites(MIA)) == set()
    await store.mark_favourite(MIA, "unlock-account")
    await store.mark_favourite(MIA, "disk-usage")
    await store.mark_favourite(MAX, "disk-usage")
    assert set(await store.favourites(MIA)) == {"unlock-account", "disk-usage"}
    await store.unmark_favourite(MIA, "disk-usage")
    assert set(await store.favourites(MIA)) == {"unlock-account"}
    assert set(await store.favourites(MAX)) == {"disk-usage"}


async def test_a_person_is_known_by_tenant_and_id_however_they_are_spelled(store: Store) -> None:
    await store.mark_favourite(MIA, "disk-usage")
    assert set(await store.favourites(Who("CONTOSO", "O-2", "Mia Lindt"))) == {"disk-usage"}


async def test_marking_twice_is_marking_once_also_at_the_same_time(store: Store) -> None:
    await asyncio.gather(*(store.mark_favourite(MIA, "disk-usage") for _ in range(5)))
    assert sorted(await store.favourites(MIA)) == ["disk-usage"]
    await store.unmark_favourite(MIA, "disk-usage")
    await store.unmark_favourite(MIA, "disk-usage")
    assert sorted(await store.favourites(MIA)) == []
