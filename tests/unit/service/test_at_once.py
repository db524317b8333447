"""Runs that begin as soon as they are asked for: what let them in and their start are written together."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.core.action import Script
from bot.core.decision import Decision, Permit, Reason
from bot.core.errors import Conflict, Unavailable
from bot.core.principal import Account, Principal, Who
from bot.core.work import Exit, ExitReason, Work
from bot.ports import Change, Question
from tests.fakes.company import PLACE, Company, action

Refuse = Callable[[Change], Exception | None]


class Noting:
    """Notes the changes that a company's store is given, and may refuse some."""

    def __init__(self, company: Company, refuse: Refuse = lambda change: None) -> None:
        self.changes: list[Change] = []
        self._commit, self._refuse = company.store.commit, refuse
        company.store.commit = self.commit  # type: ignore[method-assign]

    async def commit(self, change: Change) -> object:
        error = self._refuse(change)
        if error:
            raise error
        self.changes.append(change)
        return await self._commit(change)

    @property
    def steps(self) -> list[tuple[str, ...]]:
        """What each change wrote into the audit log."""
        return [tuple(entry.tag.value for entry in change.entries) for change in self.changes]


async def ended(company: Company, run: str) -> str:
    """Wait until a run has ended; return how."""
    async with asyncio.timeout(10):
        while not (found := await company.run(run)).state.ended:
            await asyncio.sleep(0.001)
    return found.state.value


BOTH = ("request:permitted", "run:started")


async def test_what_let_it_in_and_its_start_are_one_change() -> None:
    company = Company()
    noting = Noting(company)
    async with company.at_work():
        run = await company.say("ann", "look")
        assert await ended(company, run) == "succeeded"
    assert noting.steps == [BOTH, ("run:succeeded",)]
    assert (await company.run(run)).revision == 3
    assert (await company.run(run)).worker == "worker-1"
    assert [post.card.lead for post in company.wall.posts] == ["Done."]


async def test_where_every_worker_is_busy_it_is_queued_and_decided_again() -> None:
    company = Company()
    async with company.at_work(1):
        await company.say("ann", "hold")
        noting = Noting(company)
        run = await company.say("abe", "look")
        assert noting.steps == [("request:permitted",)]
        assert await company.state(run) == "queued"
        company.people.roles["abe"] = set()
        company.ports.running.stop_all()
        assert await ended(company, run) == "refused"


async def test_what_another_run_holds_is_waited_for() -> None:
    company = Company()
    company.shelf.actions["hold"] = action("hold", parameters=(), at_once=1)
    async with company.at_work(2):
        first = await company.say("ann", "hold")
        second = await company.say("abe", "hold")
        assert [await company.state(run) for run in (first, second)] == ["running", "queued"]
        assert await company.tags(second) == ["request:permitted"]
        company.ports.running.stop_all()
        await ended(company, first)
        async with asyncio.timeout(10):
            while await company.state(second) != "running":
                await asyncio.sleep(0.01)
        assert await company.tags(second) == list(BOTH)
        company.ports.running.stop_all()


async def test_rights_that_changed_since_they_were_looked_up_are_decided_on_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = Company()

    async def a_minute_ago(account: Account) -> Principal:
        return Principal(Who("acme", account.id, "Ann"), frozenset({"desk"}))

    monkeypatch.setattr(company.people, "principal", a_minute_ago)
    company.people.roles["ann"] = set()
    async with company.at_work():
        run = await company.say("ann", "look")
        assert await ended(company, run) == "refused"
    assert company.puppets.started == []


def drop_policy(company: Company) -> None:
    company.rules.needs.pop("look", None)
    company.rules.text = "2"


def change_script(company: Company) -> None:
    company.shelf.actions["look"] = replace(company.shelf.actions["look"], script=Script("look.py", b"# changed"))


def change_interpreter(company: Company) -> None:
    company.shelf.running_with = "python 3.12"


@pytest.mark.parametrize("change", [drop_policy, change_script, change_interpreter])
async def test_P8_P10_what_changed_once_it_was_sealed_does_not_start(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Company], None]
) -> None:
    company = Company()
    live, ann = company.people.live, (await company.caller("ann")).principal

    async def known(account: Account) -> Principal:
        return ann

    async def later(who: Who) -> Principal:  # it is asked for who starts something, when that is sealed already
        change(company)
        return await live(who)

    monkeypatch.setattr(company.people, "principal", known)
    monkeypatch.setattr(company.people, "live", later)
    async with company.at_work():
        run = await company.say("ann", "look")
        assert await ended(company, run) == "refused"
    assert company.puppets.started == []


