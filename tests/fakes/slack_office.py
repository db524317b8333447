"""Deputy's side of Slack in this process, before a fake Slack: any number of replicas on one store."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from aiohttp.test_utils import TestServer

from bot.app import SystemClock, nonce
from bot.chat.slack.connect import Slack, connected
from bot.chat.slack.render import message
from bot.core.card import Button, Card, Item, Menu
from bot.core.errors import Refused
from bot.core.form import Field, Form
from bot.core.parameter import Choice, Kind, Parameter
from bot.core.principal import Account, Principal, Who
from bot.doors import site
from bot.ports import Delivery, Ports
from bot.service.desk import Desk
from bot.service.door import Door
from bot.service.reply import Reply
from bot.settings import Settings
from bot.store.database import SqlStore
from bot.worker import Worker
from tests.fakes.company import Company, People
from tests.fakes.door import Call, FakeDoor
from tests.fakes.slack_person import Person
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import APP, BOT_PERSON, TEAM, Message, View

Found = TypeVar("Found")

LINKED = {"U0HANNA": "ann", "U0OLIVIA": "abe", "U0MARTIN": "max", "U0MAYA": "mia", "U0EDDA": "zed"}

MENU = Card("What you may do", blocks=(Menu("Accounts", (Item("unlock-account", "Unlock an account"),)),))
FORM = Form(
    "unlock-account",
    "Unlock an account",
    "Unlocks it.",
    "change",
    (
        Field(Parameter("account", Kind.STRING, "Account", required=True)),
        Field(
            Parameter("site", Kind.CHOICE, "Site", choices_from="list-sites"),
            choices=tuple(Choice(f"site-{number:03d}", f"Site {number}") for number in range(200)),
        ),
    ),
)


def faulty(form: Form, name: str, fault: str) -> Form:
    """Return a form as it comes back with a fault at a field."""
    fields = tuple(replace(one, fault=fault) if one.parameter.name == name else one for one in form.fields)
    return replace(form, fields=fields)


class GatedDoor(FakeDoor):
    """A fake door that answers only while it is open, like a directory that hangs."""

    def __init__(self) -> None:
        super().__init__(self.reply)
        self.gate = asyncio.Event()
        self.gate.set()

    def reply(self, call: Call) -> Reply:
        """Answer as a desk with one action would."""
        if call.method == "say" and call.given == ("",):
            return Reply(card=MENU)
        if call.method == "press" and call.given[0] == "open":
            return Reply(form=FORM)
        return Reply(card=Card("Done")) if call.method == "say" else Reply(run="R-1")

    async def say(self, account: Account, place: object, text: str, delivery: Delivery) -> Reply:  # type: ignore[override]
        await self.gate.wait()
        return self._called(Call("say", account, (text,), delivery))

    async def fill(self, *given: object) -> Reply:  # type: ignore[override]
        await self.gate.wait()
        return await super().fill(*given)  # type: ignore[arg-type]

    async def press(self, *given: object) -> Reply:  # type: ignore[override]
        await self.gate.wait()
        return await super().press(*given)  # type: ignore[arg-type]

    def of(self, method: str) -> list[Call]:
        """Return the calls of one method, those for the menu apart."""
        return [one for one in self.calls if one.method == method and one.given != ("",)]


class LinkedPeople(People):
    """Those of the company whose accounts in Slack are linked."""

    async def principal(self, account: Account) -> Principal:
        team, _, id = account.id.partition(":")
        if team != TEAM or id not in LINKED:
            raise Refused(f"Your account here is linked to nobody: {account.id}")
        return await self.live(Who("acme", LINKED[id]))


class Office:
    """A Slack, a store, and as many of Deputy's processes as are asked for."""

    def __init__(self, slack: SlackServer, store: SqlStore, folder: Path) -> None:
        self.slack, self.store, self.folder = slack, store, folder
        self.door = GatedDoor()
        self.settings = Settings(
            slack_bot_token=slack.bot_token,
            slack_signing_secret=slack.signing_secret,
            slack_app_token=slack.app_token if slack.mode == "socket" else "",
            slack_team=TEAM,
            slack_app_id=APP,
            slack_api=slack.api_url,
            policies_dir=folder,
        )

    @asynccontextmanager
    async def replica(self, door: Door | None = None, *, alone: bool = False) -> AsyncIterator[str]:
        """Serve Deputy's side for as long as the context lasts; yields its address."""
        async with (
            connected(self.settings, self.store, SystemClock(), _nobody, alone=alone) as slack,
            self._serving(slack, door or self.door) as address,
        ):
            yield address

    @asynccontextmanager
    async def company(self) -> AsyncIterator[Company]:
        """Serve a whole company behind the real desk, its worker included."""
        company = Company()
        company.people = LinkedPeople()
        async with AsyncExitStack() as stack:
            clock = SystemClock()
            slack = await stack.enter_async_context(
                connected(self.settings, self.store, clock, _linked, alone=True)
            )
            parts: Mapping[str, object] = {"store": self.store, "clock": clock, "directory": company.people}
            ports: Ports = replace(company.ports, **parts, chats={"slack": slack.chat})  # type: ignore[arg-type]
            worker = Worker(ports, "worker", 4)
            await worker.start()
            stack.push_async_callback(worker.close)
            self.slack.app_url = await stack.enter_async_context(self._serving(slack, Desk(ports)))
            yield company

    @asynccontextmanager
    async def _serving(self, slack: Slack, door: Door) -> AsyncIterator[str]:
        async with (
            slack.listen(door, nonce) as app,
            TestServer(site(None, {"/slack": app})) as server,
        ):
            yield str(server.make_url("/slack/events"))


async def _nobody(key: str) -> str:
    return ""


async def _linked(key: str) -> str:
    return next((id for id, name in LINKED.items() if key == f"acme/{name}"), "")


async def connected_to(slack: SlackServer) -> None:
    """Wait until Socket Mode has its lines, where that is how Slack delivers."""
    if slack.mode == "socket":
        await eventually(lambda: len(slack.socket.connections) == 2)


async def eventually(look: Callable[[], Found], seconds: float = 10.0) -> Found:
    """Wait for what happens outside the workspace, which tells of its own changes; return what `look` found."""
    async with asyncio.timeout(seconds):
        while not (found := look()):
            await asyncio.sleep(0.005)
    return found


def modal(person: Person, callback: str) -> View | None:
    """Return the modal in front of somebody, if it is for this."""
    view = person.modal
    return view if view and view.spec["callback_id"] == callback else None


def card_in(slack: SlackServer, *buttons: Button) -> Message:
    """Let Deputy's card of a run stand in the channel."""
    shown, workspace = message(Card("A run", buttons=buttons, run="R-1")), slack.workspace
    said = Message("C0OPS", workspace.stamp(), BOT_PERSON, shown["text"], workspace.named(shown["blocks"]))
    return workspace.say(said)
