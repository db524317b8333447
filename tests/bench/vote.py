"""What a vote takes while Entra ID is slow: `python -m tests.bench.vote` prints the figures.

Linked people ask and approve in a Slack of the tests' own; each vote asks a tenant of the tests' own, live, that
answers everything after 200 ms. Measured is how long Slack waits for its acknowledgement, which it gives up after
three seconds, and how long it takes until the vote counts. Bare is a single question at that tenant.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.acceptance.at_entra import SlackTown, slack_town
from tests.acceptance.at_slack import said, sees
from tests.bench.figures import Figure, ms, table
from tests.fakes.entra_server import entra_server
from tests.fakes.slack_server import SlackServer

LATENCY = 0.2  # seconds
ACTIONS = {
    "accounts/rename.sh": "echo renamed\n",
    "accounts/rename.toml": 'title = "Rename it"\nsummary = "Renames an account."\nrisk = "change"\n\n'
    '[parameters.name]\nkind = "string"\nhelp = "Which."\nrequired = true\n',
}


async def measure(rounds: int) -> Iterator[Figure]:
    """Link two people, then have one ask and the other approve."""
    with TemporaryDirectory(prefix="deputy-bench-") as name:
        folder = Path(name)
        async with (
            SlackServer() as slack,
            entra_server(folder) as entra,
            slack_town(slack, entra, folder, ACTIONS) as town,
        ):
            await town.link(slack.hanna, town.hanna)
            await town.link(slack.martin, town.marco)
            entra.latency = LATENCY
            taken = [await vote(town, number) for number in range(rounds)]
    acks, counted = zip(*taken, strict=True)
    bare = LATENCY * 1000
    return iter(
        (
            Figure("a vote's acknowledgement, p50", ms(acks), "ms", bare),
            Figure("a vote's acknowledgement, at most", max(acks) * 1000, "ms", bare, "< 1,000 ms"),
            Figure("until it counts in the channel", ms(counted), "ms", bare),
        )
    )


async def vote(town: SlackTown, number: int) -> tuple[float, float]:
    """Ask and approve: return the seconds to the acknowledgement, and until everybody sees that it counts."""
    slack, name = town.slack, f"number-{number}"
    await slack.hanna.command(f"/deputy rename {name}")
    request = await sees(slack, "1 approval", name)
    start = time.perf_counter()
    answer = await slack.martin.press(request, "Approve")
    ack = time.perf_counter() - start
    if not answer.ok:
        raise SystemExit(f"The vote was not acknowledged: {answer}.")
    await slack.until(lambda: "Marco Rossi" in said(request))
    return ack, time.perf_counter() - start


if __name__ == "__main__":
    print(table(asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20))))
