"""Deputy in one process, put together as `bot.app` does, but for a chat and a runner that cost next to nothing."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from bot.app import SystemClock, backing, catalog_of, nonce
from bot.core.errors import Unavailable
from bot.core.run import Place
from bot.core.work import Exit, ExitReason, Work
from bot.engine.running import RunningHere
from bot.identity.local import PEOPLE, LocalDirectory, LocalPerson
from bot.policy.cedar import CedarPolicy
from bot.ports import Ports, Post, Stop
from tests.torture import lines
from tests.torture.ground import Ground

PLACE = Place("local", "general")
MANAGERS = 50
AGAIN = 0.1  # seconds until something is tried again that the database was not up for
_GROUP = next(person.groups for person in PEOPLE if person.account == "manager")


class FileChat:
    """A chat of one file. While `silence` is there it is down."""

    pace = 0.0

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def post(self, post: Post) -> None:
        """Write down the key of a card, its state and its audit reference."""
        if self._ground.silence.exists():
            raise Unavailable("The chat is down.")
        lines.write(self._ground.chat, post.key, post.card.state or "-", post.card.audit)

    def progress(self, place: Place, run: str, lines: str) -> None:
        """Show nothing."""


class BenchRunner:
    """Runs Python scripts in this process, so that what is measured and killed is Deputy."""

    def expect(self, work: Work) -> None:
        pass

    def forget(self, run: str) -> None:
        pass

    async def run(self, work: Work, output: Callable[[bytes], None], stop: Stop) -> Exit:
        """Call the script's `main`; every other script of this process waits."""
        os.environ["DEPUTY_RUN"] = work.run
        names: dict[str, object] = {}
        exec(compile(work.script.content, work.script.name, "exec"), names)
        main = names["main"]
        assert callable(main)
        return Exit(ExitReason.EXITED, 0, main(**work.arguments))


def persist(what: Callable[[Ground], Coroutine[None, None, None]], ground: Ground) -> None:
    """Do what a process is there for; where the database is down at its start, start again, as systemd would."""
    logging.basicConfig(filename=ground.log, level=logging.WARNING, format="%(process)d %(asctime)s %(message)s")
    while True:
        try:
            asyncio.run(what(ground))
        except Unavailable:
            time.sleep(AGAIN)
        else:
            return


@asynccontextmanager
async def deputy(ground: Ground, *, delivers: bool) -> AsyncIterator[Ports]:
    """Bring Deputy up. Raises Unavailable while the database is down."""
    async with backing(ground.settings, delivers=delivers) as (store, vault, engine):
        policy, catalog = CedarPolicy(ground.settings.policies_dir), catalog_of(ground.settings)
        yield Ports(
            clock=SystemClock(),
            directory=LocalDirectory(policy.roles, [*PEOPLE, *managers()]),
            policy=policy,
            catalog=catalog,
            vault=vault,
            store=store,
            engine=engine,
            runners={"local": BenchRunner()},
            chats={"local": FileChat(ground)},
            running=RunningHere(),
            nonce=nonce,
        )


def managers() -> list[LocalPerson]:
    """Return people who may approve, many enough to click at once."""
    return [
        LocalPerson(f"manager-{n}", f"Manager {n}", "Identity manager", f"manager-{n}", _GROUP)
        for n in range(MANAGERS)
    ]
