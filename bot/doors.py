"""The doors that people come in by: the chats that are set up, and the one site that serves them all."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from bot.chat.local.guard import LARGEST
from bot.chat.local.listen import Person
from bot.chat.local.listen import application as local_application
from bot.chat.local.post import PLACE, LocalChat
from bot.core.command import VERBS
from bot.core.errors import DeputyError
from bot.core.principal import Account
from bot.core.run import Place
from bot.identity.local import PEOPLE, LocalPerson
from bot.identity.pages import PREFIX
from bot.people import People
from bot.ports import Chat, Clock, Engine, Ports, Situation
from bot.service.desk import Desk
from bot.service.menu import may_do
from bot.service.reply import Caller
from bot.settings import Settings
from bot.store.database import SqlStore

if TYPE_CHECKING:
    from bot.chat.slack.connect import Slack

# What each person of the local channel may want to try first, where it is there and theirs; {files}: the demo's.
EXAMPLES = {
    "helpdesk": ("unlock-account alice", "reset-password bob"),
    "manager": ("approvals", "show-account bob", "whoami"),
    "oncall": ("disk-usage", "restart-service web", "clean-old-files path={files}/cache"),
    "engineer": ("top-processes", "check-url", "approvals"),
    "nobody": ("whoami",),
}


@dataclass(frozen=True)
class Doors:
    """The chats that are set up, ready to post. `files` is where the demo lays out its files."""

    local: LocalChat | None = None
    slack: "Slack | None" = None
    files: Path = Path()

    @property
    def chats(self) -> Mapping[str, Chat]:
        """What the outbox posts to, by platform."""
        chats: dict[str, Chat] = {}
        if self.local:
            chats["local"] = self.local
        if self.slack:
            chats["slack"] = self.slack.chat
        return chats

    @asynccontextmanager
    async def open(self, ports: Ports, pages: web.Application | None) -> AsyncIterator[web.Application]:
        """Let people in for as long as the context lasts; yields the site to be served.

        `pages` are those on which accounts are linked.
        """
        async with AsyncExitStack() as stack:
            desk, slack, local = Desk(ports), None, None
            if ports.engine.relay:
                ports.engine.relay.hear(partial(self._progress, ports.engine))
            if self.slack:
                slack = await stack.enter_async_context(self.slack.listen(desk, ports.nonce))
            if self.local:
                local = local_application(
                    desk, self.local, [await person(ports, one, self.files) for one in PEOPLE]
                )
            yield site(local, {"/slack": slack, PREFIX: pages})

    def _progress(self, engine: Engine, place: Place, run: str, lines: str) -> None:
        """Show the last lines of a script that runs anywhere; in Slack whoever delivers its card does."""
        if self.local:
            self.local.progress(place, run, lines)
        if self.slack and engine.delivers and place.platform != PLACE.platform:
            self.slack.chat.progress(place, run, lines)


@asynccontextmanager
async def doors_of(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    people: People,
    situation: Callable[[datetime], Situation],
    *,
    alone: bool,
) -> AsyncIterator[Doors]:
    """Set up the chats that the settings name. `situation` says what goes on at a moment.

    `alone`: no other process works on the same data.
    """
    local = LocalChat(store, clock) if settings.local_chat else None
    files = (settings.data_dir / "demo").resolve()
    if not settings.slack:
        yield Doors(local, files=files)
        return
    from bot.chat.slack.connect import connected  # it takes long to import

    def on_call() -> frozenset[str]:
        return situation(clock.now()).on_call

    async with connected(settings, store, clock, people.on_slack, on_call, alone=alone) as slack:
        yield Doors(local, slack, files)


def site(local: web.Application | None, others: Mapping[str, web.Application | None]) -> web.Application:
    """Build the one site: the others at their paths, the local channel at all else, each behind its own guard."""
    root = local or web.Application(client_max_size=LARGEST)
    if not local:
        root.add_routes([web.get("/healthz", _health)])
    for path, other in others.items():
        if other:
            root.add_subapp(path, other)
    return root


async def person(ports: Ports, one: LocalPerson, files: Path) -> Person:
    """Return somebody to be, with three things to try that they may do in this catalogue."""
    known = set(VERBS)
    try:
        caller = Caller(await ports.directory.principal(Account(PLACE.platform, one.account)), PLACE)
        known |= may_do(ports, caller).keys()
    except DeputyError:
        pass  # linked to nobody yet, or the directory is out of reach: only what needs no rights is offered
    tries = [f"/deputy {_filled(text, files)}" for text in EXAMPLES[one.account] if text.split()[0] in known]
    return Person(one.account, one.name, one.title, (*tries, "/deputy", "/deputy help")[:3])


def _filled(text: str, files: Path) -> str:
    """Put in where the demo's files lie; without them the form asks."""
    if "{files}" not in text:
        return text
    if not files.is_dir() or set(str(files)) & set(" \"'“‘"):  # those would have to be quoted
        return text.split()[0]
    return text.format(files=files)


async def _health(request: web.Request) -> web.Response:
    return web.Response(text="ok")
