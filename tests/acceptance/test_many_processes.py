"""Deputy as many processes on one PostgreSQL: the same work, shared."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.at_slack import at_slack, said
from tests.acceptance.conftest import Process, free_port, own_content
from tests.fakes.postgres import Cluster
from tests.fakes.slack_server import SlackServer

NOTE = '''"""Notes its start."""

import os
from pathlib import Path


def main(ledger: str, name: str) -> str:
    """Note who started it."""
    with Path(ledger).open("a") as file:
        file.write(f"{name}\\n")
    return "Noted."
'''
ACTIONS = {"operations/note.py": NOTE, "operations/note.toml": 'summary = "Notes."\nrisk = "change"\n'}


def processes(folder: Path, url: str, count: int) -> list[Process]:
    settings = {**own_content(folder, ACTIONS), "DEPUTY_DATABASE_URL": url, "DEPUTY_CONCURRENCY": "2"}
    return [Process(folder, **settings) for _ in range(count)]


async def test_P5_what_one_process_takes_in_others_run_once_each(
    tmp_path: Path, cluster: Cluster, database: str
) -> None:
    server, *workers = all_ = processes(tmp_path, database, 3)
    ledger = tmp_path / "ledger"
    try:
        await asyncio.gather(server.start("serve"), *(worker.start("worker") for worker in workers))
        runs = await asyncio.gather(
            *(server.ask("oncall", "note", ledger=str(ledger), name=f"n{number}") for number in range(12))
        )
        for run in runs:
            await server.until("oncall", run, "succeeded")
    finally:
        codes = await asyncio.gather(*(one.stop() for one in all_))

    assert codes == [0, 0, 0]
    assert Counter(ledger.read_text().split()) == Counter(f"n{number}" for number in range(12))
    code, out, err = await server.deputy("audit", "verify")
    assert (code, "The audit log holds" in out) == (0, True), err
    code, out, err = await server.deputy("db", "check")
    assert (code, "The database is sound" in out) == (0, True), err
    workers_seen = cluster.run(
        "SELECT count(DISTINCT document::json->>'worker') FROM runs", database.partition("@/")[2].partition("?")[0]
    )
    assert workers_seen[0][0] in (2, 3)


async def test_a_process_that_starts_interrupts_nothing_that_runs_in_another(
    tmp_path: Path, database: str
) -> None:
    slow = {**ACTIONS, "operations/slow.sh": "sleep 600\n"}
    slow["operations/slow.toml"] = 'summary = "Is slow."\nrisk = "change"\n'
    settings = {**own_content(tmp_path, slow), "DEPUTY_DATABASE_URL": database}
    first, second = Process(tmp_path, **settings), Process(tmp_path, **settings)
    try:
        await first.start("serve")
        run = await first.ask("oncall", "slow")
        await first.until("oncall", run, "running")
        await second.start("serve")
        done = await second.ask("oncall", "note", ledger=str(tmp_path / "ledger"), name="n")
        await second.until("oncall", done, "succeeded")
        assert (await second.card("oncall", run))["state"] == "running"
        await first.stop()
        await second.until("oncall", run, "interrupted")
    finally:
        await asyncio.gather(first.stop(), second.stop())


async def test_the_data_of_sqlite_moves_to_postgresql_and_a_worker_needs_it(tmp_path: Path, database: str) -> None:
    process = Process(tmp_path, **own_content(tmp_path, ACTIONS))
    code, _, err = await process.deputy("worker")
    assert (code, "DEPUTY_DATABASE_URL: Workers beside" in err) == (1, True)
    code, _, err = await process.deputy("db", "copy", "--to", database)
    assert (code, "There is no database" in err) == (1, True)
    await process.start("serve")
    run = await process.ask("oncall", "note", ledger=str(tmp_path / "ledger"), name="n")
    await process.until("oncall", run, "succeeded")
    code, _, err = await process.deputy("db", "copy", "--to", database)
    assert (code, "Another Deputy" in err) == (1, True)
    await process.stop()

    code, out, err = await process.deputy("db", "copy", "--to", database)

    assert (code, "rows are copied and the audit log holds" in out) == (0, True), err
    process.environment |= {"DEPUTY_DATABASE_URL": database, "DEPUTY_PORT": str(free_port())}
    process.port = int(process.environment["DEPUTY_PORT"])
    await process.start("serve")
    try:
        assert (await process.card("oncall", run))["state"] == "succeeded"
        again = await process.ask("oncall", "note", ledger=str(tmp_path / "ledger"), name="n")
        await process.until("oncall", again, "succeeded")
    finally:
        await process.stop()


@pytest.mark.parametrize("command", [("db", "upgrade"), ("db", "check"), ("serve",), ("vault", "list")])
async def test_V3_a_database_out_of_reach_is_one_sentence_without_the_password(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    url = "postgresql://deputy:s3cret-word@127.0.0.1:1/deputy"
    process = Process(tmp_path, **own_content(tmp_path, ACTIONS), DEPUTY_DATABASE_URL=url)

    code, out, err = await process.deputy(*command)

    assert (code, out) == (1, "")
    assert err.startswith("deputy: The database deputy on 127.0.0.1 can't be reached (")
    assert len(err.splitlines()) == 1
    assert "s3cret" not in err


SLOW = {
    **ACTIONS,
    "operations/slow.sh": "echo begun\nsleep 600\n",
    "operations/slow.toml": 'summary = "Is slow."\nrisk = "change"\ntimeout = 700\n',
    "operations/pair.sh": "sleep 600\n",
    "operations/pair.toml": 'summary = "Two at most."\nrisk = "change"\nat_once = 2\ntimeout = 700\n',
}


async def workers_of(process: Process) -> dict[str, int]:
    """Return the process that started each run, by the audit log: a worker's name is `host:pid:letters`."""
    _, out, _ = await process.deputy("audit", "export")
    started = [entry for entry in map(json.loads, out.splitlines()) if entry["tag"] == "run:started"]
    return {entry["subject"]: int(entry["facts"]["worker"].split(":")[1]) for entry in started}


