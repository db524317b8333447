"""Acknowledgements go first: what is to be done lets them pass, unless one of them waits for it."""

import asyncio
from typing import Any, cast

import pytest

from bot.chat.slack import attend
from bot.chat.slack.attend import Acks, Attendant
from bot.chat.slack.hear import Doing, Heard
from bot.chat.slack.respond import Answer


async def test_what_is_to_be_done_also_lets_the_next_delivery_pass_that_comes_at_once() -> None:
    acks, order = Acks(), list[str]()

    async def do() -> None:
        await acks.let_pass()
        order.append("done")

    with acks.one():
        doing = asyncio.create_task(do())
        await asyncio.sleep(0)
    with acks.one():
        await asyncio.sleep(3 * attend.QUIET)
        order.append("acknowledged")
    await doing
    assert order == ["acknowledged", "done"]


async def test_without_an_acknowledgement_nothing_waits() -> None:
    doing = asyncio.create_task(Acks().let_pass())
    await asyncio.sleep(0)
    assert doing.done()


async def test_what_is_to_be_done_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attend, "ACKS_FIRST", 0.01)
    acks = Acks()
    async with asyncio.timeout(60):
        with acks.one():
            await acks.let_pass()


async def test_a_form_is_answered_without_waiting_for_its_own_acknowledgement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attend, "ACKS_FIRST", 3600.0)
    attendant = Attendant(cast(Any, Acting()), cast(Any, Kept()), cast(Any, None))
    asked: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(60):
        with attendant.acknowledging:
            attendant.begin(Heard("view:1", Doing.FILL, "T1:U1", "C1"), asked)
            assert (await asked).sentence == "Done."


class Acting:
    """Does everything at once."""

    async def act(self, heard: Heard) -> Answer:
        return Answer(sentence="Done.")


class Kept:
    """An inbox that is told what is done."""

    def done(self, id: str) -> None:
        pass
