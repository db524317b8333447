"""The demo's world: it starts, it is laid out, and nothing of it outlives it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.core.errors import Unavailable
from bot.demo import world as module
from bot.demo.world import World

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


def test_passwords_are_new_at_every_start() -> None:
    assert World()._passwords != World()._passwords


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
