"""From the start of the process to its first answer."""

from pathlib import Path
from statistics import median

from tests.bench.figures import Figure
from tests.bench.server import ROOT, bare, deputy, empty, write_actions


async def measure(folder: Path, rounds: int) -> list[Figure]:
    """Measure `serve` on data that is there and on none, `demo`, and the bare handler, in turn."""
    actions = write_actions(folder / "actions", 20)
    times: dict[str, list[float]] = {}
    with deputy(folder / "data", actions):
        pass
    for _ in range(rounds):
        with bare(actions) as server:
            times.setdefault("bare", []).append(server.ready)
        with deputy(folder / "data", actions) as server:
            times.setdefault("serve", []).append(server.ready)
        with deputy(empty(folder / "fresh"), actions) as server:
            times.setdefault("serve, new data folder", []).append(server.ready)
        with deputy(folder / "demo", ROOT / "actions", "demo") as server:
            times.setdefault("demo", []).append(server.ready)
            times.setdefault("demo, with its servers", []).append(server.said)
    against = median(times.pop("bare"))
    return [
        Figure(f"start → /healthz: {name}", median(took) * 1000, "ms", against * 1000, "≤ 1,000 ms")
        for name, took in times.items()
    ]
