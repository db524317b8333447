"""How long a slash command waits for its acknowledgement, round by round in turn with what is simpler."""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from statistics import median

from tests.bench.figures import Figure
from tests.bench.server import Server
from tests.bench.slack.load import Load, fire
from tests.bench.slack.processes import Place, bot, deputy_in_slack, requests, settle

CROWD = 50  # connections
COUNT, ALONE = 2000, 100  # commands of the crowd and of one client
AGAINST = {
    "floor": ("signature alone", "≥ 0.35 ×"),
    "bolt": ("Bolt doing nothing", "> 1 ×"),
    "bolt-before": ("Bolt, process_before_response", "> 1 ×"),
}
Loads = dict[str, list[Load]]


async def measure(place: Place, rounds: int) -> list[Figure]:
    """Measure 50 connections and one, and memory, in processes that stay up for all rounds."""
    crowd, alone = Loads(), Loads()
    with ExitStack() as stack:
        servers = {kind: stack.enter_context(bot(kind)) for kind in AGAINST}
        servers["deputy"] = stack.enter_context(deputy_in_slack(place))
        idle = [servers[kind].resident for kind in ("deputy", "floor")]
        pool = stack.enter_context(ProcessPoolExecutor(1, get_context("spawn")))
        for _ in range(rounds):
            for kind, server in servers.items():
                crowd.setdefault(kind, []).append(await load(pool, place, server, COUNT, CROWD))
                alone.setdefault(kind, []).append(await load(pool, place, server, ALONE, 1))
    return [
        *_figures(crowd, alone),
        Figure("memory, idle", idle[0], "MB", idle[1], "≤ 86 MB"),
        Figure("start → /healthz", servers["deputy"].ready * 1000, "ms", goal="≤ 1,000 ms"),
    ]


async def load(pool: ProcessPoolExecutor, place: Place, server: Server, count: int, connections: int) -> Load:
    """Send commands that need an approval: a decision of the policies and a run on the disk come of each."""
    sent = requests(place, "change-it", count)
    done = await asyncio.get_running_loop().run_in_executor(pool, fire, server.port, sent, connections)
    if not done.all_taken:
        raise SystemExit(f"Not every command was acknowledged: {dict(done.answers)}.")
    await settle(server)
    return done


def _figures(crowd: Loads, alone: Loads) -> Iterable[Figure]:
    for kind, (name, goal) in AGAINST.items():
        yield Figure(f"acks, {CROWD} connections, {name}", _rate(crowd["deputy"]), "/s", _rate(crowd[kind]), goal)
    for kind, (name, _) in AGAINST.items():
        goal = "≤ 0.1 ×" if kind == "bolt" else ""
        ours, theirs = _kept(alone["deputy"], 0.5), _kept(alone[kind], 0.5)
        yield Figure(f"ack p50, one client, {name}", ours, "ms", theirs, goal)
    yield Figure(f"ack p99, {CROWD} connections", _kept(crowd["deputy"], 0.99), "ms", _kept(crowd["floor"], 0.99))


def _rate(loads: Sequence[Load]) -> float:
    return median(one.rate for one in loads)


def _kept(loads: Sequence[Load], share: float) -> float:
    return median(one.percentile(share) for one in loads)
