"""The processes that are measured, each with data of its own, and the catalogue they are measured with."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds for a process to answer
CATEGORIES = 20

SCRIPT = "#!/bin/bash\necho $EPOCHREALTIME\n"
METADATA = """title = "Tell the time"
summary = "Says when it was started."
risk = "read"
"""
PARAMETER = """
[parameters.place]
kind = "string"
help = "Where to look."
pattern = '[a-z]+'
"""


@dataclass(frozen=True)
class Server:
    """A process that answers on loopback: seconds from its start to its first answer, and to its first line."""

    process: subprocess.Popen[bytes]
    port: int
    ready: float
    said: float = 0.0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def resident(self) -> float:
        """The memory it has for itself now, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def write_actions(folder: Path, count: int) -> Path:
    """Write `count` actions with parameters, and one called `tell-time` without; return the catalogue's folder."""
    for number in range(count):
        place = folder / f"category-{number % CATEGORIES:02d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"look-at-{number:03d}.toml").write_text(METADATA.replace("Tell the", f"{number}:") + PARAMETER)
        (place / f"look-at-{number:03d}.sh").write_text(SCRIPT)
    own = folder / "bench"
    own.mkdir(parents=True)
    (own / "tell-time.toml").write_text(METADATA)
    (own / "tell-time.sh").write_text(SCRIPT)
    return folder


@contextmanager
def deputy(data: Path, actions: Path, command: str = "serve", **more: str) -> Iterator[Server]:
    """Run `deputy serve` or `deputy demo` on a data folder and a catalogue, with `more` settings."""
    port = free_port()
    settings = {
        "DEPUTY_DATA_DIR": str(data),
        "DEPUTY_ACTIONS_DIR": str(actions),
        "DEPUTY_POLICIES_DIR": str(ROOT / "policies"),
        "DEPUTY_LOCAL_CHAT": "1",
        "DEPUTY_PORT": str(port),
        **more,
    }
    with up([sys.executable, "-m", "bot", command], port, settings, speaks=True) as server:
        yield server


@contextmanager
def bare(actions: Path) -> Iterator[Server]:
    """Run the bare handler on the same script."""
    port = free_port()
    words = [sys.executable, "-m", "tests.bench.bare", str(port), str(actions / "bench" / "tell-time.sh")]
    with up(words, port, {}, speaks=False) as server:
        yield server


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Return the environment of a measured process: nobody's own settings change a figure."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
    return kept | settings


def empty(folder: Path) -> Path:
    """Return a folder with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


@contextmanager
def up(words: list[str], port: int, settings: dict[str, str], *, speaks: bool) -> Iterator[Server]:
    """Start a process and wait until it answers."""
    begun = time.monotonic()
    process = subprocess.Popen(
        words, cwd=ROOT, env=environment(settings), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        ready = time.monotonic() - begun
        assert process.stdout
        said = bool(speaks and process.stdout.readline()) * (time.monotonic() - begun)
        yield Server(process, port, ready, said)
    finally:
        process.terminate()
        process.wait()


def _wait(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.002)
    raise SystemExit(f"Nothing answered on port {port} in {PATIENCE:.0f} s.")


def free_port() -> int:
    """Return a port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
