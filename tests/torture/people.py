"""People: they ask through the desk as a chat does, again until they are answered, and approve all at once."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from bot.core.card import Verb
from bot.core.errors import Conflict, Unavailable
from bot.core.principal import Account
from bot.ports import Delivery, Ports
from bot.service.desk import Desk
from bot.service.reply import Reply
from tests.torture import lines
from tests.torture.deputy import AGAIN, PLACE, deputy, managers, persist
from tests.torture.ground import Command, Ground
from tests.torture.worker import begin


@dataclass(frozen=True)
class Share:
    """What one process of people asks, `pause` seconds apart. `clicks` says which managers approve it, at once."""

    commands: Sequence[Command]
    pause: float
    clicks: range = range(0)


def ask(ground: Ground, share: Share) -> None:
    """Ask what is not answered yet; then only work on, as every process with a door does, until killed."""
    persist(partial(_ask, share), ground)


async def _ask(share: Share, ground: Ground) -> None:
    answered = {name for name, _ in lines.read(ground.asked)} if not share.clicks else set()
    async with deputy(ground, delivers=True) as ports:
        await begin(ports, ground)
        async with asyncio.TaskGroup() as group:
            crowd = Crowd(ports, ground, share.clicks)
            for command in share.commands:
                if command.name not in answered:
                    group.create_task(crowd.ask(command))
                    await asyncio.sleep(share.pause)
            await asyncio.Event().wait()


class Crowd:
    """The people of one process."""

    def __init__(self, ports: Ports, ground: Ground, clicks: range) -> None:
        self._desk = Desk(ports)
        self._ground = ground
        self._clicks = clicks

    async def ask(self, command: Command) -> None:
        """Ask for one thing, and let everybody approve it."""
        run = (await _answered(partial(self._say, command))).run
        lines.write(self._ground.asked, command.name, run)
        await asyncio.gather(*(self._approve(run, number) for number in self._clicks))

    async def _say(self, command: Command) -> Reply:
        delivery = Delivery(f"d-{command.name}", sha256(command.text.encode()).hexdigest())
        return await self._desk.say(Account(PLACE.platform, command.asker), PLACE, command.text, delivery)

    async def _approve(self, run: str, number: int) -> None:
        account = Account(PLACE.platform, managers()[number].account)
        delivery = Delivery(f"d-{run}-{number}", run)
        with contextlib.suppress(Conflict):  # others were first
            await _answered(partial(self._desk.press, account, PLACE, Verb.APPROVE, run, "", delivery))


async def _answered(attempt: Callable[[], Awaitable[Reply]]) -> Reply:
    """Try until there is an answer: nobody knows what came of an attempt that the database fell away from."""
    while True:
        try:
            return await attempt()
        except Unavailable:
            await asyncio.sleep(AGAIN)
