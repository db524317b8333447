"""Who is on call and whether there is an incident: by a file or another system, and closed where neither says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.identity.local import PEOPLE, TENANT
from tests.acceptance.conftest import Process, own_content

EVA = next(person.oid for person in PEOPLE if person.account == "engineer")
ACTIONS = {
    "operations/restart.sh": "echo restarted\n",
    "operations/restart.toml": 'summary = "Restarts it."\nrisk = "change"\n',
}
BY_SYSTEM = 'tenant = "{tenant}"\non_call = "{address}"\nincident = "{address}"\n'
BY_FILE = """
tenant = "{tenant}"

[[shift]]
people = ["{oid}"]
from = 2020-01-01T00:00:00Z
until = 2099-01-01T00:00:00Z

[[incident]]
name = "Mail is down"
from = 2020-01-01T00:00:00Z
"""


class Rota:
    """Another system, which knows who is on call."""

    def __init__(self) -> None:
        self.status = 200
        self.address = ""

    async def now(self, request: web.Request) -> web.Response:
        return web.json_response({"on_call": [EVA], "incident": "Mail is down"}, status=self.status)


@pytest_asyncio.fixture
async def rota() -> AsyncIterator[Rota]:
    rota, app = Rota(), web.Application()
    app.add_routes([web.get("/now", rota.now)])
    async with TestServer(app) as server:
        rota.address = str(server.make_url("/now"))
        yield rota


def deputy(folder: Path, schedule: str, **words: str) -> Process:
    process = Process(folder, **own_content(folder, ACTIONS))
    (folder / "policies" / "oncall.toml").write_text(schedule.format(tenant=TENANT, oid=EVA, **words))
    return process


async def test_who_is_on_call_by_another_system_acts_at_once_in_an_incident(tmp_path: Path, rota: Rota) -> None:
    process = deputy(tmp_path, BY_SYSTEM, address=rota.address)
    await process.start("serve")
    try:
        run = await process.ask("engineer", "restart")
        card = await process.until("engineer", run, "succeeded")
    finally:
        await process.stop()
    assert "pproved" not in str(card)


async def test_while_the_other_system_says_nothing_an_approval_is_needed_and_the_card_says_why(
    tmp_path: Path, rota: Rota
) -> None:
    rota.status = 503
    process = deputy(tmp_path, BY_SYSTEM, address=rota.address)
    await process.start("serve")
    try:
        run = await process.ask("engineer", "restart")
        card = await process.until("engineer", run, "awaiting_approval")
    finally:
        await process.stop()
    assert "Who is on call can't be learnt at the moment (127.0.0.1 answers with the status 503)" in card["lead"]
    assert "Whether there is an incident can't be learnt" in card["lead"]


async def test_a_file_serves_as_well_and_a_broken_one_makes_nobody_be_on_call(tmp_path: Path) -> None:
    process = deputy(tmp_path, BY_FILE)
    await process.start("serve")
    run = await process.ask("engineer", "restart")
    await process.until("engineer", run, "succeeded")
    await process.stop()
    (tmp_path / "policies" / "oncall.toml").write_text("[[shift")
    await process.start("serve")
    try:
        run = await process.ask("engineer", "restart")
        card = await process.until("engineer", run, "awaiting_approval")
    finally:
        await process.stop()
    assert "oncall.toml:1: This isn't valid TOML" in card["lead"]
