"""Entra ID and Slack together: people link their accounts from Slack, ask, approve, and take the link back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.acceptance.at_entra import ADDRESS, CODE, SlackTown, address_in, slack_town
from tests.acceptance.at_slack import opened, said, sees, telling, whispered
from tests.fakes.entra_server import entra_server
from tests.fakes.slack_server import SlackServer

ACTIONS = {
    "accounts/rename.sh": "echo renamed\n",
    "accounts/rename.toml": 'title = "Rename it"\nsummary = "Renames an account."\nrisk = "change"\n',
}


@pytest_asyncio.fixture(params=["http", "socket"])
async def town(request: Any, tmp_path: Path) -> AsyncIterator[SlackTown]:
    async with (
        SlackServer(request.param) as slack,
        entra_server(tmp_path) as entra,
        slack_town(slack, entra, tmp_path, ACTIONS) as town,
    ):
        yield town


async def test_people_link_their_accounts_from_slack_ask_approve_and_unlink(town: SlackTown) -> None:
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


async def test_P3_who_left_the_group_after_linking_approves_nothing_in_slack(town: SlackTown) -> None:
    slack = town.slack
    await town.link(slack.hanna, town.hanna)
    await town.link(slack.martin, town.marco)
    await slack.hanna.command("/deputy rename")
    request = await sees(slack, "Hanna Weber asks to run this")
    town.marco.groups.clear()

    await slack.martin.press(request, "Approve")

    await whispered(slack, "martin", "You hold no role here")
    assert "1 approval" in said(request)


async def test_I7_who_is_not_linked_approves_nothing_and_is_led_to_the_link(town: SlackTown) -> None:
    slack = town.slack
    await town.link(slack.hanna, town.hanna)
    await slack.hanna.command("/deputy rename")
    request = await sees(slack, "Hanna Weber asks to run this")

    await slack.martin.press(request, "Approve")
    offered = await whispered(slack, "martin", "not linked to anybody yet", "Link your account")
    assert "1 approval" in said(request)

    await town.confirm(slack.martin, offered, town.marco)
    await slack.martin.press(request, "Approve")
    await sees(slack, "✅", "Rename it", "Marco Rossi")


async def test_I7_who_is_not_linked_is_led_to_the_link_wherever_they_knock(town: SlackTown) -> None:
    slack = town.slack
    await slack.eve.command("/deputy")
    view = await opened(slack, "eve", "not linked to anybody yet", "Enter the code")
    assert ADDRESS.search(str(view.spec["blocks"]))

    await slack.olivia.open_home()
    await slack.until(lambda: "Type /deputy link" in said(slack.olivia.home))

    await slack.hanna.direct("mine")
    offered = await slack.until(lambda: telling(slack.hanna.directs, "Link your account"))
    await town.confirm(slack.hanna, offered, town.hanna)
    await slack.hanna.open_home()
    await slack.until(lambda: "Rename it" in said(slack.hanna.home))


async def test_I7_who_forwards_their_link_gains_nothing(town: SlackTown) -> None:
    slack = town.slack
    await slack.eve.command("/deputy link")
    offered = await whispered(slack, "eve", "Link your account")

    shown = await town.page(offered, town.marco)

    assert "Slack account “eve” (T0DEPUTY:U0EVE)" in shown.text
    await slack.eve.press(offered, "Enter the code")
    view = await opened(slack, "eve", "it shows a code")
    answer = await slack.eve.submit(view, {CODE: "AAA-AAA"})
    assert answer.body == {
        "response_action": "errors",
        "errors": {"comment": "That is not the code that the page shows. You have 4 tries left."},
    }
    await slack.eve.command("/deputy whoami")
    await whispered(slack, "eve", "not linked to anybody yet")
