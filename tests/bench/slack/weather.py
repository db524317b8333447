"""How long an acknowledgement takes while scripts run long and Slack's API doesn't answer."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.bench.figures import Figure
from tests.bench.slack.ack import load
from tests.bench.slack.processes import Place, deputy_in_slack, events_url
from tests.fakes.slack_delivery import delivery

SCRIPTS = 8  # as many as Deputy runs at once
COUNT, CONNECTIONS = 500, 10


async def measure(place: Place, rounds: int) -> list[Figure]:
    """Measure once: scripts of 30 seconds in every place, and nothing of Slack's API ever answered."""
    with deputy_in_slack(place) as server, ProcessPoolExecutor(1, get_context("spawn")) as pool:
        for person in place.crowd[:SCRIPTS]:
            payload = person.command_payload("/deputy", "take-long", person.id.replace("U0", "C0"))
            await place.slack.http.post(delivery("slash_commands", payload), events_url(server))
        place.slack.fails = "hang"
        try:
            done = await load(pool, place, server, COUNT, CONNECTIONS)
        finally:
            place.slack.fails = ""
    name = "ack p99, scripts of 30 s, Slack's API hangs"
    return [Figure(name, done.percentile(0.99), "ms", goal="≤ 1,000 ms")]
