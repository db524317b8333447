"""The demo's world: it starts, it is laid out, and nothing of it outlives it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.app import data
from bot.cli.vault import operator
from bot.core.errors import Unavailable
from bot.core.secret import Secret
from bot.demo import world as module
from bot.demo.settle import settle
from bot.demo.world import Credentials, World
from bot.service.secrets import remove_secret, set_secret
from bot.settings import Settings

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
PARENT = """
import asyncio, pathlib, sys
from bot.demo.world import World

async def main():
    world = World()
    await world.start(pathlib.Path(sys.argv[1]))
    await world.ready()
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def children(pid: int) -> set[int]:
    """Return the ids of all processes that descend from one."""
    direct = {
        int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()
    }
    return direct.union(*(children(child) for child in direct))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: set[int]) -> bool:
    """Wait until none of some processes is left; they have as long as the slowest machine may need."""
    for _ in range(600):
        if not any(map(alive, pids)):
            return True
        time.sleep(0.05)
    return False


def test_a_world_lays_out_files_and_gives_credentials(world: World) -> None:
    assert {path.name for path in world.cache.iterdir()} >= {"thumbnails", "exports"}
    assert world.log.read_text().count("\n") == 120
    assert set(world.credentials["directory"]) == {"url", "username", "password", "base_dn"}
    assert set(world.credentials["supervisor"]) == {"url", "username", "password"}


@asynccontextmanager
async def started(folder: Path, before: Credentials) -> AsyncIterator[Credentials]:
    """Give the credentials of a world that was told of those it had before."""
    world = World()
    try:
        await world.start(folder)
        await world.ready(before)
        yield world.credentials
    finally:
        await world.stop()


async def test_a_world_keeps_its_passwords_and_ports_over_a_restart(tmp_path: Path) -> None:
    async with started(tmp_path, {}) as first:
        pass
    async with started(tmp_path, first) as second:
        assert second == first


async def test_a_taken_port_is_replaced_and_the_password_stays(tmp_path: Path) -> None:
    async with started(tmp_path, {}) as first, started(tmp_path, first) as second:
        for name in first:
            assert second[name]["url"] != first[name]["url"]
            assert second[name]["password"] == first[name]["password"]


@pytest.mark.parametrize("url", ["ldaps://dc1.example.com:636", "ldap://127.0.0.1", "ldap://127.0.0.1:99999", "x"])
async def test_the_password_of_another_directory_is_not_taken_over(tmp_path: Path, url: str) -> None:
    async with started(tmp_path, {"directory": {"url": url, "password": "a real one"}}) as credentials:
        assert credentials["directory"]["password"] != "a real one"
        assert len(credentials["directory"]["password"]) == 32


async def test_a_restart_writes_no_version_of_a_credential_that_is_the_same(tmp_path: Path) -> None:
    folder, wanted = tmp_path, {"directory": 1, "supervisor": 1}
    async with data(Settings(data_dir=folder)) as (store, vault):
        for _ in range(2):
            world = World()
            await world.start(folder)
            await settle(world, store, vault)
            await world.stop()
            assert {row.name: row.version for row in await store.secrets()} == wanted


async def test_a_credential_that_was_set_by_hand_stays_until_it_is_removed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = {"url": Secret("ldap://127.0.0.1:3890"), "password": Secret("a real one")}
    async with data(Settings(data_dir=tmp_path)) as (store, vault):

        async def restarted() -> tuple[int, str]:
            world = World()
            await world.start(tmp_path)
            await settle(world, store, vault)
            await world.stop()
            version = await vault.version("vault:directory")
            fields = await vault.lease("vault:directory", version, "")
            assert world.credentials["directory"]["password"] != "a real one"
            return version, fields["password"].reveal()

        assert (await restarted())[0] == 1
        await set_secret(store, vault, "directory", own, operator(), NOW)
        for _ in range(2):
            assert await restarted() == (2, "a real one")
        assert "deputy vault remove directory" in caplog.text
        await remove_secret(store, "directory", operator(), NOW)
        version, password = await restarted()
        assert (version, len(password)) == (3, 32)
        assert await restarted() == (version, password)


async def test_a_world_that_stops_before_it_is_told_to_begin_leaves_without_a_word(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    world = World()
    await world.start(tmp_path)
    pids = {process.pid for process in world._processes.values()}
    await world.stop()
    assert gone(pids)
    assert capfd.readouterr() == ("", "")


async def test_a_world_that_stops_leaves_no_process(tmp_path: Path) -> None:
    world = World()
    await world.start(tmp_path)
    await world.ready()
    pids = {process.pid for process in world._processes.values()}
    pids |= {grandchild for pid in pids for grandchild in children(pid)}
    assert len(pids) == 4
    await world.stop()
    assert gone(pids)


def test_X13_nothing_outlives_a_demo_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"ready\n"
        pids = children(parent.pid)
        assert len(pids) == 4
        os.kill(parent.pid, signal.SIGKILL)
    assert gone(pids)


async def test_a_server_that_does_not_start_is_a_plain_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.SERVERS, "directory", "bot.demo.no_such_module")
    world = World()
    await world.start(tmp_path)
    with pytest.raises(Unavailable, match="The demo's directory did not start"):
        await world.ready()
    await world.stop()
