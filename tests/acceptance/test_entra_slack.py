"""Entra ID and Slack together: people link their accounts from Slack, ask, approve, and take the link back."""

import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from tests.acceptance.at_slack import opened, said, sees, settings, started, telling, whispered
from tests.acceptance.conftest import Process, own_content
from tests.fakes.browser import Browser, Shown
from tests.fakes.entra_server import FakeEntra, FakePerson, entra_server
from tests.fakes.slack_person import Person
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import Message

HELPDESK, MANAGER = (f"11111111-0000-4000-8000-{number:012d}" for number in (1, 2))
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/link/[0-9A-Z]{26}")
CODE = "The code that the page shows"
ACTIONS = {
    "accounts/rename.sh": "echo renamed\n",
    "accounts/rename.toml": 'title = "Rename it"\nsummary = "Renames an account."\nrisk = "change"\n',
}


class Town:
    """A Slack, a tenant of Entra ID, and a Deputy between them."""

    def __init__(self, slack: SlackServer, entra: FakeEntra, process: Process) -> None:
        self.slack, self.entra, self.process = slack, entra, process
        self.hanna = entra.person(1, "Hanna Weber", HELPDESK)
        self.marco = entra.person(2, "Marco Rossi", MANAGER)

    async def page(self, offered: Message, person: FakePerson) -> Shown:
        """Follow the link of an offer in a browser at which somebody signs in."""
        self.entra.signed_in = person
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=self.entra.ca))
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar, connector=connector) as session:
            return await Browser(session).sign_in(address_in(offered))

    async def link(self, who: Person, person: FakePerson) -> None:
        """Link somebody's account."""
        await who.command("/deputy link")
        await self.confirm(who, await whispered(self.slack, self.name(who), "Link your account"), person)

    async def confirm(self, who: Person, offered: Message, person: FakePerson) -> None:
        """Follow an offer to its end: the page, the code, and the word in Slack that it is done."""
        code = (await self.page(offered, person)).code
        await who.press(offered, "Yes, it was me")
        view = await opened(self.slack, self.name(who), "it shows a code")
        await who.submit(view, {CODE: code})
        await opened(self.slack, self.name(who), "Your account is linked", person.name)

    def name(self, who: Person) -> str:
        """Return what the fake calls somebody."""
        return next(name for name, person in self.slack.people.items() if person is who)


def address_in(message: Message) -> str:
    return next(iter(ADDRESS.findall(str(message.blocks))), "")


@pytest_asyncio.fixture(params=["http", "socket"])
async def town(request: Any, tmp_path: Path) -> AsyncIterator[Town]:
    async with SlackServer(request.param) as slack, entra_server(tmp_path) as entra:
        given = settings(slack, tmp_path)
        del given["DEPUTY_LINKS_FILE"]
        process = Process(tmp_path, **given, **entra.settings(), **own_content(tmp_path, ACTIONS))
        process.environment["DEPUTY_PUBLIC_URL"] = process.address
        async with started(slack, process):
            yield Town(slack, entra, process)


async def test_people_link_their_accounts_from_slack_ask_approve_and_unlink(town: Town) -> None:
    slack = town.slack
    await slack.hanna.command("/deputy rename")
    offered = await whispered(slack, "hanna", "not linked to anybody yet", "Link your account")
    await town.confirm(slack.hanna, offered, town.hanna)
    await town.link(slack.martin, town.marco)

    await slack.hanna.command("/deputy rename")
    request = await sees(slack, "Hanna Weber asks to run this", "1 approval")
    await slack.hanna.press(request, "Approve")
    await whispered(slack, "hanna", "can't approve your own request")
    await slack.martin.press(request, "Approve")
    await sees(slack, "✅", "Rename it", "Marco Rossi")
    assert telling(slack.shown(), "/link/") is None

    await slack.hanna.command("/deputy unlink")
    await whispered(slack, "hanna", "has no rights until it is linked again")
    await slack.hanna.command("/deputy rename")
    await slack.until(lambda: address_in(slack.hanna.whispers[-1]) not in ("", address_in(offered)))
    _, told, _ = await town.process.deputy("audit", "verify")
    assert "hold" in told


async def test_P3_who_left_the_group_after_linking_approves_nothing_in_slack(town: Town) -> None:
    slack = town.slack
    await town.link(slack.hanna, town.hanna)
    await town.link(slack.martin, town.marco)
    await slack.hanna.command("/deputy rename")
    request = await sees(slack, "Hanna Weber asks to run this")
    town.marco.groups.clear()

    await slack.martin.press(request, "Approve")

    await whispered(slack, "martin", "You hold no role here")
    assert "1 approval" in said(request)


async def test_I7_who_is_not_linked_is_led_to_the_link_wherever_they_knock(town: Town) -> None:
    slack = town.slack
    await slack.eve.command("/deputy")
    view = await opened(slack, "eve", "not linked to anybody yet", "Yes, it was me")
    assert ADDRESS.search(str(view.spec["blocks"]))

    await slack.olivia.open_home()
    await slack.until(lambda: "Type /deputy link" in said(slack.olivia.home))

    await slack.hanna.direct("mine")
    offered = await slack.until(lambda: telling(slack.hanna.directs, "Link your account"))
    await town.confirm(slack.hanna, offered, town.hanna)
    await slack.hanna.open_home()
    await slack.until(lambda: "Rename it" in said(slack.hanna.home))


async def test_I7_who_forwards_their_link_gains_nothing(town: Town) -> None:
    slack = town.slack
    await slack.eve.command("/deputy link")
    offered = await whispered(slack, "eve", "Link your account")

    shown = await town.page(offered, town.marco)

    assert "Slack account “eve” (T0DEPUTY:U0EVE)" in shown.text
    await slack.eve.press(offered, "Yes, it was me")
    view = await opened(slack, "eve", "it shows a code")
    answer = await slack.eve.submit(view, {CODE: "AAA-AAA"})
    assert answer.body == {
        "response_action": "errors",
        "errors": {"comment": "That is not the code that the page shows. You have 4 tries left."},
    }
    await slack.eve.command("/deputy whoami")
    await whispered(slack, "eve", "not linked to anybody yet")
