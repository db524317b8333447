"""One demo world for all tests of the actions; each test changes only entries of its own."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from bot.demo.world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    started = World()
    with asyncio.Runner() as runner:
        runner.run(started.start(tmp_path_factory.mktemp("data")))
        try:
            runner.run(started.ready())
            yield started
        finally:
            runner.run(started.stop())


@pytest.fixture
def directory(world: World) -> dict[str, str]:
    return dict(world.credentials["directory"])


@pytest.fixture
def supervisor(world: World) -> dict[str, str]:
    return dict(world.credentials["supervisor"])


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
