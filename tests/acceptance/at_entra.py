"""Deputy set up with Entra ID: the real process, the people of a fake tenant, and how they link their accounts."""

import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.acceptance.at_slack import opened, settings, started, whispered
from tests.acceptance.conftest import Process, own_content
from tests.fakes.browser import Browser, Shown
from tests.fakes.entra_server import FakeEntra, FakePerson
from tests.fakes.slack_person import Person
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import Message

HELPDESK, MANAGER = (f"11111111-0000-4000-8000-{number:012d}" for number in (1, 2))
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/link/[0-9A-Z]{26}")
CODE = "The code that the page shows"


class Town:
    """A process, the tenant its people are of, and their browsers."""

    def __init__(self, process: Process, entra: FakeEntra) -> None:
        self.process, self.entra = process, entra
        self.hanna = entra.person(1, "Hanna Weber", HELPDESK)
        self.marco = entra.person(2, "Marco Rossi", MANAGER)

    async def say(self, who: str, text: str) -> tuple[int, Any]:
        """Say a command; return the status, and the reply or the error's sentence."""
        status, answer = await self.process.send("/api/say", who, text=f"/deputy {text}")
        return status, answer.get("reply") or answer.get("error")

    async def link(self, who: str, person: FakePerson) -> dict[str, Any]:
        """Link somebody's account as they would; return the card that confirms it."""
        _, offered = await self.say(who, "link")
        shown = await signed_in(self.entra, page_in(offered["card"]), person)
        card = await self.press(who, offered["card"]["buttons"][0], shown.code)
        assert card["title"] == "Your account is linked"
        return card

    async def press(self, who: str, button: dict[str, Any], comment: str = "") -> dict[str, Any]:
        sent = {"verb": button["verb"], "subject": button["subject"], "comment": comment}
        status, answer = await self.process.send("/api/press", who, **sent)
        assert status == 200, answer
        card: dict[str, Any] = answer["reply"]["card"]
        return card


def page_in(card: dict[str, Any]) -> str:
    return next(str(block["address"]) for block in card["blocks"] if block["kind"] == "page")


class SlackTown:
    """A Slack, a tenant of Entra ID, and a Deputy between them."""

    def __init__(self, slack: SlackServer, entra: FakeEntra, process: Process) -> None:
        self.slack, self.entra, self.process = slack, entra, process
        self.hanna = entra.person(1, "Hanna Weber", HELPDESK)
        self.marco = entra.person(2, "Marco Rossi", MANAGER)

    async def page(self, offered: Message, person: FakePerson) -> Shown:
        """Follow the link of an offer in a browser at which somebody signs in."""
        return await signed_in(self.entra, address_in(offered), person)

    async def link(self, who: Person, person: FakePerson) -> None:
        """Link somebody's account."""
        await who.command("/deputy link")
        await self.confirm(who, await whispered(self.slack, self.name(who), "Link your account"), person)

    async def confirm(self, who: Person, offered: Message, person: FakePerson) -> None:
        """Follow an offer to its end: the page, the code, and the word in Slack that it is done."""
        code = (await self.page(offered, person)).code
        await who.press(offered, "Enter the code")
        view = await opened(self.slack, self.name(who), "it shows a code")
        await who.submit(view, {CODE: code})
        await opened(self.slack, self.name(who), "Your account is linked", person.name)

    def name(self, who: Person) -> str:
        """Return what the fake calls somebody."""
        return next(name for name, person in self.slack.people.items() if person is who)


def address_in(message: Message) -> str:
    return next(iter(ADDRESS.findall(str(message.blocks))), "")


async def signed_in(entra: FakeEntra, address: str, person: FakePerson) -> Shown:
    """Follow a link in a browser at which somebody signs in."""
    entra.signed_in = person
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=entra.ca))
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, connector=connector) as session:
        return await Browser(session).sign_in(address)


@asynccontextmanager
async def slack_town(
    slack: SlackServer, entra: FakeEntra, folder: Path, actions: Mapping[str, str]
) -> AsyncIterator[SlackTown]:
    """Run Deputy between a Slack and a tenant."""
    given = settings(slack, folder)
    del given["DEPUTY_LINKS_FILE"]
    process = Process(folder, **given, **entra.settings(), **own_content(folder, actions))
    process.environment["DEPUTY_PUBLIC_URL"] = process.address
    async with started(slack, process):
        yield SlackTown(slack, entra, process)
