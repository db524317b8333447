"""What every keeper of posts promises: known where it is shown, and known as tried, also to the next process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.core.run import Place
from bot.ports import Change
from bot.service.posts import Posted, Posts, PostsAlone
from bot.store.database import SqlStore, open_store
from tests.unit.store.values import a_draft, a_post

OPS, TEAM = Place("slack", "C0OPS"), Place("slack", "C0TEAM")
SHOWN = Posted("C0OPS", "17.1", "5c" * 32)
Process = Callable[[], Awaitable[Posts]]


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStore]:
    here = tmp_path / "deputy.db"
    store = await open_store(here if request.param == "sqlite" else str(request.getfixturevalue("database")))
    yield store
    await store.close()


@pytest.fixture(params=["alone", "one of several"])
def process(request: pytest.FixtureRequest, store: SqlStore) -> Process:
    """Return what begins a process, each after the last one has ended."""

    async def begun() -> Posts:
        if request.param == "one of several":
            return store
        posts = PostsAlone(store)
        await posts.start("slack")
        return posts

    return begun


async def to_deliver(store: SqlStore, key: str, place: Place = OPS) -> int:
    """Put a post into the outbox; return its number there."""
    await store.commit(Change((a_draft(),), posts=(a_post(key, place=place),)))
    return (await store.outbox(a_draft().at))[-1].id


async def test_what_was_never_tried_is_not_known_and_then_it_is_as_tried(
    store: SqlStore, process: Process
) -> None:
    posts = await process()
    await to_deliver(store, "R-1")
    assert [await posts.expect_post(OPS, "R-1") for _ in range(2)] == [None, Posted()]
    assert await posts.expect_post(TEAM, "R-1") is None


async def test_where_a_post_is_shown_is_known_to_the_next_process(store: SqlStore, process: Process) -> None:
    posts = await process()
    await to_deliver(store, "R-1")
    await posts.expect_post(OPS, "R-1")
    for shown in (SHOWN, Posted("C0OPS", "17.1", "9e" * 32)):
        await posts.keep_post(OPS, "R-1", shown)
        assert await posts.expect_post(OPS, "R-1") == shown
        assert await (await process()).expect_post(OPS, "R-1") == shown


async def test_what_a_process_tried_before_it_died_is_known_as_tried(store: SqlStore, process: Process) -> None:
    before = await process()
    await to_deliver(store, "R-1")
    for key in ("R-1", "R-1@C0TEAM", "R-1:R-1-output.txt", "R-1@C0TEAM:R-1-output.txt"):
        await before.expect_post(OPS, key)
    after = await process()
    for key in ("R-1", "R-1@C0TEAM", "R-1:R-1-output.txt", "R-1@C0TEAM:R-1-output.txt"):
        assert await after.expect_post(OPS, key) == Posted(), key
    await to_deliver(store, "R-2")
    assert await after.expect_post(OPS, "R-2") is None


async def test_what_was_tried_is_known_as_tried_though_something_newer_took_its_place(
    store: SqlStore, process: Process
) -> None:
    before = await process()
    await to_deliver(store, "R-1")
    await before.expect_post(OPS, "R-1")
    await to_deliver(store, "R-1")
    assert await before.expect_post(OPS, "R-1") == Posted()
    assert await (await process()).expect_post(OPS, "R-1") == Posted()


async def test_what_is_shown_first_of_a_post_leaves_the_rest_of_it_tried(
    store: SqlStore, process: Process
) -> None:
    before = await process()
    await to_deliver(store, "R-1")
    for key in ("R-1", "R-1@C0TEAM"):
        await before.expect_post(OPS, key)
    after = await process()
    await after.expect_post(OPS, "R-1")
    await after.keep_post(OPS, "R-1", SHOWN)
    assert await after.expect_post(OPS, "R-1@C0TEAM") == Posted()


async def test_a_message_that_is_gone_may_have_come_again(store: SqlStore, process: Process) -> None:
    posts = await process()
    await posts.expect_post(OPS, "R-1")
    await posts.keep_post(OPS, "R-1", SHOWN)
    await posts.keep_post(OPS, "R-1", Posted())
    assert await posts.expect_post(OPS, "R-1") == Posted()


async def test_of_two_processes_that_try_at_the_same_moment_one_knows_that_it_is_tried(database: str) -> None:
    stores = await open_store(database), await open_store(database)
    for number in range(20):
        tried = await asyncio.gather(*(store.expect_post(OPS, f"R-{number}") for store in stores))
        assert sorted(one is None for one in tried) == [False, True]
    await asyncio.gather(*(store.close() for store in stores))


async def test_only_what_waits_for_a_platform_is_waited_for(store: SqlStore) -> None:
    await to_deliver(store, "R-1", Place("local", "general"))
    delivered = await to_deliver(store, "R-2")
    await to_deliver(store, "R-3", TEAM)
    await store.posted([delivered])
    assert list(await store.waiting_posts("slack")) == [(TEAM, "R-3")]
