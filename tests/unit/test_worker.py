"""Delivering the outbox: order per run, nothing lost while chat is down, nothing twice."""

from datetime import UTC, datetime

from bot.core.audit import Draft, Tag
from bot.core.card import Card
from bot.core.errors import Unavailable
from bot.core.lifecycle import DEPUTY
from bot.ports import Change, Post
from bot.worker import Worker
from tests.fakes.company import PLACE, Company, Wall


class Picky(Wall):
    """A chat that can't take some posts."""

    def __init__(self, refused: str) -> None:
        super().__init__()
        self.refused = refused

    async def post(self, post: Post) -> None:
        if post.key == self.refused:
            raise Unavailable("The chat can't be reached.")
        await super().post(post)


def worker(company: Company) -> Worker:
    return Worker(company.ports, "worker-1", 1)


async def test_R10_chat_down_loses_nothing_and_tells_how_it_ended() -> None:
    company = Company()
    company.wall.down = True
    runs = [await company.say("ann", "look") for _ in range(3)]
    for _ in range(10):
        assert await worker(company).deliver_once() == 0
        company.clock.pass_(180)
    await company.work()
    company.wall.down = False
    company.clock.pass_(60)
    await worker(company).deliver_once()
    assert sorted(post.key for post in company.wall.posts) == sorted(runs)
    assert {post.card.state for post in company.wall.posts} == {"succeeded"}
    assert await worker(company).deliver_once() == 0


async def test_a_later_post_of_a_run_waits_for_the_one_before_it() -> None:
    company = Company()
    run = await company.say("ann", "hold")
    other = await company.say("ann", "look")
    await company.store.commit(_result_post(run))
    picky = Picky(refused=run)
    company.ports.chats["local"] = picky  # type: ignore[index]
    await worker(company).deliver_once()
    assert [post.key for post in picky.posts] == [other]


def _result_post(run: str) -> Change:
    entry = Draft(Tag.QUERY_RAN, DEPUTY, run, datetime(2026, 11, 23, tzinfo=UTC))
    return Change((entry,), posts=(Post(PLACE, f"{run}:result", Card("Result", run=run)),))
