"""The real process with Entra ID: people link their accounts, and what they may do follows their groups."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser as Chromium

from tests.acceptance.at_entra import MANAGER, Town
from tests.acceptance.conftest import Process, own_content
from tests.fakes.entra_server import FakeEntra, entra_server

ACTIONS = {
    "accounts/rename.sh": "echo renamed\n",
    "accounts/rename.toml": 'summary = "Renames an account."\nrisk = "change"\n',
    "accounts/wait.toml": 'summary = "Waits."\nrisk = "read"\n',
    "accounts/peek.sh": "echo here it is\n",
    "accounts/peek.toml": 'summary = "Looks at an account."\nrisk = "read"\n',
}


@pytest_asyncio.fixture
async def entra(tmp_path: Path) -> AsyncIterator[FakeEntra]:
    async with entra_server(tmp_path) as fake:
        yield fake


@pytest_asyncio.fixture
async def town(tmp_path: Path, entra: FakeEntra) -> AsyncIterator[Town]:
    wait = {"accounts/wait.sh": f"until [ -e '{tmp_path}/go' ]; do sleep 0.05; done\n"}
    settings = {**own_content(tmp_path, {**ACTIONS, **wait}), **entra.settings(), "DEPUTY_CONCURRENCY": "1"}
    process = Process(tmp_path, **settings)
    process.environment["DEPUTY_PUBLIC_URL"] = process.address
    await process.start("serve")
    yield Town(process, entra)
    await process.stop()


async def test_people_link_their_accounts_and_their_groups_say_what_they_may_do(town: Town) -> None:
    status, reply = await town.say("helpdesk", "peek")
    assert (status, reply["card"]["title"]) == (200, "Link your account")
    await town.link("helpdesk", town.hanna)
    await town.link("manager", town.marco)

    run = await town.process.ask("helpdesk", "rename")
    card = await town.process.until("manager", run, "awaiting_approval")
    assert "Hanna Weber" in card["lead"]

    town.marco.groups.clear()
    status, refused = await town.say("manager", f"approve {run}")
    assert status == 403
    assert "You hold no role here" in refused

    town.marco.groups.add(MANAGER)
    status, _ = await town.say("manager", f"approve {run}")
    assert status == 200
    done = await town.process.until("helpdesk", run, "succeeded")
    assert "Marco Rossi" in str(done)

    _, told, _ = await town.process.deputy("audit", "verify")
    assert "hold" in told


async def test_D1_a_vote_is_void_where_its_voter_left_the_group_before_the_start_and_the_channel_says_so(
    town: Town, tmp_path: Path
) -> None:
    await town.link("helpdesk", town.hanna)
    await town.link("manager", town.marco)
    first = await town.process.ask("helpdesk", "wait")
    await town.process.until("helpdesk", first, "running")
    run = await town.process.ask("helpdesk", "rename")
    status, _ = await town.say("manager", f"approve {run}")
    assert status == 200
    await town.process.until("manager", run, "queued")

    town.marco.groups.clear()
    (tmp_path / "go").touch()

    card = await town.process.until("helpdesk", run, "refused", "awaiting_approval", "succeeded")
    lost = "Marco Rossi may no longer approve it, so their approval no longer counts."
    assert (card["state"], lost in card["lead"]) == ("awaiting_approval", True)
    notices = [one["card"] for one in await town.process.messages("helpdesk") if one["key"] == f"{run}:void"]
    assert [(one["title"], lost in one["lead"]) for one in notices] == [("Rename needs approval again", True)]

    town.marco.groups.add(MANAGER)
    assert (await town.say("manager", f"approve {run}"))[0] == 200
    await town.process.until("helpdesk", run, "succeeded")


async def test_W8_who_was_offboarded_can_do_nothing_any_more(town: Town) -> None:
    await town.link("helpdesk", town.hanna)
    await town.link("manager", town.marco)
    run = await town.process.ask("helpdesk", "rename")
    town.marco.enabled = False

    status, refused = await town.say("manager", f"approve {run}")

    assert (status, refused) == (
        403,
        "Marco Rossi's account is disabled in Entra ID, so nothing is done for them.",
    )


async def test_D4_while_entra_is_down_nothing_starts_and_people_read_why(town: Town) -> None:
    await town.link("helpdesk", town.hanna)
    assert (await town.say("helpdesk", "whoami"))[0] == 200
    town.entra.down = 503

    run = await town.process.ask("helpdesk", "peek")

    card = await town.process.until("helpdesk", run, "refused")
    assert "Entra ID can't be asked now" in card["lead"]


async def test_links_outlive_the_process(town: Town) -> None:
    await town.link("helpdesk", town.hanna)
    await town.process.kill()
    await town.process.start("serve")

    _, reply = await town.say("helpdesk", "whoami")

    assert reply["card"]["title"] == "Hanna Weber"


async def test_deputy_does_not_start_with_a_secret_that_entra_refuses(tmp_path: Path, entra: FakeEntra) -> None:
    settings = {**own_content(tmp_path, ACTIONS), **entra.settings(), "DEPUTY_ENTRA_CLIENT_SECRET": "wrong"}
    process = Process(tmp_path, **settings, DEPUTY_PUBLIC_URL="http://127.0.0.1:1")

    code, _, err = await process.deputy("serve")

    assert code == 1
    assert err.startswith("deputy: DEPUTY_ENTRA_CLIENT_SECRET: Entra ID doesn't let Deputy in: AADSTS7000215")


@pytest.mark.timeout(180)
async def test_the_whole_way_in_a_real_browser(town: Town, browser: Chromium) -> None:
    town.entra.signed_in = town.hanna
    context = await browser.new_context(ignore_https_errors=True)
    chat = await context.new_page()
    await chat.goto(town.process.address)
    await chat.get_by_role("combobox", name="You are").select_option("helpdesk")
    box = chat.get_by_role("textbox", name="Message")
    await box.fill("/deputy link")
    await box.press("Escape")
    await box.press("Enter")
    async with context.expect_page() as opened:
        await chat.get_by_role("link", name="Open the page and sign in").click()
    page = await opened.value
    await page.get_by_role("button", name="This is my account").click()
    code = await page.locator("strong.code").inner_text()

    await chat.get_by_role("button", name="Enter the code").click()
    await chat.get_by_role("textbox", name="The code that the page shows").fill(code)
    await chat.get_by_role("button", name="Enter the code").click()

    await chat.get_by_role("region", name="Your account is linked").wait_for()
    await page.reload()
    assert "Your account is linked" in await page.inner_text("h1")
