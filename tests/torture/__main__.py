"""The full torture: `make torture`, or `python -m tests.torture [--commands 10000] [--seed 0]`.

With `--clicks 50` nobody is killed: each command is approved by fifty people at once, and has to start once (R5).
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.fakes import postgres
from tests.torture.ground import command, lay, signed_command
from tests.torture.judge import judge
from tests.torture.report import table
from tests.torture.scene import Plan, Storm, play


def main() -> None:
    """Play one scene, print its table, and fail where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description="Kills Deputy at random.")
    parser.add_argument("--commands", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=45.0, help="commands a second")
    parser.add_argument("--clicks", type=int, default=0, help="approvals at once of every command")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    installed = postgres.binaries()
    if installed is None:
        sys.exit("PostgreSQL is not installed here (Debian: apt-get install postgresql).")
    asked = signed_command if given.clicks else command
    commands = [asked(number) for number in range(given.commands)]
    plan = Plan(commands, given.rate, given.clicks, storm=None if given.clicks else Storm(), seed=given.seed)
    with tempfile.TemporaryDirectory(prefix="deputy-torture-") as folder, postgres.cluster(installed) as cluster:
        ground = lay(Path(folder), cluster.url(cluster.database()), lease=30.0 if given.clicks else 1.0)
        played = asyncio.run(play(plan, ground, cluster))
        findings = judge(played.evidence)
        print(table(played, findings))
    sys.exit(not all(finding.good for finding in findings))


if __name__ == "__main__":
    main()
