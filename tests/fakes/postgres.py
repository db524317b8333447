"""A PostgreSQL server of one's own: started from this machine's binaries, in a folder that goes with it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

PASSWORD = "right-password"
FAST = {"fsync": "off"}  # what a crash of the server, not of the machine, leaves whole all the same
ACCOUNTS = ("postgres", "nobody")  # the server refuses to run as root


def binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL here, None where there is none."""
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    return folders[-1] if folders else Path(found).resolve().parent if found else None


def _account() -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    known = Path("/etc/passwd").read_text()
    name = next(name for name in ACCOUNTS if f"\n{name}:" in known)
    return {"user": name, "group": {"nobody": "nogroup"}.get(name, name), "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A server on a unix socket, without a password, and on a port of loopback, with one."""

    def __init__(self, folder: Path, bin_: Path, settings: dict[str, str]) -> None:
        self._folder = folder
        self._bin = bin_
        self._settings = settings
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make the server's files."""
        options = ["--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
        command = [self._bin / "initdb", "-D", self._folder / "data", "-U", "deputy", *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **_account())  # type: ignore[call-overload]

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {"port": self._port, "unix_socket_directories": self._folder, **self._settings}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._folder / "data", *options],
                stderr=log,
                stdout=log,
                **_account(),  # type: ignore[call-overload]
            )
        while True:
            try:
                self.run(f"ALTER ROLE deputy PASSWORD '{PASSWORD}'")
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server; its clients are cut off."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def crash(self) -> None:
        """End the server as a crash does: nothing is tidied up, and the next start recovers from the log."""
        self.stop(signal.SIGQUIT)

    def url(self, database: str) -> str:
        """Return a database's address on the unix socket."""
        return f"postgresql://deputy@/{database}?host={self._folder}&port={self._port}"

    def tcp_url(self, database: str, password: str = PASSWORD) -> str:
        """Return a database's address on loopback."""
        return f"postgresql://deputy:{password}@127.0.0.1:{self._port}/{database}"

    def database(self, template: str = "template0") -> str:
        """Make a new database and return its name."""
        name = f"d{uuid4().hex[:12]}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def run(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement, in no transaction, and return its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@contextmanager
def cluster(bin_: Path, **settings: str) -> Iterator[Cluster]:
    """Have a server for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="deputy-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        account = _account()
        if account:
            shutil.chown(folder, str(account["user"]), str(account["group"]))
        one = Cluster(folder, bin_, settings or FAST)
        one.make()
        one.start()
        try:
            yield one
        finally:
            one.stop(signal.SIGQUIT)
