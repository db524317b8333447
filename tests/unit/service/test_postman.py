"""Delivering the outbox: order per run, nothing lost while chat is down, nothing twice."""

import asyncio
from datetime import UTC, datetime

import pytest

from bot.core.audit import Draft, Tag
from bot.core.card import Card
from bot.core.errors import Invalid, Unavailable
from bot.core.lifecycle import DEPUTY
from bot.ports import Change, Chat, Post
from bot.service.postman import Postman
from bot.service.undelivered import TRIES
from tests.fakes.company import PLACE, Company, Wall


class Slow(Wall):
    """A chat that takes long to answer to one post."""

    def __init__(self, slow: str) -> None:
        super().__init__()
        self.slow = slow
        self.answers = asyncio.Event()

    async def post(self, post: Post) -> None:
        if post.key == self.slow:
            await self.answers.wait()
        await super().post(post)


class Picky(Wall):
    """A chat that can't take some posts."""

    def __init__(self, refused: str, error: Exception) -> None:
        super().__init__()
        self.refused = refused
        self.error = error

    async def post(self, post: Post) -> None:
        if post.key == self.refused:
            raise self.error
        await super().post(post)


async def test_R10_chat_down_loses_nothing_and_tells_how_it_ended() -> None:
    company = Company()
    company.wall.down = True
    runs = [await company.say("ann", "look") for _ in range(3)]
    for _ in range(10):
        assert await Postman(company.ports).deliver() == 0
        company.clock.pass_(180)
    await company.work()
    company.wall.down = False
    company.clock.pass_(60)
    await Postman(company.ports).deliver()
    assert sorted(post.key for post in company.wall.posts) == sorted(runs)
    assert {post.card.state for post in company.wall.posts} == {"succeeded"}
    assert await Postman(company.ports).deliver() == 0


async def test_a_card_that_the_next_one_overtakes_soon_is_shown_only_where_that_takes_long() -> None:
    company = Company()
    run = await company.say("ann", "look")
    assert await Postman(company.ports).deliver() == 0
    company.clock.pass_(1)
    assert await Postman(company.ports).deliver() == 1
    await company.work()
    await Postman(company.ports).deliver()
    assert [post.card.state for post in company.wall.posts if post.key == run] == ["queued", "succeeded"]


async def test_a_later_post_of_a_run_waits_for_the_one_before_it() -> None:
    company = Company()
    run = await company.say("ann", "hold")
    other = await company.say("ann", "look")
    await company.store.commit(_result_post(run))
    company.clock.pass_(1)
    picky = Picky(refused=run, error=Unavailable("The chat can't be reached."))
    company.ports.chats["local"] = picky  # type: ignore[index]
    await Postman(company.ports).deliver()
    assert [post.key for post in picky.posts] == [other]


@pytest.mark.parametrize("error", [Invalid("The chat refuses it."), KeyError("ts")])
async def test_a_post_that_is_refused_or_breaks_holds_up_no_other_and_is_given_up(error: Exception) -> None:
    company = Company()
    run = await company.say("ann", "hold")
    await company.store.commit(_result_post(run))
    other = await company.say("ann", "look")
    company.clock.pass_(1)
    picky = Picky(run, error)
    company.ports.chats["local"] = picky  # type: ignore[index]
    await Postman(company.ports).deliver()
    assert [post.key for post in picky.posts] == [other]
    for _ in range(TRIES):
        company.clock.pass_(60)
        await Postman(company.ports).deliver()
    assert [post.key for post in picky.posts] == [other, f"{run}:result"]
    assert (await company.tags(run)).count(Tag.POST_GIVEN_UP) == 1


async def test_a_post_to_a_chat_that_is_not_set_up_now_waits_for_it() -> None:
    company = Company()
    run = await company.say("ann", "look")
    chats: dict[str, Chat] = company.ports.chats  # type: ignore[assignment]
    wall = chats.pop("local")
    for _ in range(2 * TRIES):
        await Postman(company.ports).deliver()
        company.clock.pass_(61)
    chats["local"] = wall
    await Postman(company.ports).deliver()
    assert [post.key for post in company.wall.posts] == [run]


async def test_a_platform_that_takes_long_about_one_run_holds_up_no_other() -> None:
    company = Company()
    slow, other = [await company.say("ann", "look") for _ in range(2)]
    company.clock.pass_(1)
    chat = Slow(slow)
    company.ports.chats["local"] = chat  # type: ignore[index]
    postman = Postman(company.ports)
    first, second = await postman.begin()
    assert await second == 1
    assert [post.key for post in chat.posts] == [other]
    assert await postman.begin() == []
    chat.answers.set()
    assert await first == 1
    assert [post.key for post in chat.posts] == [other, slow]


def _result_post(run: str) -> Change:
    entry = Draft(Tag.QUERY_RAN, DEPUTY, run, datetime(2026, 11, 23, tzinfo=UTC))
    return Change((entry,), posts=(Post(PLACE, f"{run}:result", Card("Result", run=run)),))