async def test_X13_who_kills_any_process_at_any_time_finds_the_truth_in_the_channel_within_40_seconds(
    tmp_path: Path, database: str
) -> None:
    settings = {**own_content(tmp_path, SLOW), "DEPUTY_DATABASE_URL": database, "DEPUTY_CONCURRENCY": "1"}
    first, second, *workers = (Process(tmp_path, **settings) for _ in range(5))
    everybody = [first, second, *workers]
    try:
        await asyncio.gather(
            *(one.start("serve") for one in (first, second)), *(one.start("worker") for one in workers)
        )
        by_pid = {one.pid: one for one in everybody}
        runs = [await first.ask("oncall", "slow") for _ in everybody]
        for run in runs:
            await second.until("oncall", run, "running")
        holders = {run: by_pid[pid] for run, pid in (await workers_of(second)).items()}
        assert set(holders.values()) == set(everybody)  # one script each

        # A person cancels one at a process that doesn't run it: it stops within moments.
        cancelled = next(run for run in runs if holders[run] in workers)
        status, answer = await second.send("/api/press", "oncall", verb="cancel", subject=cancelled, comment="")
        assert status == 200, answer
        await first.until("oncall", cancelled, "cancelled", seconds=5)

        # A worker is killed, another freezes, and the first server, who told the channel, is killed.
        frozen, killed = (one for one in workers if one is not holders[cancelled])
        frozen.freeze()
        await killed.kill()
        await first.kill()
        lost = [run for run, one in holders.items() if one in (frozen, killed, first)]
        for card in await asyncio.gather(
            *(second.until("oncall", run, "interrupted", seconds=40) for run in lost)
        ):
            assert "nobody knows how far it came" in card["lead"]
        frozen.go_on()
        kept = next(run for run, one in holders.items() if one is second)
        assert (await second.card("oncall", kept))["state"] == "running"

        # What is left goes on.
        ledger = tmp_path / "ledger"
        run = await second.ask("oncall", "note", ledger=str(ledger), name="n")
        await second.until("oncall", run, "succeeded")
        assert ledger.read_text() == "n\n"
    finally:
        for one in workers:
            one.go_on()
        await asyncio.gather(*(one.stop() for one in everybody))
    code, out, err = await second.deputy("audit", "verify")
    assert (code, "The audit log holds" in out) == (0, True), err


