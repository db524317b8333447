"""Acknowledgements go first: what is to be done lets them pass, unless one of them waits for it."""

import asyncio
import time
from typing import Any, cast

import pytest

from bot.chat.slack import acks as acks_module
from bot.chat.slack import attend
from bot.chat.slack.acks import Acks
from bot.chat.slack.attend import Attendant
from bot.chat.slack.hear import Doing, Heard
from bot.chat.slack.respond import Answer


async def test_what_is_to_be_done_lets_the_next_delivery_pass_that_comes_at_once() -> None:
    acks = Acks()
    passing = _something_to_do(acks)
    await asyncio.sleep(0)
    assert await _first(acks, passing) == "acknowledged"


async def test_what_came_while_the_event_loop_was_busy_followed_too() -> None:
    acks = Acks()
    passing = _something_to_do(acks)
    await asyncio.sleep(0)
    time.sleep(3 * acks_module.QUIET)  # its moment is over, and nobody has looked yet who came
    for _ in range(2):
        await asyncio.sleep(0)
    assert await _first(acks, passing) == "acknowledged"


async def test_a_delivery_that_came_by_itself_holds_up_nobody() -> None:
    acks = Acks()
    with acks.one():
        passing = asyncio.create_task(acks.let_pass())
        await asyncio.sleep(0)
        assert passing.done()


async def test_without_an_acknowledgement_nothing_waits() -> None:
    doing = asyncio.create_task(Acks().let_pass())
    await asyncio.sleep(0)
    assert doing.done()


async def test_what_is_to_be_done_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acks_module, "ACKS_FIRST", 0.01)
    acks = Acks()
    with acks.one(), acks.one():
        pass
    with acks.one():  # it follows
        passed = asyncio.create_task(acks.let_pass())
        await asyncio.sleep(0)
        assert not passed.done()
        await asyncio.wait({passed}, timeout=60)
        assert passed.done()


async def test_a_form_is_answered_without_waiting_for_its_own_acknowledgement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(acks_module, "ACKS_FIRST", 3600.0)
    attendant = Attendant(cast(Any, Acting()), cast(Any, Kept()), cast(Any, None))
    asked: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(60):
        with attendant.acknowledging:
            attendant.begin(Heard("view:1", Doing.FILL, "T1:U1", "C1"), asked)
            assert (await asked).sentence == "Done."


async def test_in_a_storm_the_next_delivery_has_longer_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acks_module, "LULL", 3600.0)
    acks = Acks()
    for _ in range(acks_module.STORM + 2):
        with acks.one():
            pass
    doing = asyncio.create_task(acks.let_pass())
    await asyncio.sleep(3 * acks_module.QUIET)
    assert not doing.done()
    doing.cancel()


async def test_what_was_asked_is_done_in_its_order_and_each_once() -> None:
    acting, kept = Acting(), Kept()
    attendant = Attendant(cast(Any, acting), cast(Any, kept), cast(Any, None))
    wanted = [f"command:{number}" for number in range(3 * attend.AT_ONCE)]
    with attendant.acknowledging:
        for id in wanted:
            attendant.begin(Heard(id, Doing.SAY, "T1:U1", "C1", trigger="1.2"))
        await asyncio.sleep(0)
        assert not acting.done
    async with asyncio.timeout(60):
        await kept.all(len(wanted))
    assert acting.done == kept.ids == wanted


async def test_at_most_so_many_things_go_on_at_once() -> None:
    acting, kept = Acting(), Kept()
    acting.gate.clear()
    attendant = Attendant(cast(Any, acting), cast(Any, kept), cast(Any, None))
    for number in range(2 * attend.AT_ONCE):
        attendant.begin(Heard(f"command:{number}", Doing.SAY, "T1:U1", "C1"))
    async with asyncio.timeout(60):
        while acting.begun < attend.AT_ONCE:
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        assert acting.begun == attend.AT_ONCE
        acting.gate.set()
        await kept.all(2 * attend.AT_ONCE)


def _something_to_do(acks: Acks) -> asyncio.Task[None]:
    """Let two deliveries be acknowledged, so that none is alone; return what waits for them to pass."""
    for _ in range(2):
        with acks.one():
            pass
    return asyncio.create_task(acks.let_pass())


async def _first(acks: Acks, passing: asyncio.Task[None]) -> str:
    """Acknowledge another delivery; return what came first, that or what waits."""
    with acks.one():
        await asyncio.sleep(3 * acks_module.QUIET)
        first = "done" if passing.done() else "acknowledged"
    await passing
    return first


class Acting:
    """Does everything when the gate is open."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.begun = 0
        self.gate = asyncio.Event()
        self.gate.set()

    def begin(self, heard: Heard) -> None:
        pass

    async def act(self, heard: Heard) -> Answer:
        self.begun += 1
        await self.gate.wait()
        self.done.append(heard.id)
        return Answer(sentence="Done.")

    async def tell(self, heard: Heard, answer: Answer) -> None:
        pass


class Kept:
    """An inbox that is told what is done."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._told = asyncio.Event()

    def done(self, id: str) -> None:
        self.ids.append(id)
        self._told.set()

    async def all(self, count: int) -> None:
        """Wait until so many are done."""
        while len(self.ids) < count:
            self._told.clear()
            await self._told.wait()
