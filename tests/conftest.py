"""What every test shares: no deadlines (machines differ), and a request and a run for others to vary."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings

from bot.core.principal import Who
from bot.core.request import Request
from bot.core.run import Place, Run, State
from bot.store import schema
from bot.store.postgres import PostgresDatabase
from tests.fakes import postgres

settings.register_profile("deputy", deadline=None)
settings.load_profile("deputy")

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def asked() -> Request:
    """Return a request with every field filled."""
    return Request(
        requester=Who("acme", "ann-1", "Ann"),
        action="unlock-account",
        arguments={"account": "alice", "tries": 3, "notify": True, "groups": ("staff", "vpn")},
        target="dc01.acme.test",
        script="5c" * 32,
        interpreter="python 3.11.9 1b" + "1b" * 31,
        policy_version="9e" * 32,
        expires_at=NOON + timedelta(hours=8),
        nonce="n-1",
        door="local",
        libraries={"ldap.py": "7d" * 32},
        verify="3a" * 32,
        credentials={"directory": "vault:directory@4"},
        reason="called in at noon",
    )


@pytest.fixture(scope="session")
def run(asked: Request) -> Run:
    """Return a run that awaits two approvals."""
    return Run(
        id="R-7K3M9QX4",
        request=asked,
        digest=asked.digest,
        title="Unlock an account",
        risk="change",
        place=Place("local", "general"),
        state=State.AWAITING_APPROVAL,
        created=NOON,
        needed=2,
        approver_roles=("the managers", "on-call"),
        revision=1,
    )


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """Have a PostgreSQL server; where none is installed, its tests are skipped, or fail if that is forbidden."""
    installed = postgres.binaries()
    if installed is None:
        miss = pytest.fail if os.environ.get("NO_SKIP") else pytest.skip
        miss("PostgreSQL is not installed here (Debian: apt-get install postgresql).")
    with postgres.cluster(installed) as running:
        yield running


@pytest.fixture(scope="session")
def template(cluster: postgres.Cluster) -> str:
    """Return the name of a database with the tables in it, to be copied."""
    name = cluster.database()
    with PostgresDatabase.read(cluster.url(name)).writer().begin() as connection:
        schema.upgrade(connection)
    connection.engine.dispose()
    return name


@pytest.fixture
def database(cluster: postgres.Cluster) -> str:
    """Return the address of a new, empty PostgreSQL database."""
    return cluster.url(cluster.database())