CHATTY = {
    "operations/chatty.sh": "echo it has begun\nsleep 600\n",
    "operations/chatty.toml": 'summary = "Says so."\nrisk = "change"\ntimeout = 700\n',
    "operations/secret.sh": "echo for nobody else\nsleep 600\n",
    "operations/secret.toml": 'summary = "Says it to one."\nrisk = "change"\nprivate = true\ntimeout = 700\n',
}


async def lines_at(process: Process, who: str, runs: int) -> dict[str, str]:
    """Look at the channel of one process until the lines of so many runs are seen; return them by run."""
    lines: dict[str, str] = {}
    async with (
        asyncio.timeout(30),
        aiohttp.ClientSession() as session,
        session.get(f"{process.address}/api/events", params={"as": who}) as stream,
    ):
        event = b""
        async for row in stream.content:
            if row.startswith(b"event:"):
                event = row[6:].strip()
            elif row.startswith(b"data:") and event == b"progress":
                told = json.loads(row[5:])
                lines[told["run"]] = told["lines"]
            if len(lines) == runs:
                break
    return lines


async def test_lines_of_a_running_script_are_seen_in_every_process_and_of_a_private_one_in_none(
    tmp_path: Path, database: str
) -> None:
    settings = {**own_content(tmp_path, CHATTY), "DEPUTY_DATABASE_URL": database, "DEPUTY_CONCURRENCY": "2"}
    first, second, worker = (Process(tmp_path, **settings) for _ in range(3))
    try:
        await asyncio.gather(*(one.start("serve") for one in (first, second)), worker.start("worker"))
        seen = [asyncio.create_task(lines_at(one, "oncall", runs=3)) for one in (first, second)]
        await asyncio.sleep(0.5)
        private = await first.ask("oncall", "secret")
        runs = [await first.ask("oncall", "chatty") for _ in range(3)]
        for run in (private, *runs):
            await second.until("oncall", run, "running")
        for one in await asyncio.gather(*seen):
            assert one == dict.fromkeys(runs, "it has begun")
    finally:
        await asyncio.gather(*(one.stop() for one in (first, second, worker)))


async def test_lines_of_scripts_that_run_in_other_processes_are_seen_in_slack(
    slack: SlackServer, tmp_path: Path, database: str
) -> None:
    more = {**own_content(tmp_path, CHATTY), "DEPUTY_DATABASE_URL": database, "DEPUTY_CONCURRENCY": "1"}
    async with at_slack(slack, tmp_path, more=more) as server:
        worker = Process(tmp_path, **{**server.environment, "DEPUTY_PORT": str(free_port())})
        await worker.start("worker")
        try:
            for _ in range(2):
                await slack.olivia.command("/deputy chatty")
            await slack.until(lambda: sum("it has begun" in said(one) for one in slack.shown("C0OPS")) == 2)
            holders = await workers_of(server)
            assert sorted(holders.values()) == sorted((server.pid, worker.pid))
        finally:
            await worker.stop()


async def test_no_more_of_an_action_run_at_once_than_it_allows_in_any_process(
    tmp_path: Path, database: str
) -> None:
    settings = {**own_content(tmp_path, SLOW), "DEPUTY_DATABASE_URL": database, "DEPUTY_CONCURRENCY": "2"}
    server, worker = Process(tmp_path, **settings), Process(tmp_path, **settings)
    try:
        await asyncio.gather(server.start("serve"), worker.start("worker"))
        runs = [await server.ask("oncall", "pair") for _ in range(3)]
        done = await server.ask("oncall", "note", ledger=str(tmp_path / "ledger"), name="n")
        await server.until("oncall", done, "succeeded")
        states: list[str] = []
        async with asyncio.timeout(10):  # a card that is soon overtaken comes a little later
            while sorted(states) != ["queued", "running", "running"]:
                states = [(await server.card("oncall", run)).get("state", "") for run in runs]
                assert states.count("running") <= 2
        ends = runs[states.index("running")]
        await server.send("/api/press", "oncall", verb="cancel", subject=ends, comment="")
        await server.until("oncall", ends, "cancelled")
        await server.until("oncall", runs[states.index("queued")], "running")
    finally:
        await asyncio.gather(server.stop(), worker.stop())
