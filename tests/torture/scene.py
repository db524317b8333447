"""A scene: processes that work and ask on one ground, and a storm that goes over them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from time import monotonic

from bot.app import bring_up_to_date, data
from bot.store.database import SqlStore
from tests.fakes.postgres import Cluster
from tests.torture import lines
from tests.torture.evidence import gather, under_way
from tests.torture.ground import Command, Ground
from tests.torture.judge import Evidence
from tests.torture.people import Share
from tests.torture.processes import Member, Workers, people

Pause = tuple[float, float]  # seconds, from and to
LOOK = 0.2  # seconds between two looks whether all is done
SPARE = 6
CALM = 60.0  # seconds after the storm in which everything must come to its end


@dataclass(frozen=True)
class Storm:
    """How often what is done to whom."""

    kill_worker: Pause = (0.1, 0.4)
    kill_person: Pause = (1.0, 2.0)
    crash_server: Pause = (4.0, 8.0)
    silence: Pause = (5.0, 15.0)
    silent: Pause = (0.5, 2.0)


@dataclass(frozen=True)
class Plan:
    """Who asks what of whom. Each of `people` has a process; all of them deliver what is `echoed`."""

    commands: Sequence[Command]
    rate: float = 40.0  # commands a second
    clicks: int = 0
    echoed: int = 10
    workers: int = 4
    people: int = 2
    storm: Storm | None = field(default_factory=Storm)
    seed: int = 0

    def shares(self) -> list[Share]:
        """Deal the commands, each to one process or, where it is echoed, to all."""
        hands: list[list[Command]] = [[] for _ in range(self.people)]
        for number, command in enumerate(self.commands):
            for hand in hands if number % self.echoed == 0 else [hands[number % self.people]]:
                hand.append(command)
        part = self.clicks // self.people
        pause = self.people / self.rate
        return [Share(hand, pause, range(part * one, part * (one + 1))) for one, hand in enumerate(hands)]


@dataclass
class Tally:
    """What the storm did."""

    kills: int = 0
    crashes: int = 0
    silences: int = 0
    fell: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Played:
    """What is known after a scene, and what it was like."""

    evidence: Evidence
    tally: Tally


async def play(plan: Plan, ground: Ground, cluster: Cluster) -> Played:
    """Play a scene to its end and return what is known then."""
    await bring_up_to_date(ground.settings)
    async with data(ground.settings) as (store, _):
        scene = _Scene(plan, ground, cluster)
        begun = monotonic()
        await scene.play(store)
        scene.tally.seconds = monotonic() - begun
        evidence = await gather(store, ground, list(plan.commands), scene.tally.fell)
    return Played(evidence, scene.tally)


class _Scene:
    def __init__(self, plan: Plan, ground: Ground, cluster: Cluster) -> None:
        self._plan = plan
        self._ground = ground
        self._cluster = cluster
        self._random = Random(plan.seed)
        self._over = asyncio.Event()
        self.tally = Tally()

    async def play(self, store: SqlStore) -> None:
        ready = Workers(self._ground, SPARE if self._plan.storm else 0)
        self._workers = [Member(ready.take) for _ in range(self._plan.workers)]
        self._people = [Member(partial(people, self._ground, share)) for share in self._plan.shares()]
        try:
            async with asyncio.TaskGroup() as group:
                if self._plan.storm:
                    self._rage(group, self._plan.storm)
                while not self._all_answered():
                    await asyncio.sleep(LOOK)
                self._over.set()
            await self._settle(store)
        finally:
            members = [*self._workers, *self._people]
            self.tally.fell += sum(one.fell for one in members)
            for member in members:
                member.kill()
            ready.close()

    def _all_answered(self) -> bool:
        answered = {name for name, _ in lines.read(self._ground.asked)}
        return answered >= {command.name for command in self._plan.commands}

    def _rage(self, group: asyncio.TaskGroup, storm: Storm) -> None:
        group.create_task(self._every(storm.kill_worker, partial(self._kill, self._workers)))
        group.create_task(self._every(storm.kill_person, partial(self._kill, self._people)))
        group.create_task(self._every(storm.crash_server, self._crash))
        group.create_task(self._every(storm.silence, partial(self._silence, storm.silent)))

    async def _every(self, pause: Pause, what: Callable[[], Awaitable[None]]) -> None:
        while not await self._over_within(pause):
            await what()

    async def _over_within(self, pause: Pause) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), self._random.uniform(*pause))
        return self._over.is_set()

    async def _kill(self, members: Sequence[Member]) -> None:
        member = self._random.choice(members)
        self.tally.fell += member.fell
        member.kill()
        member.replace()
        self.tally.kills += 1

    async def _crash(self) -> None:
        await asyncio.to_thread(self._cluster.crash)
        await asyncio.to_thread(self._cluster.start)
        self.tally.crashes += 1

    async def _silence(self, pause: Pause) -> None:
        self._ground.silence.touch()
        await self._over_within(pause)
        self._ground.silence.unlink()
        self.tally.silences += 1

    async def _settle(self, store: SqlStore) -> None:
        """Wait until nothing is to be done any more; what isn't done by then, the judge will find."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CALM):
                while await under_way(store):
                    await asyncio.sleep(LOOK)
