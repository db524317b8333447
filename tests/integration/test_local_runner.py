"""The local runner under attack: real processes, and nothing of them left afterwards."""

import asyncio
import os
import signal
import sys
import textwrap
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from unittest.mock import ANY
from uuid import uuid4

import pytest

from bot.core.action import Action, Risk, Script
from bot.core.errors import Unavailable
from bot.core.output import Pipeline
from bot.core.parameter import Value
from bot.core.redact import Redactor
from bot.core.secret import Secret
from bot.core.work import Exit, ExitReason, Work
from bot.runners import launch
from bot.runners.local import LocalRunner, interpreter_of
from bot.runners.nursery import Nursery
from bot.runners.supervisor import Report, Supervisor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the supervisor needs Linux")

PASSWORD = "correct-Horse/battery+9"
DIRECTORY = {"directory": {"username": Secret("svc-deputy"), "password": Secret(PASSWORD)}}


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[LocalRunner]:
    one = LocalRunner(tmp_path / "runs", grace=0.3)
    await one.open()
    yield one
    await one.close()


def _work(
    name: str,
    text: str,
    arguments: Mapping[str, Value | Secret] | None = None,
    credentials: Mapping[str, Mapping[str, Secret]] | None = None,
    libraries: Iterable[Script] = (),
    seconds: float = 30,
) -> Work:
    script = Script(name, textwrap.dedent(text).encode())
    action = Action(
        "try", "tests", "tests/try.toml", "Try", "Tries.", Risk.READ, script, libraries=tuple(libraries)
    )
    return Work("R-TEST", action, script, arguments or {}, credentials or {}, seconds)


async def _run(runner: LocalRunner, work: Work) -> tuple[Exit, str]:
    said = bytearray()
    ended = await runner.run(work, said.extend, asyncio.Event())
    return ended, said.decode()


def _shell(text: str, **given: object) -> Work:
    return _work("try.sh", text, **given)  # type: ignore[arg-type]


def _python(text: str, **given: object) -> Work:
    return _work("try.py", text, **given)  # type: ignore[arg-type]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # ended since, or not ours
        return b""


def _living(mark: str) -> list[int]:
    """Return the processes that have `mark` in their arguments, but for zombies (which have none)."""
    found = (path for path in Path("/proc").iterdir() if path.name.isdigit())
    return [int(path.name) for path in found if mark.encode() in _read(path / "cmdline")]


async def _until_gone(mark: str) -> None:
    while _living(mark):
        await asyncio.sleep(0.02)


@pytest.fixture
def mark() -> str:
    """Return a text to know this test's processes by."""
    return f"mark-{uuid4().hex}"


# ---- what a script gets ---------------------------------------------------------------------------


