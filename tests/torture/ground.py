"""The ground everything happens on: a folder with actions, policies, the ledger and what was said in the chat."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bot.settings import Settings

ROOT = Path(__file__).parents[2]
FREE = "-"  # the spot of a script that may work beside any other
SPOTS = 5  # things that only one script at a time may work on

# The run's id is where every script finds it; the two lines are all that the judge believes.
SCRIPT = '''"""Writes in the ledger that it starts, and that it ends."""

import os

LEDGER = {ledger!r}


def main(name: str, spot: str = "-") -> str:
    """Start, and end."""
    ledger = os.open(LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for word in ("start", "end"):
        os.write(ledger, f"{{os.environ['DEPUTY_RUN']}} {{name}} {{word}} {{spot}}\\n".encode())
    os.close(ledger)
    return "Written."
'''
# What each action adds to its metadata. Those of `accounts` need an approval.
ACTIONS = {
    "operations/write": "",
    "operations/rewrite": "idempotent = true\n",
    "operations/share": 'locks = ["spot:{spot}"]\n',
    "accounts/sign": "",
}


@dataclass(frozen=True)
class Command:
    """What somebody asks: who, and the words after `/deputy`. `name` is its own among all commands."""

    name: str
    asker: str
    text: str


def command(number: int) -> Command:
    """Return a command that runs at once: six in ten are idempotent, one in ten shares something with others."""
    name = f"c{number:05d}"
    if number % 10 == 0:
        return Command(name, "oncall", f"share name={name} spot=s{Random(number).randrange(SPOTS)}")
    return Command(name, "oncall", f"{'rewrite' if number % 10 > 3 else 'write'} name={name}")


def signed_command(number: int) -> Command:
    """Return a command that needs an approval."""
    return Command(f"c{number:05d}", "helpdesk", f"sign name=c{number:05d}")


@dataclass(frozen=True)
class Ground:
    """Where things are. `url` is the database's; `silence` is there while the chat is down.

    On `broken` ground runs of dead workers are started again, whether they are idempotent or not. A worker counts
    as dead after `lease` seconds of silence: 30 in production, few where many are killed.
    """

    folder: Path
    url: str
    broken: bool = False
    lease: float = 1.0

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    @property
    def asked(self) -> Path:
        return self.folder / "asked"

    @property
    def chat(self) -> Path:
        return self.folder / "chat"

    @property
    def silence(self) -> Path:
        return self.folder / "silence"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def settings(self) -> Settings:
        """Return the settings of every process."""
        return Settings(
            data_dir=self.folder / "data",
            database_url=self.url,
            actions_dir=self.folder / "actions",
            policies_dir=self.folder / "policies",
        )


def lay(folder: Path, url: str, *, broken: bool = False, lease: float = 1.0) -> Ground:
    """Lay out the actions beside a copy of the shipped policies."""
    ground = Ground(folder, url, broken, lease)
    for name, more in ACTIONS.items():
        path = folder / "actions" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".py").write_text(SCRIPT.format(ledger=str(ground.ledger)))
        path.with_suffix(".toml").write_text(f'summary = "Writes."\nrisk = "change"\n{more}')
    shutil.copytree(ROOT / "policies", folder / "policies", ignore=shutil.ignore_patterns("cases.toml"))
    for file in (ground.ledger, ground.asked, ground.chat, ground.log):
        file.touch()
    return ground
