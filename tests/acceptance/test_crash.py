"""Power cuts and stops: nothing is started twice, nothing is lost, and what nobody can know is said."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.conftest import Process, own_content

# It notes that it began, and by which process, and sleeps in a child that left its session and is deaf to TERM.
SLEEPY = '''"""Sleeps."""

import os
import subprocess
from pathlib import Path


def main(ledger: str, name: str) -> str:
    """Note the start, then sleep for long."""
    with Path(ledger).open("a") as file:
        file.write(f"{name} {os.getpid()}\\n")
    deaf = 'trap "" TERM; exec -a "$0" sleep 600'
    subprocess.run(["bash", "-c", deaf, ledger], start_new_session=True)
    return "Slept well."
'''

QUICK = """\
for argument in "$@"; do
    case $argument in
        --ledger=*) ledger=${argument#--ledger=} ;;
        --name=*) name=${argument#--name=} ;;
    esac
done
printf '%s %s\\n' "$name" "$$" >> "$ledger"
"""

# The first start sleeps, the next ones don't.
STEADY = SLEEPY.replace(
    "    deaf =", '    if Path(ledger).read_text().count(name) > 1:\n        return "Done."\n    deaf ='
)

PARAMETERS = """
[parameters.ledger]
[parameters.name]
"""

ACTIONS = {
    "operations/sleepy.py": SLEEPY,
    "operations/sleepy.toml": 'summary = "Sleeps."\nrisk = "change"\nlocks = ["{name}"]\n',
    "operations/steady.py": STEADY,
    "operations/steady.toml": 'summary = "Sleeps once."\nrisk = "change"\nidempotent = true\nlocks = ["{name}"]\n',
    "operations/quick.sh": QUICK,
    "operations/quick.toml": f'summary = "Is quick."\nrisk = "change"\n{PARAMETERS}',
}


class Ledger:
    """Where scripts note that they began: a name and a process id a line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def starts(self) -> Counter[str]:
        return Counter(line.split()[0] for line in self._lines())

    def alive(self) -> list[int]:
        """Return the processes that are left: those that began, and all that have this file in their arguments."""
        began = {int(line.split()[1]) for line in self._lines()}
        processes = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        return [
            one for one in processes if str(self).encode() in _read(one, "cmdline") or one in began & _living(one)
        ]

    def _lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []


def _read(process: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{process}/{name}").read_bytes()
    except OSError:  # it ended meanwhile
        return b""


def _living(process: int) -> set[int]:
    state = _read(process, "stat").rpartition(b")")[2].split()[:1]
    return {process} if state not in ([], [b"Z"], [b"X"]) else set()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Process]:
    one = Process(tmp_path, **own_content(tmp_path, ACTIONS), DEPUTY_CONCURRENCY="1")
    await one.start("serve")
    yield one
    await one.stop()


async def until(holds: Callable[[], object], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def audit(server: Process) -> list[dict[str, Any]]:
    """Return the whole audit log, after proving that it holds."""
    code, out, err = await server.deputy("audit", "verify")
    assert (code, err) == (0, ""), out
    _, exported, _ = await server.deputy("audit", "export")
    return [json.loads(line) for line in exported.splitlines()]


def tags(entries: list[dict[str, Any]], run: str) -> list[str]:
    return [entry["tag"] for entry in entries if entry["subject"] == run]


async def one_message_each(server: Process) -> None:
    keys = Counter(message["key"] for message in await server.messages("oncall"))
    assert [key for key, count in keys.items() if count > 1] == []


async def test_X13_a_power_cut_loses_nothing_and_starts_nothing_twice(server: Process, ledger: Ledger) -> None:
    running = await server.ask("oncall", "sleepy", ledger=str(ledger), name="running")
    await until(ledger.starts)
    queued = [await server.ask("oncall", "quick", ledger=str(ledger), name=f"queued-{n}") for n in range(2)]
    waiting = await server.ask("engineer", "quick", ledger=str(ledger), name="waiting")
    await server.until("oncall", waiting, "awaiting_approval")

    await server.kill()
    await until(lambda: not ledger.alive(), seconds=5)
    await server.start("serve")

    card = await server.until("oncall", running, "interrupted")
    assert "nobody knows how far it came" in card["lead"]
    for run in queued:
        await server.until("oncall", run, "succeeded")
    status, _ = await server.send("/api/press", "manager", verb="approve", subject=waiting, comment="")
    assert status == 200
    await server.until("oncall", waiting, "succeeded")

    assert ledger.starts() == Counter(("running", "queued-0", "queued-1", "waiting"))
    await one_message_each(server)
    assert tags(await audit(server), running) == ["request:permitted", "run:started", "run:interrupted"]


async def test_X13_an_interruption_is_a_message_of_its_own_with_a_button_to_run_again(
    server: Process, ledger: Ledger
) -> None:
    run = await server.ask("oncall", "sleepy", ledger=str(ledger), name="first")
    await until(ledger.starts)
    await server.kill()
    await server.start("serve")

    await server.until("manager", f"{run}:interrupted", "")
    told = await server.card("manager", f"{run}:interrupted")
    assert told["title"] == "Sleepy was interrupted"
    assert "Olu Adeyemi, this needs you" in told["lead"]
    (button,) = told["buttons"]
    assert (button["label"], button["verb"], button["subject"]) == ("Run again", "rerun", run)

    _, answer = await server.send("/api/press", "oncall", verb=button["verb"], subject=run, comment="")
    again = answer["reply"]["run"]
    await until(lambda: ledger.starts()["first"] == 2)
    await server.send("/api/press", "oncall", verb="cancel", subject=again, comment="")
    await server.until("oncall", again, "cancelled")
    assert ledger.alive() == []


async def test_X13_an_idempotent_action_is_started_again_by_itself(server: Process, ledger: Ledger) -> None:
    run = await server.ask("oncall", "steady", ledger=str(ledger), name="steady")
    await until(ledger.starts)
    await server.kill()
    await until(lambda: not ledger.alive(), seconds=5)
    await server.start("serve")

    await server.until("oncall", run, "succeeded")
    assert ledger.starts() == {"steady": 2}
    await one_message_each(server)
    assert await server.card("oncall", f"{run}:interrupted") == {}
    assert tags(await audit(server), run) == [
        *("request:permitted", "run:started", "run:requeued", "run:started", "run:succeeded")
    ]


async def test_a_server_that_is_told_to_stop_stops_its_scripts_and_says_so(
    server: Process, ledger: Ledger
) -> None:
    running = await server.ask("oncall", "sleepy", ledger=str(ledger), name="running")
    await until(ledger.starts)
    queued = await server.ask("oncall", "quick", ledger=str(ledger), name="queued")

    async with asyncio.timeout(20):
        assert await server.stop() == 0
    assert ledger.alive() == []
    entries = await audit(server)
    assert tags(entries, running)[-1] == "run:interrupted"
    assert tags(entries, queued) == ["request:permitted"]

    await server.start("serve")
    await server.until("oncall", queued, "succeeded")
    assert (await server.card("manager", f"{running}:interrupted"))["title"] == "Sleepy was interrupted"
    assert tags(await audit(server), running).count("run:interrupted") == 1
    assert ledger.starts() == {"running": 1, "queued": 1}


async def test_many_power_cuts_in_a_row_start_each_run_once(server: Process, ledger: Ledger) -> None:
    asked: dict[str, str] = {}
    for cut in range(4):
        for name in (f"{cut}-a", f"{cut}-b", f"{cut}-c"):
            asked[name] = await server.ask("oncall", "quick", ledger=str(ledger), name=name)
        await asyncio.sleep(cut * 0.03)
        await server.kill()
        await server.start("serve")
    ends = [await server.until("oncall", run, "succeeded", "interrupted") for run in asked.values()]

    assert max(ledger.starts().values()) == 1
    told = {message["key"] for message in await server.messages("oncall")}
    for name, card in zip(asked, ends, strict=True):
        assert card["state"] == "interrupted" or ledger.starts()[name] == 1
        assert (f"{asked[name]}:interrupted" in told) == (card["state"] == "interrupted")
    await one_message_each(server)
    entries = await audit(server)
    assert all(tags(entries, run).count("run:started") == 1 for run in asked.values())


async def test_a_second_server_on_the_same_data_names_the_first(server: Process) -> None:
    second = Process(server.data, **{name: server.environment[name] for name in _CONTENT})
    code, out, err = await second.deputy("serve")
    assert (code, out) == (1, "")
    assert err.startswith(f"deputy: Another Deputy (process {server.pid}) is working on ")
    assert err.count("\n") == 1
    assert (await server.get("/api/people", "oncall"))[0] == 200


_CONTENT = ("DEPUTY_ACTIONS_DIR", "DEPUTY_POLICIES_DIR", "DEPUTY_LOCAL_CHAT")