async def test_a_directory_that_takes_long_keeps_nobody_waiting_for_the_word_that_it_is_queued(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = Company()
    ann = (await company.caller("ann")).principal
    answers = asyncio.Event()

    async def known(account: Account) -> Principal:
        return ann

    async def slow(who: Who) -> Principal:
        await answers.wait()
        return ann

    monkeypatch.setattr(company.people, "principal", known)
    monkeypatch.setattr(company.people, "live", slow)
    async with company.at_work():
        run = await company.say("ann", "look")
        assert await company.state(run) == "queued"
        answers.set()
        assert await ended(company, run) == "succeeded"


async def test_A7_X16_where_it_can_not_be_written_who_asked_is_told_and_nothing_runs() -> None:
    company = Company()
    Noting(company, lambda change: Unavailable("The disk is full.") if change.run else None)
    async with company.at_work():
        with pytest.raises(Unavailable, match="disk is full"):
            await company.say("ann", "look")
    assert company.puppets.started == []
    assert await company.store.entries() == []


async def test_I2_a_command_that_is_delivered_again_leads_to_the_run_it_led_to() -> None:
    company = Company()
    delivery = company.delivery("d-1")
    async with company.at_work(4):
        runs = await asyncio.gather(*(company.say("ann", "look", delivery) for _ in range(4)))
        assert len(set(runs)) == 1
        await ended(company, runs[0])
    assert len(company.puppets.started) == 1
    with pytest.raises(Conflict, match="another content"):
        await company.say("ann", "look", replace(delivery, content="another"))


async def test_an_emergency_is_always_decided_twice() -> None:
    company = Company()
    noting = Noting(company)
    async with company.at_work():
        run = await company.say("ann", 'break-glass change x reason="it burns"')
        assert await ended(company, run) == "succeeded"
    assert noting.steps[0] == ("request:permitted",)


async def test_P8_an_action_that_changed_after_it_was_found_runs_as_it_was_sealed() -> None:
    company = Company()
    seen: list[Script] = []

    def look(work: Work) -> Exit:
        seen.append(work.script)
        return Exit(ExitReason.EXITED, 0, "Done.")

    company.puppets.acts["look.py"] = look
    sealed = company.shelf.actions["look"]

    def change_it(change: Change) -> None:
        edited = replace(sealed, script=Script("look.py", b"# changed"))
        company.shelf.actions["look"] = edited

    Noting(company, change_it)
    async with company.at_work():
        run = await company.say("ann", "look")
        await ended(company, run)
    assert [script.content for script in seen] == [sealed.script.content]
    assert (await company.run(run)).request.script == sealed.script.sha


async def test_a_secret_that_was_typed_into_a_form_reaches_the_script() -> None:
    company = Company()
    async with company.at_work():
        reply = await company.desk.fill(
            Account("local", "ann"), PLACE, "secretive", {"token": "correct-horse"}, "", company.delivery()
        )
        assert await ended(company, reply.run) == "succeeded"
    (work,) = company.puppets.started
    assert work.arguments["token"].reveal() == "correct-horse"  # type: ignore[union-attr]


@pytest.mark.parametrize("written", [False, True])
async def test_who_asks_while_deputy_stops_is_not_told_that_nothing_was_done_where_nobody_knows(
    monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    company = Company()
    commit = company.store.commit

    async def hangs(change: Change) -> None:
        if written:
            await commit(change)
        await asyncio.Event().wait()

    async with company.at_work(grace=0.01):
        monkeypatch.setattr(company.store, "commit", hangs)
        asking = asyncio.create_task(company.say("ann", "look"))
        await asyncio.sleep(0.01)
    with pytest.raises(Unavailable, match="may or may not have begun"):
        await asking
    assert company.puppets.started == []
    assert [run.state.value for run in await company.store.runs()] == ["running"] * written


async def test_its_start_is_on_record_with_the_policies_that_permit_it_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = Company()
    decide, live, looked = company.rules.decide, company.people.live, [False]

    async def looking(who: Who) -> Principal:
        looked[0] = True
        return await live(who)

    def by_another(question: Question) -> Decision:
        return Permit((Reason("others-run"),)) if looked[0] else decide(question)

    async def a_minute_ago(account: Account) -> Principal:
        return Principal(Who("acme", account.id, "Ann"), frozenset({"desk"}))

    monkeypatch.setattr(company.people, "principal", a_minute_ago)
    monkeypatch.setattr(company.people, "live", looking)
    monkeypatch.setattr(company.rules, "decide", by_another)
    async with company.at_work():
        run = await company.say("ann", "look")
        assert await ended(company, run) == "succeeded"
    permitted, started, _ = await company.store.entries()
    assert permitted.facts["policies"] == ["desk-runs"]
    assert started.facts["policies"] == ["others-run"]
