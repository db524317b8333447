"""Several processes on one database: one chain, and nothing lost that was said to be written."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

from bot.ports import Change
from bot.store.database import open_store
from tests.unit.store.values import a_draft, verified

APPENDING = """
import asyncio, pathlib, sys
from bot.ports import Change
from bot.store.database import open_store
from tests.unit.store.values import a_draft

async def append(store, name, times):
    for number in range(times):
        (entry,) = await store.commit(Change((a_draft(f"{name}-{number}"),)))
        print(entry.sequence, entry.hash, flush=True)

async def main(path, name, times):
    store = await open_store(pathlib.Path(path))
    await asyncio.gather(*(append(store, f"{name}-{caller}", int(times)) for caller in range(5)))
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


def appending(path: Path, name: str, times: int) -> "subprocess.Popen[str]":
    """Start a process in which five callers append `times` entries each, and say each that is written."""
    command = [sys.executable, "-c", APPENDING, str(path), name, str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def test_A3_A6_two_stores_on_one_file_append_to_one_chain(tmp_path: Path) -> None:
    stores = [await open_store(tmp_path / "deputy.db") for _ in range(2)]

    commits = [store.commit(Change((a_draft(f"R-{n}"),))) for n in range(100) for store in stores]
    written = await asyncio.gather(*commits)

    assert sorted(entry.sequence for (entry,) in written) == list(range(1, 201))
    for store in stores:
        assert ((await verified(store)).holds, (await store.head())[0]) == (200, 200)
        await store.close()


async def test_A3_A6_processes_that_start_at_once_append_to_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "deputy.db"

    processes = [appending(path, f"p{number}", 10) for number in range(3)]
    said = [line for process in processes for line in process.communicate()[0].splitlines()]

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(int(line.split()[0]) for line in said) == list(range(1, 151))
    store = await open_store(path)
    assert (await verified(store)).holds == 150
    await store.close()


async def test_what_was_said_to_be_written_is_there_after_the_process_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "deputy.db"
    process = appending(path, "killed", 10_000)
    assert process.stdout
    said = [process.stdout.readline() for _ in range(30)]
    process.send_signal(signal.SIGKILL)
    said += [line for line in process.communicate()[0].splitlines() if len(line.split()[-1]) == 64]

    store = await open_store(path)

    verdict, (sequence, _) = await verified(store), await store.head()
    hashes = {str(entry.sequence): entry.hash for entry in await store.entries(limit=sequence)}
    assert (verdict.holds, verdict.broken_at) == (sequence, None)
    assert all(hashes[line.split()[0]] == line.split()[1] for line in said)
    await store.close()