async def test_X6_the_environment_is_clean_and_the_directory_its_own(
    runner: LocalRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPUTY_VAULT_KEY", "of the worker")
    monkeypatch.setenv("LD_PRELOAD", "/nowhere.so")
    _, said = await _run(runner, _shell("pwd; ls -A; stat -c %a .; umask; env | sort"))
    home, listing, mode, umask, *environment = said.splitlines()
    assert (listing, mode, umask) == ("try.sh", "700", "0077")
    names = {line.partition("=")[0] for line in environment} - {"PWD", "SHLVL", "_"}
    assert names == {"PATH", "LANG", "HOME", "TMPDIR", "DEPUTY_RUN"}
    assert {f"HOME={home}", f"TMPDIR={home}", "DEPUTY_RUN=R-TEST"} <= set(environment)


@pytest.mark.parametrize("language", ["sh", "py"])
async def test_a_script_inherits_no_descriptor_but_its_own(runner: LocalRunner, language: str) -> None:
    script = {
        "sh": "ls -l /proc/self/fd | grep -c -v -e pipe: -e /proc/ -e total",
        "py": """
            import subprocess
            def main():
                subprocess.run("ls -l /proc/self/fd | grep -c -v -e pipe: -e /proc/ -e /dev/null -e total",
                               shell=True, close_fds=False)
            """,
    }[language]
    _, said = await _run(runner, _work(f"try.{language}", script))
    assert said == "0\n"


@pytest.mark.parametrize("kind", ["S", "H"])
async def test_limits_are_set_and_a_script_can_not_raise_them(runner: LocalRunner, kind: str) -> None:
    script = "".join(f"ulimit -{kind}{letter}; " for letter in "tvfnc")
    _, said = await _run(runner, _shell(script, seconds=60))
    assert said.split() == ["65", str(2 << 20), str(64 << 10), "256", "0"]


async def test_nothing_is_gained_by_setuid_programs(runner: LocalRunner) -> None:
    _, said = await _run(runner, _shell("grep NoNewPrivs /proc/self/status"))
    assert said.split() == ["NoNewPrivs:", "1"]


async def test_a_closed_pipe_ends_a_writer_as_it_should(runner: LocalRunner) -> None:
    _, said = await _run(runner, _shell("set +o pipefail; yes | head -1; echo ${PIPESTATUS[0]}"))
    assert said == "y\n141\n"


async def test_arguments_of_a_shell_script_are_one_word_each(runner: LocalRunner) -> None:
    arguments = {"path": "a b", "days": 3, "dry_run": True, "names": ("x y", "-z")}
    _, said = await _run(runner, _shell('printf "%s\\n" "$@"', arguments=arguments))
    assert said.splitlines() == ["--path=a b", "--days=3", "--dry_run=true", "--names=x y", "--names=-z"]


# ---- Python ---------------------------------------------------------------------------------------


async def test_python_gets_its_arguments_as_annotated_and_gives_a_result(runner: LocalRunner) -> None:
    work = _python(
        """
        from __future__ import annotations
        from datetime import date, datetime
        from decimal import Decimal
        from typing import Literal, Optional
        from directory import greet

        def main(a: str, n: int, x: float | None, d: Decimal | float, on: bool, day: Optional[date],
                 at: datetime, kind: Literal["x", 2], names: list[str], many: tuple[str, ...], none: str = "-",
                 *, directory: dict[str, str]):
            kinds = [type(one).__name__ for one in (a, n, x, d, on, day, at, kind, names, many)]
            return {"kinds": kinds, "day": day, "d": d, "x": x, "names": names, "who": directory["username"],
                    "greeting": greet(a), "none": none, 7: {"nested": (None, True)}}
        """,
        arguments={
            "a": "ann",
            "n": 3,
            "x": "2.5",
            "d": "1.50",
            "on": False,
            "day": "2026-11-23",
            "at": "2026-11-23T14:30:00+00:00",
            "kind": "2",
            "names": ("p", "q"),
            "many": ("r",),
        },
        credentials=DIRECTORY,
        libraries=[Script("directory.py", b"def greet(name): return f'Hello {name}'\n")],
    )
    ended, said = await _run(runner, work)
    assert (ended.code, ended.sentence, said) == (0, "", "")
    assert ended.result == {
        "kinds": ["str", "int", "float", "Decimal", "bool", "date", "datetime", "int", "list", "tuple"],
        "day": "2026-11-23",
        "d": "1.50",
        "x": 2.5,
        "names": ["p", "q"],
        "who": "svc-deputy",
        "greeting": "Hello ann",
        "none": "-",
        "7": {"nested": [None, True]},
    }


async def test_X1_X3_python_takes_any_text_as_data(runner: LocalRunner) -> None:
    text = "; $(id) `id` 'x' \"y\" \\ \n\t\u202e\0 é 😀 {{7*7}}"
    ended, _ = await _run(runner, _python("def main(text: str): return text", arguments={"text": text}))
    assert ended.result == text


async def test_an_exception_is_told_without_the_bootstraps_frames(runner: LocalRunner) -> None:
    ended, said = await _run(runner, _python("def main():\n    raise ValueError('too\\nbad')\n"))
    assert (ended.reason, ended.code, ended.result) == (ExitReason.EXITED, 1, None)
    assert ended.sentence == "ValueError: too bad"
    lines = said.splitlines()
    assert lines[:2] == ["Traceback (most recent call last):", '  File "try.py", line 2, in main']
    assert "python_main" not in said
    assert "supervise" not in said


@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        (
            "def main(): raise SystemExit('No such account. Check its name.')",
            1,
            "No such account. Check its name.",
        ),
        ("def main(): raise SystemExit(4)", 4, ""),
        ("def main(): raise SystemExit(256)", 1, ""),
        ("def main(): raise SystemExit", 0, ""),
        ("x = 1", 1, "try.py has no function main(…), so there is nothing to run."),
        ("def main(:", 1, "SyntaxError: invalid syntax (try.py, line 1)"),
        ("import nothing_here\ndef main(): ...", 1, "ModuleNotFoundError: No module named 'nothing_here'"),
        ("if __name__ == '__main__': raise SystemExit('started twice')\ndef main(): ...", 0, ""),
        ("def main(): return {'a': [object()]}", 1, "main(…) returned a object at ['a'][0]. "),
        ("def main(): return 'x' * 2_000_000", 1, "main(…) returned 2,000,014 bytes; 1,000,000 is the most. "),
        ("import os\ndef main(): os.kill(os.getpid(), 11)", 139, "The script ended as after the signal SIGSEGV."),
        ("import os\ndef main(): os.closerange(0, 99)", 0, ""),
    ],
)
async def test_every_end_of_a_python_script_has_its_sentence(
    runner: LocalRunner, text: str, code: int, sentence: str
) -> None:
    ended, _ = await _run(runner, _python(text))
    assert (ended.reason, ended.code) == (ExitReason.EXITED, code)
    assert ended.sentence.startswith(sentence)
    assert bool(ended.sentence) == bool(sentence)


