"""Who is taken for dead, and what becomes of what it ran."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from bot.core.errors import Busy, Unavailable
from bot.service.execute import execute
from bot.service.pulse import Pulse
from tests.fakes.company import Company

LEASE = 30.0


class Passing:
    """A clock that only tells how much time has passed."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def holding(company: Company, worker: str, **changed: bool) -> AsyncIterator[str]:
    """A script that runs until it is stopped, started by a worker of that name."""
    company.shelf.actions["hold"] = replace(company.shelf.actions["hold"], **changed)  # type: ignore[arg-type]
    run = await company.say("ann", "hold")
    working = asyncio.create_task(execute(company.ports, run, worker))
    while not company.ports.running.here():
        await asyncio.sleep(0)
    yield run
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_X13_a_run_of_a_silent_worker_is_interrupted_and_told_after_the_lease() -> None:
    company, clock = Company(), Passing()
    pulse = Pulse(company.ports, "watcher", LEASE, clock)
    async with holding(company, "dead") as run:
        assert await pulse.reap() == 0
        clock.now += LEASE
        assert await pulse.reap() == 0
        clock.now += 0.1
        assert await pulse.reap() == 1
        assert await company.state(run) == "interrupted"
        assert await pulse.reap() == 0


async def test_only_an_idempotent_run_is_queued_again() -> None:
    company, clock = Company(), Passing()
    pulse = Pulse(company.ports, "watcher", LEASE, clock)
    async with holding(company, "dead", idempotent=True) as run:
        await pulse.reap()
        clock.now += LEASE + 1
        assert await pulse.reap() == 1
        assert await company.state(run) == "queued"


async def test_a_worker_that_beats_keeps_its_run_however_long_it_takes() -> None:
    company, clock = Company(), Passing()
    pulse, other = Pulse(company.ports, "watcher", LEASE, clock), Pulse(company.ports, "other", LEASE, clock)
    async with holding(company, "other") as run:
        for _ in range(10):
            await other.beat()
            assert await pulse.reap() == 0
            clock.now += LEASE - 1
        assert await company.state(run) == "running"
        await other.leave()
        assert await pulse.reap() == 0
        clock.now += LEASE + 1
        assert await pulse.reap() == 1


async def test_a_worker_that_comes_back_after_its_death_lives_again() -> None:
    company, clock = Company(), Passing()
    pulse, other = Pulse(company.ports, "watcher", LEASE, clock), Pulse(company.ports, "other", LEASE, clock)
    await other.beat()
    await pulse.reap()
    clock.now += LEASE + 1
    await pulse.reap()
    await other.beat()
    async with holding(company, "other") as run:
        assert await pulse.reap() == 0
        clock.now += LEASE
        await other.beat()
        clock.now += LEASE
        assert await pulse.reap() == 0
        assert await company.state(run) == "running"


async def test_X17_a_clock_that_jumps_kills_nobody() -> None:
    company, clock = Company(), Passing()
    pulse = Pulse(company.ports, "watcher", LEASE, clock)
    async with holding(company, "other") as run:
        await pulse.reap()
        company.clock.pass_(3600)
        assert await pulse.reap() == 0
        company.clock.pass_(-7200)
        assert await pulse.reap() == 0
        assert await company.state(run) == "running"


async def test_X14_cut_off_for_half_the_lease_a_worker_stops_its_scripts_and_starts_no_more() -> None:
    company, clock = Company(), Passing()
    pulse = Pulse(company.ports, "worker", LEASE, clock)
    await pulse.beat()
    async with holding(company, "worker") as run:
        clock.now += LEASE / 2
        pulse.fence()
        await asyncio.sleep(0)
        assert await company.state(run) == "running"
        clock.now += 0.1
        pulse.fence()
        while await company.state(run) == "running":
            await asyncio.sleep(0)
        assert await company.state(run) == "interrupted"
    late = await company.say("ann", "look")
    with pytest.raises(Busy):
        await execute(company.ports, late, "worker", pulse.alive)
    assert await company.state(late) == "queued"


async def test_a_worker_that_is_cut_off_while_it_starts_a_run_doesnt_begin_the_script() -> None:
    company = Company()
    run = await company.say("ann", "look")
    answers = iter((True, False))
    await execute(company.ports, run, "worker", lambda: next(answers))
    assert await company.state(run) == "interrupted"
    assert company.puppets.started == []
    assert "cut off" in (await company.told(run))[-1].card.lead


async def test_a_beat_counts_from_when_it_was_sent_not_from_when_it_arrived() -> None:
    company, clock = Company(), Passing()
    pulse = Pulse(company.ports, "worker", LEASE, clock)
    beat = company.store.beat

    async def slow(worker: str) -> None:
        clock.now += LEASE
        await beat(worker)

    company.store.beat = slow  # type: ignore[method-assign]
    await pulse.beat()
    assert not pulse.alive()


async def test_X11_the_late_end_of_a_run_that_was_given_up_changes_nothing_and_is_written_down() -> None:
    company, clock = Company(), Passing()
    pulse = Pulse(company.ports, "watcher", LEASE, clock)
    async with holding(company, "paused") as run:
        await pulse.reap()
        clock.now += LEASE + 1
        await pulse.reap()
        company.ports.running.stop_all()
        while not [e for e in await company.store.entries(subject=run) if e.tag == "run:ended_late"]:
            await asyncio.sleep(0)
        assert await company.state(run) == "interrupted"
        tags = [entry.tag for entry in await company.store.entries(subject=run)]
        assert tags[-2:] == ["run:interrupted", "run:ended_late"]


async def test_a_worker_that_is_long_dead_is_forgotten() -> None:
    company, clock = Company(), Passing()
    pulse, other = Pulse(company.ports, "watcher", LEASE, clock), Pulse(company.ports, "other", LEASE, clock)
    await other.beat()
    await pulse.reap()
    clock.now += 99 * LEASE
    await pulse.reap()
    assert await company.store.beats() == {"other": 1}
    clock.now += 2 * LEASE
    await pulse.reap()
    assert await company.store.beats() == {}


async def test_an_outage_is_no_beat() -> None:
    company, clock = Company(), Passing()
    pulse = Pulse(company.ports, "worker", LEASE, clock)

    async def down(worker: str) -> None:
        raise Unavailable("The database can't be reached.")

    company.store.beat = down  # type: ignore[method-assign]
    clock.now += LEASE
    with suppress(Unavailable):
        await pulse.beat()
    assert not pulse.alive()
