"""Entra ID with many processes on one PostgreSQL: a linking and a vote go on at whatever process people reach."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.acceptance.at_entra import MANAGER, Town, page_in, signed_in
from tests.acceptance.conftest import Process, own_content
from tests.fakes.entra_server import entra_server

ACTIONS = {
    "accounts/rename.sh": "echo renamed\n",
    "accounts/rename.toml": 'summary = "Renames an account."\nrisk = "change"\n',
}


@pytest_asyncio.fixture
async def towns(tmp_path: Path, database: str) -> AsyncIterator[tuple[Town, Town]]:
    """Two processes behind one public address, which leads to the second one."""
    async with entra_server(tmp_path) as entra:
        settings = {**own_content(tmp_path, ACTIONS), **entra.settings(), "DEPUTY_DATABASE_URL": database}
        first, second = (Process(tmp_path, **settings) for _ in range(2))
        for process in (first, second):
            process.environment["DEPUTY_PUBLIC_URL"] = second.address
        await first.start("serve")
        await second.start("serve")
        one = Town(first, entra)
        other = Town(second, entra)
        other.hanna, other.marco = one.hanna, one.marco = entra.people[one.hanna.oid], entra.people[one.marco.oid]
        yield one, other
        await asyncio.gather(first.stop(), second.stop())


async def test_a_linking_and_a_vote_go_on_at_whatever_process_people_reach(towns: tuple[Town, Town]) -> None:
    one, other = towns
    _, offered = await one.say("helpdesk", "link")
    shown = await signed_in(one.entra, page_in(offered["card"]), one.hanna)
    await one.press("helpdesk", offered["card"]["buttons"][0], shown.code)
    await other.link("manager", one.marco)

    run = await other.process.ask("helpdesk", "rename")
    status, _ = await one.say("manager", f"approve {run}")

    assert status == 200
    assert "Marco Rossi" in str(await other.process.until("helpdesk", run, "succeeded"))


async def test_D1_a_group_that_is_lost_is_lost_at_every_process_that_knew_it(towns: tuple[Town, Town]) -> None:
    one, other = towns
    await one.link("helpdesk", one.hanna)
    await one.link("manager", one.marco)
    run = await one.process.ask("helpdesk", "rename")
    for town in towns:  # each has the group in its own memory now
        assert "rename" in str(await town.say("manager", f"status {run}"))
    one.marco.groups.discard(MANAGER)

    answers = [await town.say("manager", f"approve {run}") for town in towns]

    assert [status for status, _ in answers] == [403, 403]
    assert (await other.process.card("helpdesk", run))["state"] == "awaiting_approval"


async def test_who_takes_their_link_back_at_one_process_has_no_rights_at_any(towns: tuple[Town, Town]) -> None:
    one, other = towns
    await one.link("helpdesk", one.hanna)
    assert (await other.say("helpdesk", "whoami"))[1]["card"]["title"] == "Hanna Weber"

    await one.say("helpdesk", "unlink")

    assert (await other.say("helpdesk", "whoami"))[1]["card"]["title"] == "Link your account"
