"""The catalogue as it is shipped: every action loads, and runs as Deputy runs it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.catalog.folder import Folder
from bot.core.parameter import bind
from bot.core.secret import Secret
from bot.core.work import Exit, Work
from bot.demo.world import World
from bot.runners.local import LocalRunner
from tests.integration.actions.scripts import ACTIONS

FOLDER = Folder(ACTIONS, lambda name: name)
SHIPPED = (
    *("add-to-group", "list-groups", "reset-password", "show-account", "unlock-account", "certificate-expiry"),
    *(
        "check-url",
        "clean-old-files",
        "disk-usage",
        "list-services",
        "restart-service",
        "tail-log",
        "top-processes",
    ),
)


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[LocalRunner]:
    started = LocalRunner(tmp_path / "runs")
    await started.open()
    yield started
    await started.close()


async def run(runner: LocalRunner, world: World, name: str, given: dict[str, str]) -> tuple[Exit, str]:
    """Run an action as a worker does: arguments bound from text, credentials by name."""
    action = FOLDER.action(name)
    bound = bind(action.parameters, given)
    assert bound.ok
    credentials = {
        name: {key: Secret(value) for key, value in world.credentials[reference.removeprefix("vault:")].items()}
        for name, reference in action.credentials.items()
    }
    output: list[bytes] = []
    work = Work("R-TEST", action, action.script, bound.arguments, credentials, action.timeout)
    ended = await runner.run(work, output.append, asyncio.Event())
    return ended, b"".join(output).decode()


def test_every_action_loads() -> None:
    assert FOLDER.faults() == ()
    assert sorted(action.id for action in FOLDER.catalog()) == sorted(SHIPPED)


def test_every_action_says_what_it_is() -> None:
    for action in FOLDER.catalog():
        assert action.summary.endswith(".")
        assert action.minutes_saved > 0
        assert all(parameter.help for parameter in action.parameters)
        assert action.risk.value == "read" or action.verify


@pytest.mark.parametrize("account", ["alice", "d.o'brien", "j.mueller", "svc-backup$", "ann lee"])
def test_account_names_fit_their_pattern(account: str) -> None:
    assert bind(FOLDER.action("show-account").parameters, {"account": account}).ok


@pytest.mark.parametrize("account", ["*", "a)(b=*", "CORP\\alice", "alice@acme.test", "a,b", "x" * 21])
def test_X1_what_no_account_is_called_is_refused_before_it_is_asked_for(account: str) -> None:
    assert not bind(FOLDER.action("show-account").parameters, {"account": account}).ok


async def test_an_account_action_runs_with_its_library_and_credential(runner: LocalRunner, world: World) -> None:
    ended, _ = await run(runner, world, "show-account", {"account": "carol"})
    assert ended.code == 0, ended.sentence
    assert isinstance(ended.result, dict)
    assert ended.result["name"] == "Carol Novak"


async def test_a_failure_is_the_scripts_own_sentence(runner: LocalRunner, world: World) -> None:
    ended, _ = await run(runner, world, "unlock-account", {"account": "nobody"})
    assert ended.code == 1
    assert ended.sentence == "There is no account “nobody” in the directory. Check the spelling and ask again."


async def test_a_table_and_a_log_come_back(runner: LocalRunner, world: World) -> None:
    ended, _ = await run(runner, world, "list-services", {})
    assert isinstance(ended.result, list)
    assert len(ended.result) == 2
    ended, output = await run(runner, world, "tail-log", {"path": str(world.log), "lines": "2"})
    assert ended.code == 0
    assert output.splitlines() == world.log.read_text().splitlines()[-2:]


@pytest.mark.parametrize("place", ["..", ".", "runs", "runs/R-OTHER"])
async def test_the_data_folder_of_the_deputy_that_runs_it_is_not_cleaned(
    runner: LocalRunner, world: World, tmp_path: Path, place: str
) -> None:
    folder = (tmp_path / place).resolve()
    folder.mkdir(exist_ok=True)
    ended, _ = await run(runner, world, "clean-old-files", {"path": str(folder)})
    assert ended.code == 1
    assert ended.sentence.startswith(("Deputy itself works below", f"{folder} lies in Deputy's own data folder"))


async def test_every_action_of_this_machine_runs_with_its_defaults(runner: LocalRunner, world: World) -> None:
    given = {
        "disk-usage": {},
        "top-processes": {"by": "memory"},
        "check-url": {"url": world.web},
        "clean-old-files": {"path": str(world.cache), "dry_run": "yes"},
        "list-groups": {},
    }
    for name, arguments in given.items():
        ended, output = await run(runner, world, name, arguments)
        assert ended.code == 0, f"{name}: {ended.sentence} {output}"
        assert ended.result
