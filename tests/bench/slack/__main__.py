"""Measures Deputy's Slack side on this machine and prints one table.

Look at the ratios: both sides of one are measured in turn, so that a busy machine slows both.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.bench.figures import Figure, table
from tests.bench.slack import ack, path, weather
from tests.bench.slack.processes import prepare
from tests.fakes.slack_server import SlackServer

PARTS = {"ack": ack.measure, "path": path.measure, "weather": weather.measure}


async def measure(parts: list[str], rounds: int) -> list[Figure]:
    """Measure parts, each with a Slack and data of its own."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="deputy-bench-") as folder:
        for name in parts:
            print(f"Measuring {name} …", flush=True)
            async with SlackServer() as slack:
                figures += await PARTS[name](prepare(slack, Path(folder) / name), rounds)
    return figures


def main() -> None:
    """Measure the parts that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.slack", description="Measures Deputy in Slack.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--rounds", type=int, default=3, help="how often each thing is measured")
    given = parser.parse_args()
    unknown = set(given.parts) - PARTS.keys()
    if unknown:
        parser.error(f"there is no part called {min(unknown)}; the parts are {', '.join(PARTS)}")
    print(table(asyncio.run(measure(given.parts or list(PARTS), given.rounds))))


if __name__ == "__main__":
    main()
