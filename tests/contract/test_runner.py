"""What every runner promises: a new one is one more factory in RUNNERS."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.core.action import Action, Risk, Script
from bot.core.parameter import Value
from bot.core.work import Exit, ExitReason, Work
from bot.ports import Runner
from bot.runners.local import LocalRunner


@dataclass(frozen=True)
class Subject:
    """A runner under test, and the scripts of its language by what they do."""

    runner: Runner
    name: str
    scripts: Mapping[str, str]

    async def run(self, does: str, said: bytearray, stop: asyncio.Event | None = None, **given: Any) -> Exit:
        return await self.runner.run(self.work(does, **given), said.extend, stop or asyncio.Event())

    def work(
        self,
        does: str,
        arguments: Mapping[str, Value] | None = None,
        seconds: float = 30,
        cap: int = 1_000_000,
    ) -> Work:
        script = Script(self.name, self.scripts[does].encode())
        action = Action("try-it", "tests", "tests/try-it.toml", "Try it", "Tries it.", Risk.READ, script)
        return Work("R-CONTRACT", action, script, arguments or {}, {}, seconds, cap)


SHELL = {
    "speaks": "echo one; echo two >&2; echo three",
    "says its argument": 'printf %s "$1"',
    "fails": "echo so far; exit 3",
    "waits": "echo ready; sleep 3600",
    "floods": "while :; do echo 0123456789012345678901234567890123456789; done",
}
PYTHON = {
    "speaks": "import sys\ndef main():\n    print('one')\n    print('two', file=sys.stderr)\n    print('three')",
    "says its argument": "def main(text):\n    print(f'--text={text}', end='')",
    "fails": "def main():\n    print('so far')\n    raise SystemExit(3)",
    "waits": "import time\ndef main():\n    print('ready')\n    time.sleep(3600)",
    "floods": "def main():\n    while True:\n        print('0123456789' * 4)",
}


@asynccontextmanager
async def local_shell(folder: Path) -> AsyncIterator[Subject]:
    runner = LocalRunner(folder, grace=0.2)
    await runner.open()
    yield Subject(runner, "try-it.sh", SHELL)
    await runner.close()


@asynccontextmanager
async def local_python(folder: Path) -> AsyncIterator[Subject]:
    runner = LocalRunner(folder, grace=0.2)
    await runner.open()
    yield Subject(runner, "try-it.py", PYTHON)
    await runner.close()


RUNNERS = {"local shell": local_shell, "local python": local_python}


@pytest.fixture(params=list(RUNNERS.values()), ids=list(RUNNERS))
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    async with request.param(tmp_path) as one:
        yield one


async def test_both_streams_come_as_one_in_order(subject: Subject) -> None:
    said = bytearray()
    ended = await subject.run("speaks", said)
    assert (ended.reason, ended.code, ended.sentence) == (ExitReason.EXITED, 0, "")
    assert said == b"one\ntwo\nthree\n"
    assert ended.seconds > 0


@pytest.mark.parametrize(
    "text",
    [
        "; touch x",
        "$(touch x)",
        "`touch x`",
        "a && b || c | d > e",
        "-rf",
        "--",
        "",
        "a 'b' \"c\" \\ $HOME * ~",
        "{{ 7*7 }}",
    ],
)
async def test_X1_X2_X7_an_argument_is_data_to_the_letter(subject: Subject, text: str) -> None:
    said = bytearray()
    ended = await subject.run("says its argument", said, arguments={"text": text})
    assert ended.code == 0
    assert said.decode() == f"--text={text}"


async def test_a_failure_has_its_exit_code_and_no_result(subject: Subject) -> None:
    said = bytearray()
    ended = await subject.run("fails", said)
    assert (ended.reason, ended.code, ended.result) == (ExitReason.EXITED, 3, None)
    assert said == b"so far\n"


async def test_a_script_that_takes_too_long_is_ended(subject: Subject) -> None:
    said = bytearray()
    ended = await subject.run("waits", said, seconds=0.3)
    assert (ended.reason, ended.result) == (ExitReason.TIMED_OUT, None)


async def test_a_stop_ends_a_running_script(subject: Subject) -> None:
    stop, said = asyncio.Event(), bytearray()

    def output(data: bytes) -> None:
        said.extend(data)
        stop.set()

    ended = await subject.runner.run(subject.work("waits"), output, stop)
    assert ended.reason is ExitReason.STOPPED
    assert said == b"ready\n"


async def test_a_stop_before_the_start_starts_nothing(subject: Subject) -> None:
    stop, said = asyncio.Event(), bytearray()
    stop.set()
    ended = await subject.run("speaks", said, stop)
    assert ended.reason is ExitReason.STOPPED
    assert said == b""


async def test_X8_a_flood_is_ended_just_past_the_cap(subject: Subject) -> None:
    said = bytearray()
    ended = await subject.run("floods", said, cap=100_000)
    assert ended.reason is ExitReason.OUTPUT_LIMIT
    assert 100_000 < len(said) <= 100_000 + 65_536


async def test_a_cancelled_run_is_ended_before_the_cancellation_goes_on(subject: Subject) -> None:
    ready, said = asyncio.Event(), bytearray()

    def output(data: bytes) -> None:
        said.extend(data)
        ready.set()

    running = asyncio.create_task(subject.runner.run(subject.work("waits"), output, asyncio.Event()))
    await ready.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_many_runs_at_once_keep_their_output_apart(subject: Subject) -> None:
    said = [bytearray() for _ in range(6)]
    runs = (
        subject.run("says its argument", one, arguments={"text": str(number)}) for number, one in enumerate(said)
    )
    assert [ended.code for ended in await asyncio.gather(*runs)] == [0] * 6
    assert said == [f"--text={number}".encode() for number in range(6)]
