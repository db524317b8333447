"""What the tests of Slack share: a store, a fake Slack for each way of delivering, and Deputy's side of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.database import SqlStore, open_store
from tests.fakes.slack_office import Office, connected_to
from tests.fakes.slack_server import SlackServer


@pytest.fixture
async def slack_store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = await open_store(tmp_path / "deputy.db")
    yield store
    await store.close()


@pytest.fixture(params=["http", "socket"])
async def slack(request: pytest.FixtureRequest) -> AsyncIterator[SlackServer]:
    async with SlackServer(request.param) as slack:
        yield slack


@pytest.fixture
async def http() -> AsyncIterator[SlackServer]:
    async with SlackServer() as slack:
        yield slack


@pytest.fixture
async def office(slack: SlackServer, slack_store: SqlStore, tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(slack, slack_store, tmp_path)
    async with office.replica() as slack.app_url:
        await connected_to(slack)
        yield office


@pytest.fixture
def unserved(http: SlackServer, slack_store: SqlStore, tmp_path: Path) -> Office:
    """Deputy's side before a Slack that delivers over HTTP, not serving yet."""
    return Office(http, slack_store, tmp_path)