async def test_standard_input_is_empty_for_scripts(runner: LocalRunner) -> None:
    ended, _ = await _run(runner, _python("import sys\ndef main(): return sys.stdin.read()"))
    assert ended.result == ""
    _, said = await _run(runner, _shell("wc -c"))
    assert said.strip() == "0"


async def test_what_threads_and_exit_handlers_print_is_not_lost(runner: LocalRunner) -> None:
    work = _python(
        """
        import atexit, threading, time
        def late():
            time.sleep(0.1)
            print("thread")
        def main():
            atexit.register(print, "exit")
            threading.Thread(target=late).start()
        """
    )
    assert (await _run(runner, work))[1] == "thread\nexit\n"


@pytest.mark.parametrize("garbage", ["not json", '{"result": "\\ud800"}', "[1]", "[" * 100_000])
async def test_a_forged_result_is_refused_in_words(runner: LocalRunner, garbage: str) -> None:
    # The descriptor of the result is the script's to write to, so it may write anything.
    work = _python(
        """
        import os, stat
        def main(text):
            for number in range(3, 99):
                try:
                    if stat.S_ISFIFO(os.fstat(number).st_mode):
                        os.write(number, text.encode())
                        os.close(number)
                except OSError:
                    pass
        """,
        arguments={"text": garbage},
    )
    ended, _ = await _run(runner, work)
    assert (ended.code, ended.result) == (0, None)
    assert ended.sentence == "What the script gave as its result can't be read."


# ---- what can't be started ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (_work("try.rb", "puts 1"), "Scripts of the local runner end in .py or .sh."),
        (_work("../try.sh", "echo"), "can't be the name of a file"),
        (_shell("echo", libraries=[Script("try.sh", b"echo other")]), "File exists"),
        (_shell("echo", credentials={"../x": {"y": Secret("z")}}), "can't be the name of a file"),
        (_shell("echo", arguments={"x": "a\0b"}), "embedded null byte"),
        (_shell("echo", arguments={"x": "x" * 3_000_000}), "Argument list too long"),
    ],
)
async def test_what_can_not_be_started_says_why(runner: LocalRunner, tmp_path: Path, work: Work, why: str) -> None:
    ended, said = await _run(runner, work)
    assert (ended.reason, ended.code, said) == (ExitReason.NOT_STARTED, None, "")
    assert ended.sentence.startswith(f"{work.script.name} was not started. ")
    assert why in ended.sentence
    assert list((tmp_path / "runs").iterdir()) == []


async def test_X16_no_start_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    runner = LocalRunner(tmp_path / "file")
    with pytest.raises(Unavailable, match="Scripts can't be run here"):
        await runner.open()
    ended, _ = await _run(runner, _shell("echo"))
    assert (ended.reason, ended.sentence) == (ExitReason.NOT_STARTED, "try.sh was not started. Not a directory.")


async def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    runner = LocalRunner(tmp_path, python=tmp_path / "python9")
    with pytest.raises(Unavailable, match=r"python9 doesn't start \(No such file or directory\)"):
        await runner.open()


