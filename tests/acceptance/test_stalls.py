"""Nothing that people do with Entra ID on holds up the event loop, and so everybody else, for 50 ms."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from functools import reduce
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.at_entra import Town
from tests.acceptance.conftest import Process, own_content
from tests.fakes.entra_server import entra_server

ACTIONS = {
    "accounts/rename.sh": "echo renamed\n",
    "accounts/rename.toml": 'summary = "Renames an account."\nrisk = "change"\n',
}
ROUNDS = 8
MOST = 0.05  # seconds
# Python's own start imports this, so asyncio reports every step of the loop that takes longer.
WATCH = f"""
import asyncio
asyncio.base_events.BaseEventLoop.slow_callback_duration = {MOST}
begin = asyncio.base_events.BaseEventLoop.__init__
def __init__(self):
    begin(self)
    self.slow_callback_duration = {MOST}
asyncio.base_events.BaseEventLoop.__init__ = __init__
"""
_SLOW = re.compile(r"Executing <(?:Task .*?coro=<|Handle |TimerHandle )(\S+).* took [\d.]+ seconds")


class Watched:
    """A process whose stalls are kept, by what took so long, since they were looked at last."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process, self._log, self._read = process, log, 0

    def stalls(self) -> set[str]:
        text = self._log.read_text(errors="replace")
        new, self._read = text[self._read :], len(text)
        return set(_SLOW.findall(new))


@pytest_asyncio.fixture
async def watched(tmp_path: Path) -> AsyncIterator[tuple[Town, Watched]]:
    async with entra_server(tmp_path) as entra:
        (tmp_path / "watch").mkdir()
        (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH)
        watching = {"PYTHONPATH": str(tmp_path / "watch"), "PYTHONASYNCIODEBUG": "1"}
        process = Process(tmp_path, **own_content(tmp_path, ACTIONS), **entra.settings(), **watching)
        process.environment["DEPUTY_PUBLIC_URL"] = process.address
        log = tmp_path / "log"
        with log.open("w") as kept:
            process.stderr = kept.fileno()
            await process.start("serve")
            yield Town(process, entra), Watched(process, log)
            await process.stop()


@pytest.mark.timeout(180)
async def test_nothing_holds_up_the_loop_each_time_people_link_ask_approve_and_look(
    watched: tuple[Town, Watched],
) -> None:
    """A machine that is busy holds up one thing or another; what does so in every round is Deputy's own fault."""
    town, watch = watched
    town.entra.latency = 0.1
    seen = []
    for _ in range(ROUNDS):
        await town.link("helpdesk", town.hanna)
        await town.link("manager", town.marco)
        run = await town.process.ask("helpdesk", "rename")
        for text in ("", "approvals", "mine", f"status {run}", "whoami", "help"):
            await town.say("manager", text)
        await town.say("manager", f"approve {run}")
        await town.process.until("helpdesk", run, "succeeded")
        seen.append(watch.stalls())

    assert reduce(set.intersection, seen) == set(), seen


async def test_what_holds_up_the_loop_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    code = "import asyncio, time\nasync def held_up(): time.sleep(0.06)\nasyncio.run(held_up())"
    held = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        env={"PYTHONPATH": str(tmp_path), "PYTHONASYNCIODEBUG": "1"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await held.communicate()
    assert _SLOW.findall(said.decode()) == ["held_up()"]
