"""Measures Deputy on this machine and prints one table: `python -m tests.bench.local [part…] [--rounds 20]`.

Look at the ratios: both sides of one are measured in turn, so that a busy machine slows both.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.bench import catalogue, log, path, start
from tests.bench.figures import Figure, table

PARTS = {"start": start.measure, "path": path.measure, "catalogue": catalogue.measure, "log": log.measure}


def main() -> None:
    """Measure the parts that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.local", description="Measures Deputy here.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--rounds", type=int, default=20, help="how often each thing is measured")
    given = parser.parse_args()
    unknown = set(given.parts) - PARTS.keys()
    if unknown:
        parser.error(f"there is no part called {min(unknown)}; the parts are {', '.join(PARTS)}")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="deputy-bench-") as folder:
        for name in given.parts or PARTS:
            print(f"Measuring {name} …", flush=True)
            figures += asyncio.run(PARTS[name](Path(folder) / name, given.rounds))
    print(table(figures))


if __name__ == "__main__":
    main()
