"""The inbox: kept before it is acknowledged, shared writes, known when it comes again, nothing lost."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import pytest

from bot.core.errors import Unavailable
from bot.service.inbox import Inbox, Intent
from tests.fakes.company import StillClock


class Shelf:
    """Where intents are kept: a write waits for the gate."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.writes: list[list[str]] = []
        self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def keep_intents(self, intents: Sequence[Intent], holder: str) -> Collection[str]:
        self.writes.append([one.id for one in intents])
        await self.gate.wait()
        if self.broken:
            raise Unavailable("The disk is full.")
        new = {one.id for one in intents} - self.kept.keys()
        self.kept |= {one.id: one.document for one in intents if one.id in new}
        return new

    async def end_intents(self, ids: Collection[str]) -> None:
        self.kept |= dict.fromkeys(ids, "")

    async def take_over_intents(self, before: datetime, holder: str, now: datetime) -> Sequence[Intent]:
        return [Intent(id, document, before) for id, document in self.kept.items() if document]

    async def forget_intents(self, before: datetime) -> None:
        self.kept = {id: document for id, document in self.kept.items() if document}


@pytest.fixture
async def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def inbox(shelf: Shelf) -> Inbox:
    return Inbox(shelf, StillClock(), iter(map(str, range(1_000))).__next__)


async def begun(shelf: Shelf) -> None:
    while not shelf.writes:
        await asyncio.sleep(0)


async def test_what_is_new_is_kept_and_what_comes_again_is_known(shelf: Shelf, inbox: Inbox) -> None:
    assert [await inbox.keep("a", "do it"), await inbox.keep("a", "do it")] == [True, False]
    assert shelf.kept == {"a": "do it"}


async def test_those_that_come_during_a_write_share_the_next(shelf: Shelf, inbox: Inbox) -> None:
    shelf.gate.clear()
    first = asyncio.create_task(inbox.keep("a", "1"))
    await begun(shelf)
    rest = [asyncio.create_task(inbox.keep(id, id)) for id in "bcdab"]
    await asyncio.sleep(0)
    shelf.gate.set()
    assert await asyncio.gather(first, *rest) == [True, True, True, True, False, False]
    assert shelf.writes == [["a"], ["b", "c", "d"]]


async def test_A7_nothing_is_acknowledged_that_could_not_be_kept(shelf: Shelf, inbox: Inbox) -> None:
    shelf.broken = True
    answers = await asyncio.gather(*(inbox.keep("a", "1") for _ in range(3)), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["The disk is full."] * 3
    shelf.broken = False
    assert await inbox.keep("a", "1")


async def test_who_stops_waiting_takes_no_other_along(shelf: Shelf, inbox: Inbox) -> None:
    shelf.gate.clear()
    first = asyncio.create_task(inbox.keep("a", "1"))
    await begun(shelf)
    second = asyncio.create_task(inbox.keep("a", "1"))
    await asyncio.sleep(0)
    first.cancel()
    shelf.gate.set()
    assert await second is False
    assert shelf.kept == {"a": "1"}


async def test_what_is_done_is_not_left_and_stays_known(shelf: Shelf, inbox: Inbox) -> None:
    await inbox.keep("a", "1")
    await inbox.keep("b", "2")
    inbox.done("a")
    await inbox.close()
    assert shelf.kept == {"a": "", "b": "2"}
    assert [one.id for one in await inbox.left(timedelta(0))] == ["b"]
