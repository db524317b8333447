"""From a slash command to its result in the channel, round by round in turn with the thin bot."""

import asyncio
import itertools
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median

from tests.bench.figures import Figure, ms
from tests.bench.path import supervisor_start
from tests.bench.server import Server
from tests.bench.slack.processes import CROWD, Place, deputy_in_slack, events_url, settle, thin
from tests.fakes.slack_delivery import delivery
from tests.fakes.slack_server import Call

WARM_UP = 5
TOGETHER = 10
PAUSE = 0.2  # seconds of quiet before each measurement
_TIME = re.compile(r"\b\d{10}\.\d{6}\b")


@dataclass(frozen=True)
class Seen:
    """A result: when its script said it began, and when it was posted (Unix time)."""

    began: float
    posted: float


class Watch:
    """Watches the fake for results, by the channel they come to."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._seen: dict[str, asyncio.Future[Seen]] = {}
        self._turn = itertools.cycle(range(CROWD))

    async def run(self, server: Server) -> tuple[float, float]:
        """Send one command; return the seconds until its script began and until its result was posted."""
        person = self._place.crowd[next(self._turn)]
        channel = person.id.replace("U0", "C0")
        self._seen[channel] = asyncio.get_running_loop().create_future()
        asked = time.time()
        payload = person.command_payload("/deputy", "tell-time", channel)
        answer = await self._place.slack.http.post(delivery("slash_commands", payload), events_url(server))
        if not answer.ok:
            raise SystemExit(f"The command was answered with {answer}.")
        seen = await asyncio.wait_for(self._seen[channel], 60)
        return seen.began - asked, seen.posted - asked

    async def look(self) -> None:
        """Note results until cancelled."""
        calls = self._place.slack.calls
        while True:
            await self._place.slack.until(lambda: calls, 3600)
            now = time.time()
            for call in calls:
                self._note(call, now)
            calls.clear()

    def _note(self, call: Call, now: float) -> None:
        said = json.dumps([call.given.get("text"), call.given.get("blocks")])
        began, seen = _TIME.search(said), self._seen.get(str(call.given.get("channel")))
        if began and seen and not seen.done() and call.answer["ok"] and '"cancel:' not in said:
            seen.set_result(Seen(float(began[0]), now))


@asynccontextmanager
async def watching(place: Place) -> AsyncIterator[Watch]:
    """Watch for as long as it is needed."""
    watch = Watch(place)
    looking = asyncio.create_task(watch.look())
    try:
        yield watch
    finally:
        looking.cancel()


async def measure(place: Place, rounds: int) -> list[Figure]:
    """Measure the times to start and to result, and runs per second."""
    with deputy_in_slack(place) as ours, thin(place) as theirs:
        async with watching(place) as watch:
            figures = await _one_by_one(watch, ours, theirs, rounds * 7)
            figures.append(await _together(watch, ours, theirs, rounds))
    return figures


async def _one_by_one(watch: Watch, ours: Server, theirs: Server, rounds: int) -> list[Figure]:
    mine, others, supervisors = [], [], []
    for _ in range(WARM_UP + rounds):
        await asyncio.sleep(PAUSE)
        mine.append(await watch.run(ours))
        await asyncio.sleep(PAUSE)
        others.append(await watch.run(theirs))
        await asyncio.sleep(PAUSE)
        supervisors.append(await supervisor_start())
    start, result = ([one[part] for one in mine[WARM_UP:]] for part in (0, 1))
    bare_start, bare_result = ([one[part] for one in others[WARM_UP:]] for part in (0, 1))
    return [
        Figure("command → script started", ms(start), "ms", ms(bare_start), "≤ 2 ×, and a supervisor"),
        Figure("command → result posted", ms(result), "ms", ms(bare_result), "≤ 2 ×, and a supervisor"),
        Figure("a supervisor's start, ahead of need", ms(supervisors[WARM_UP:]), "ms"),
    ]


async def _together(watch: Watch, ours: Server, theirs: Server, rounds: int) -> Figure:
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        for name, server in (("ours", ours), ("theirs", theirs)):
            rates[name].append(await _rate(watch, server))
            await settle(server)
    return Figure(f"runs, {TOGETHER} at once", median(rates["ours"]), "/s", median(rates["theirs"]), "≥ 0.6 ×")


async def _rate(watch: Watch, server: Server) -> float:
    """Each of the crowd runs once, so that no channel is posted to more often than Slack takes it."""
    left = iter(range(CROWD))

    async def one_after_another() -> None:
        for _ in left:
            await watch.run(server)

    begun = time.monotonic()
    await asyncio.gather(*(one_after_another() for _ in range(TOGETHER)))
    return CROWD / (time.monotonic() - begun)