async def test_a_python_that_can_not_supervise_is_told_of(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho out of order\n")
    broken.chmod(0o700)
    with pytest.raises(Unavailable, match="out of order"):
        await LocalRunner(tmp_path / "runs", python=broken).open()


@pytest.mark.parametrize("who", ["the spare supervisor", "where supervisors come from"])
async def test_who_died_while_nothing_ran_is_replaced(runner: LocalRunner, who: str) -> None:
    (nursery,) = _children(os.getpid())
    (spare,) = _children(nursery)
    os.kill(spare if who == "the spare supervisor" else nursery, signal.SIGKILL)
    while (spare if who == "the spare supervisor" else nursery) in _living("supervise.py"):
        await asyncio.sleep(0.02)
    for said in ("here\n", "again\n"):
        assert await _run(runner, _shell(f"echo {said}")) == (ANY, said)


def _children(parent: int) -> list[int]:
    """Return the processes of the supervisor's program that a process has begun."""
    mark = f"PPid:\t{parent}\n".encode()
    return [pid for pid in _living("supervise.py") if mark in _read(Path(f"/proc/{pid}/status"))]


async def test_an_order_longer_than_a_pipe_holds_arrives_whole(runner: LocalRunner) -> None:
    long = "x" * 300_000
    ended, said = await _run(runner, _python("def main(a):\n    print(len(a))\n", arguments={"a": long}))
    assert (ended.code, said) == (0, "300000\n")


async def test_nothing_stays_open_where_many_scripts_ran(runner: LocalRunner) -> None:
    await _run(runner, _shell("echo one"))
    await asyncio.sleep(0.2)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        await _run(runner, _shell("cat"))
    await asyncio.sleep(0.2)
    assert len(os.listdir("/proc/self/fd")) <= before + 1


# ---- getting ready ahead of time ------------------------------------------------------------------


async def test_what_is_expected_does_not_begin_before_it_is_run(runner: LocalRunner, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    work = _shell(f"echo yes > {begun}; cat $CREDENTIALS_DIRECTORY/directory/username", credentials=DIRECTORY)
    runner.expect(replace(work, credentials={"directory": {}}))
    await asyncio.sleep(0.2)
    assert not begun.exists()
    ended, said = await _run(runner, work)
    assert (ended.code, said, begun.read_text()) == (0, "svc-deputy", "yes\n")


async def test_X7_what_is_expected_and_never_run_leaves_nothing_behind(
    runner: LocalRunner, tmp_path: Path, mark: str
) -> None:
    begun = tmp_path / "begun"
    runner.expect(_shell(f"echo yes > {begun}", arguments={"mark": mark}, credentials=DIRECTORY))
    await asyncio.sleep(0.1)
    runner.forget("R-TEST")
    await runner.close()
    assert not begun.exists()
    assert not list((tmp_path / "runs").iterdir())
    assert not list(launch.SHARED_MEMORY.glob("R-TEST-*"))


async def test_P8_another_script_than_was_expected_runs_as_it_is(runner: LocalRunner) -> None:
    runner.expect(_shell("echo what was expected"))
    assert (await _run(runner, _shell("echo what is run")))[1] == "what is run\n"
    runner.forget("R-TEST")


async def test_a_python_script_that_was_expected_gets_its_arguments_when_it_begins(runner: LocalRunner) -> None:
    work = _python("def main(word):\n    print(word)\n", arguments={"word": "hello"})
    runner.expect(work)
    await asyncio.sleep(0.1)
    assert (await _run(runner, work))[1] == "hello\n"


async def test_who_is_stopped_before_the_word_never_begins(runner: LocalRunner, tmp_path: Path) -> None:
    begun, stop = tmp_path / "begun", asyncio.Event()
    work = _shell(f"echo yes > {begun}")
    runner.expect(work)
    await asyncio.sleep(0.1)
    stop.set()
    assert (await runner.run(work, lambda data: None, stop)).reason is ExitReason.STOPPED
    runner.forget("R-TEST")
    await runner.close()
    assert not begun.exists()


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    nursery = Nursery(Path(sys.executable))
    one = await nursery.supervisor()
    yield one
    await one.close()
    await nursery.close()


async def test_X12_nothing_begins_whose_supervisor_was_killed(tmp_path: Path, supervisor: Supervisor) -> None:
    begun, script = tmp_path / "begun", tmp_path / "script.sh"
    script.write_text(f"echo yes > {begun}")
    pid = await supervisor.ready()
    spec = {
        "argv": ["/bin/bash", str(script)],
        "env": {},
        "cwd": "/",
        "limits": {"PROCESSES": 512},
        "grace": 0.1,
        "remove": [],
    }
    course = await supervisor.prepare(spec, 1000)
    await asyncio.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    while b") Z " not in _read(Path(f"/proc/{pid}/stat")) and Path(f"/proc/{pid}").exists():
        await asyncio.sleep(0.02)  # only a zombie's children have another parent for certain
    course.begin(b"", lambda data: None)
    assert (await course.ended).report == Report()
    course.close()
    assert not begun.exists()


async def test_a_script_begins_at_the_word_and_not_before(tmp_path: Path, supervisor: Supervisor) -> None:
    script = tmp_path / "script.sh"
    script.write_text("echo not this")
    await supervisor.ready()
    spec = {"argv": ["/bin/bash", str(script)], "env": {}, "cwd": "/", "limits": {"PROCESSES": 512}, "grace": 0.1}
    said = bytearray()
    course = await supervisor.prepare({**spec, "remove": []}, 1000)
    await asyncio.sleep(0.2)
    script.write_text("echo this")
    course.begin(b"", said.extend)
    assert (await course.ended).report == Report(code=0)
    course.close()
    assert said == b"this\n"


async def test_a_python_script_whose_order_is_cut_off_ends_there(supervisor: Supervisor) -> None:
    await supervisor.ready()
    spec = {"argv": [], "env": {}, "cwd": "/", "limits": {"PROCESSES": 512}, "grace": 0.1, "remove": []}
    said = bytearray()
    course = await supervisor.prepare(spec, 10_000)
    course.begin(b'{"script": ', said.extend)
    assert (await course.ended).report == Report(code=1)
    course.close()
    assert b"JSONDecodeError" in said
    assert b"Bad file descriptor" not in said  # or the fork had gone on as a supervisor


async def test_a_shell_script_sees_nothing_of_how_its_shell_waited(runner: LocalRunner) -> None:
    script = """
        echo "${0##*/} ${BASH_SOURCE[0]##*/} $# $* [${REPLY-unset}] $LINENO"
        ls /proc/$$/fd | tr '\\n' ' '; echo
        no-such-command
        set -e
        false
        echo not reached
    """
    work = _shell(script, arguments={"a": "x y", "b": 2})
    ended, said = await _run(runner, work)
    words, descriptors, fault = said.splitlines()
    assert words == "try.sh try.sh 2 --a=x y --b=2 [unset] 2"
    assert {"0", "1", "2"} <= set(descriptors.split()) <= {"0", "1", "2", "3"}  # bash's own for the script
    assert fault.endswith("try.sh: line 4: no-such-command: command not found")
    assert ended.code == 1


@pytest.mark.parametrize("language", ["sh", "py"])
async def test_X12_what_waits_to_be_a_script_ends_with_its_worker(supervisor: Supervisor, language: str) -> None:
    pid = await supervisor.ready()
    argv = ["/bin/bash", "/nowhere"] if language == "sh" else []
    spec = {"argv": argv, "env": {}, "cwd": "/", "limits": {"PROCESSES": 512}, "grace": 0.1, "remove": []}
    course = await supervisor.prepare(spec, 1000)
    forks = Path(f"/proc/{pid}/task/{pid}/children")
    while not (fork := forks.read_text().strip()):
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    course.close()
    for _ in range(500):
        if not _read(Path(f"/proc/{fork}/cmdline")):
            break
        await asyncio.sleep(0.02)
    assert not _read(Path(f"/proc/{fork}/cmdline"))


async def test_a_supervisor_takes_one_script_after_the_other(runner: LocalRunner, mark: str) -> None:
    used = set()
    for _ in range(8):
        work = _shell(f"echo $PPID; sh -c 'sleep 3600; : {mark}' & exit 3")
        ended, said = await _run(runner, work)
        used.add(int(said))
        assert ended.code == 3
        assert _living(mark) == []
    assert len(used) <= 2  # one more was made ready beside


async def test_a_supervisor_whose_script_was_stopped_takes_no_other(runner: LocalRunner) -> None:
    (nursery,) = _children(os.getpid())
    (before,) = _children(nursery)
    ended, _ = await _run(runner, _shell("sleep 3600", seconds=0.2))
    assert ended.reason is ExitReason.TIMED_OUT
    _, said = await _run(runner, _shell("echo $PPID"))
    assert int(said) != before


async def test_a_runner_that_was_not_opened_runs_too(tmp_path: Path) -> None:
    assert (await _run(LocalRunner(tmp_path), _shell("echo here")))[1] == "here\n"


# ---- nothing stays behind -------------------------------------------------------------------------


def _when_living(mark: str, least: int, then: Callable[[], None]) -> Callable[[bytes], None]:
    """Return a reader of output that does `then` once at least `least` processes with `mark` live."""
    return lambda _: then() if len(_living(mark)) >= least else None


@pytest.mark.parametrize(
    "leave",
    [
        "{stay} &",
        "setsid {stay} &",
        "(setsid sh -c '{stay} &' &)",
        "setsid env -i {stay} >/dev/null 2>&1 </dev/null &",
        "trap '' TERM HUP; cd /; (nohup setsid {stay} &)",
    ],
)
async def test_X12_nothing_that_a_script_started_survives_it(
    runner: LocalRunner, mark: str, tmp_path: Path, leave: str
) -> None:
    go = tmp_path / "go"
    start = leave.replace("{stay}", f'sh -c "sleep 3600; : {mark}"')
    work = _shell(f"{start}\nuntil [ -e {go} ]; do echo ready; sleep 0.05; done")
    ended = await runner.run(work, _when_living(mark, 1, go.touch), asyncio.Event())
    assert (ended.reason, ended.code) == (ExitReason.EXITED, 0)
    assert _living(mark) == []


async def test_X12_a_fork_bomb_is_gone_with_its_run(runner: LocalRunner, mark: str) -> None:
    bomb = f"""
        trap '' TERM
        boom() {{
            [ $1 -gt 0 ] && {{ boom $(($1 - 1)) & boom $(($1 - 1)) & }}
            sh -c 'while :; do echo ready; sleep 0.2; done; : {mark}'
        }}
        boom 5
        """
    stop = asyncio.Event()
    ended = await runner.run(_shell(bomb), _when_living(mark, 40, stop.set), stop)
    assert ended.reason is ExitReason.STOPPED
    assert _living(mark) == []


RUNAWAY = """
import os, sys, time
HOP = '''
import os, sys
os.setsid()
for _ in range(100_000):
    if os.fork():
        os._exit(0)
    with open(sys.argv[1], "a") as file:
        file.write(".")
'''
def main(path):
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-I", "-c", HOP, path])
    time.sleep(0.5)
"""


async def test_X12_a_process_that_never_stays_is_caught(runner: LocalRunner, mark: str, tmp_path: Path) -> None:
    hops = tmp_path / mark
    ended, _ = await _run(runner, _python(RUNAWAY, arguments={"path": str(hops)}))
    assert ended.code == 0
    assert 10 < hops.stat().st_size < 100_000
    assert _living(mark) == []


@pytest.mark.parametrize("language", ["sh", "py"])
async def test_X11_a_script_that_ignores_term_is_killed_and_its_late_success_does_not_count(
    runner: LocalRunner, language: str
) -> None:
    script = {
        "sh": "trap 'echo heard' TERM; echo ready; while :; do sleep 0.05; done",
        "py": """
            import signal, time
            def main():
                signal.signal(signal.SIGTERM, lambda *_: print("heard"))
                print("ready")
                while True: time.sleep(0.05)
            """,
    }[language]
    ended, said = await _run(runner, _work(f"try.{language}", script, seconds=0.5))
    assert (ended.reason, ended.code) == (ExitReason.TIMED_OUT, 137)
    assert said.startswith("ready\n")
    assert said.endswith("heard\n")
    ended, _ = await _run(runner, _shell("trap 'exit 0' TERM; while :; do sleep 0.05; done", seconds=0.5))
    assert (ended.reason, ended.code, ended.result) == (ExitReason.TIMED_OUT, 0, None)


async def test_X11_a_script_that_halts_its_supervisor_is_stopped_all_the_same(
    runner: LocalRunner, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.runners.local.AGAIN", 0.1)
    script = f"trap '' TERM; kill -STOP $PPID; for _ in {{1..50}}; do sleep 0.05; kill -STOP $PPID; done; : {mark}"
    ended, _ = await _run(runner, _shell(script, seconds=0.5))
    assert ended.reason is ExitReason.TIMED_OUT
    assert _living(mark) == []
    assert (await _run(runner, _shell("echo here")))[1] == "here\n"


async def test_what_breaks_the_reader_is_not_taken_for_a_script_that_never_began(runner: LocalRunner) -> None:
    def output(_: bytes) -> None:
        raise Unavailable("The chat can't be reached.")

    with pytest.raises(Unavailable):
        await runner.run(_shell("echo x"), output, asyncio.Event())


async def test_a_cancelled_run_leaves_no_process_and_no_file(
    runner: LocalRunner, tmp_path: Path, mark: str
) -> None:
    ready = asyncio.Event()
    script = f"trap '' TERM; setsid sh -c 'echo ready; sleep 3600; : {mark}' & sleep 3600"
    work = _shell(script, credentials=DIRECTORY)
    running = asyncio.create_task(runner.run(work, lambda _: ready.set(), asyncio.Event()))
    await ready.wait()
    assert _living(mark) != []
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert _living(mark) == []
    assert list((tmp_path / "runs").iterdir()) == []


async def test_an_error_in_the_reader_of_the_output_ends_the_script(runner: LocalRunner, mark: str) -> None:
    def output(_: bytes) -> None:
        raise ZeroDivisionError

    work = _shell(f"echo x; sh -c 'sleep 3600; : {mark}'", seconds=0.5)
    with pytest.raises(ZeroDivisionError):
        await runner.run(work, output, asyncio.Event())
    assert _living(mark) == []


async def test_the_runs_directory_goes_whatever_the_script_did_to_it(runner: LocalRunner, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir(mode=0o755)
    (tmp_path / "outside" / "keep").touch()
    script = f"""
        mkdir -p a/b/c; touch a/b/c/d; ln -s {tmp_path}/outside a/link; mkfifo a/pipe
        chmod 000 a/b/c a/b a .
        """
    await _run(runner, _shell(script))
    assert list((tmp_path / "runs").iterdir()) == []
    assert (tmp_path / "outside" / "keep").exists()
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o755


async def test_a_killed_supervisor_is_told_of(
    runner: LocalRunner, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.runners.supervisor.LAST_WORDS", 0.1)
    ended, _ = await _run(runner, _shell(f"kill -9 $PPID; sh -c 'sleep 3600; : {mark}'"))
    assert (ended.code, ended.result) == (None, None)
    assert ended.sentence == "The supervisor of try.sh was killed; something of the script may still run."
    os.killpg(os.getpgid(_living(mark)[0]), signal.SIGKILL)
    await _until_gone(mark)
    await asyncio.sleep(0)  # for the end of its pipe to be noticed


WORKER = """
import asyncio, sys
from pathlib import Path
from bot.core.action import Action, Risk, Script
from bot.core.secret import Secret
from bot.core.work import Work
from bot.runners import launch
from bot.runners.local import LocalRunner, harden_process

async def main(runs, memory, mark):
    launch.SHARED_MEMORY = Path(memory)
    text = f"trap '' TERM; setsid sh -c 'echo ready; sleep 3600; : {mark}' & sleep 3600"
    script = Script("try.sh", text.encode())
    action = Action("try", "tests", "tests/try.toml", "Try", "Tries.", Risk.READ, script)
    work = Work("R-TEST", action, script, {"mark": mark}, {"directory": {"password": Secret("swordfish")}}, 60)
    harden_process()
    runner = LocalRunner(Path(runs), grace=0.2)
    await runner.open()
    await runner.run(work, lambda data: print(data.decode(), flush=True), asyncio.Event())

asyncio.run(main(*sys.argv[1:]))
"""


async def test_X13_kill_9_of_the_worker_leaves_no_process_and_no_secret(tmp_path: Path, mark: str) -> None:
    runs, memory = tmp_path / "runs", tmp_path / "memory"
    memory.mkdir()
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WORKER, str(runs), str(memory), mark), stdout=asyncio.subprocess.PIPE
    )
    assert worker.stdout
    assert await worker.stdout.readline() == b"ready\n"
    assert list(memory.glob("R-TEST-*/directory/password")) != []
    worker.kill()
    await worker.wait()
    await asyncio.wait_for(_until_gone(mark), 30)
    await asyncio.wait_for(_until_gone(str(runs)), 30)
    while [*runs.iterdir(), *memory.iterdir()]:
        await asyncio.sleep(0.02)


# ---- secrets --------------------------------------------------------------------------------------

SECRETIVE = {
    "sh": 'cat "$CREDENTIALS_DIRECTORY/directory/password" > /dev/null; echo ready; sleep 3600',
    "py": """
        import subprocess
        def main(token, directory):
            print("ready")
            subprocess.run(["sleep", "3600"])
        """,
}


@pytest.mark.parametrize("language", ["sh", "py"])
async def test_V3_no_secret_is_in_arguments_or_environment_of_any_process(
    runner: LocalRunner, language: str
) -> None:
    ready, stop = asyncio.Event(), asyncio.Event()
    work = _work(
        f"try.{language}",
        SECRETIVE[language],
        arguments={"token": Secret("tok-" + PASSWORD)},
        credentials=DIRECTORY,
    )
    running = asyncio.create_task(runner.run(work, lambda _: ready.set(), stop))
    await ready.wait()
    processes = [path for path in Path("/proc").iterdir() if path.name.isdigit()]
    exposed = b"".join(_read(path / "cmdline") + _read(path / "environ") for path in processes)
    stop.set()
    assert (await running).reason is ExitReason.STOPPED
    assert b"DEPUTY_RUN=R-TEST" in exposed or language == "py"
    assert PASSWORD.encode() not in exposed


async def test_V3_a_shell_script_finds_its_secrets_as_systemd_has_them(
    runner: LocalRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(launch, "SHARED_MEMORY", memory)
    script = 'cd "$CREDENTIALS_DIRECTORY"; stat -c "%a %n" . */ */* token; cat */password token; echo; echo "$@"'
    work = _shell(script, arguments={"token": Secret("hunter22"), "days": 3}, credentials=DIRECTORY)
    _, said = await _run(runner, work)
    assert said.splitlines() == [
        "700 .",
        "700 directory/",
        "400 directory/password",
        "400 directory/username",
        "400 token",
        f"{PASSWORD}hunter22",
        "--days=3",
    ]
    assert list(memory.iterdir()) == []


async def test_V1_V2_V3_a_script_that_tells_its_secrets_tells_nothing(runner: LocalRunner) -> None:
    work = _python(
        """
        import base64, json, sys, urllib.parse
        def main(token, directory):
            secret = directory["password"]
            for start in range(3):
                print(base64.b64encode(b"x" * start + secret.encode() + b"yz").decode())
            print(urllib.parse.quote(secret, safe=""), json.dumps(secret), secret.encode().hex())
            sys.stdout.buffer.write(secret.encode("utf-16-le"))
            sys.stdout.buffer.flush()
            for number, char in enumerate(secret):
                print(char, end="", flush=True, file=(sys.stdout, sys.stderr)[number % 2])
            raise RuntimeError(f"bind failed with {secret} and {token!r}")
        """,
        arguments={"token": Secret("it's-a-\\-secret")},
        credentials=DIRECTORY,
    )
    redactor = Redactor({"password": DIRECTORY["directory"]["password"], "token": Secret("it's-a-\\-secret")})
    pipeline = Pipeline(redactor)
    said = bytearray()
    ended = await runner.run(work, said.extend, asyncio.Event())
    pipeline.feed(bytes(said))
    pipeline.close()
    assert (
        redactor.text(ended.sentence)
        == 'RuntimeError: bind failed with [redacted:password] and "[redacted:token]"'
    )
    assert pipeline.text.count("[redacted:password]") == 9
    told = pipeline.text + redactor.text(ended.sentence)
    for trace in (
        PASSWORD,
        "Horse",
        PASSWORD.encode().hex(),
        b64encode(PASSWORD.encode()).decode()[:10],
        "a-\\-secret",
    ):
        assert trace not in told


# ---- naming what runs -----------------------------------------------------------------------------


def test_P8_an_interpreter_is_named_by_its_content(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_bytes(b"one")
    before = interpreter_of("try.py", python)
    assert before.startswith(f"{python} sha256:")
    python.write_bytes(b"two!")
    assert interpreter_of("try.py", python) != before


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"try\.py can't be run: .*python9 can't be read"):
        interpreter_of("try.py", tmp_path / "python9")
    with pytest.raises(Unavailable, match=r"Nothing here runs try\.rb"):
        interpreter_of("try.rb")
    assert interpreter_of("try.sh").startswith("/")
