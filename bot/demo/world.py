"""The world that `make demo` runs in: a directory, a service supervisor and some files, all on this machine."""

import asyncio
import json
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from bot.core.errors import Unavailable
from bot.demo.files import lay_out

SERVERS = {"directory": "bot.demo.directory", "supervisor": "bot.demo.services"}
READY_SECONDS = 20
STOP_SECONDS = 3

Credentials = Mapping[str, Mapping[str, str]]


class World:
    """Starts and stops everything. The servers end with this process too, however it ends.

    `cache` is a directory for clean-old-files, `log` a file for tail-log, `web` an address for check-url.
    """

    def __init__(self) -> None:
        self.cache = self.log = Path()
        self.web = ""
        self._passwords: dict[str, str] = {}
        self._processes: dict[str, Process] = {}
        self._credentials: dict[str, dict[str, str]] = {}

    @property
    def credentials(self) -> Credentials:
        """The credentials by their names in the vault, `directory` and `supervisor`; empty until `ready`."""
        return self._credentials

    async def start(self, data_dir: Path) -> None:
        """Start both servers' processes without waiting for them, and lay out the files in `data_dir/demo`.

        Raises Unavailable where they can't be written.
        """
        starts = [self._spawn(name, module) for name, module in SERVERS.items()]
        await asyncio.gather(*starts)
        try:
            self.cache, self.log = lay_out(data_dir / "demo")
        except OSError as error:
            raise Unavailable(
                f"The demo's files can't be written into {data_dir / 'demo'}: {error.strerror}. "
                "Make room there, or set DEPUTY_DATA_DIR."
            ) from None

    async def ready(self, before: Credentials = MappingProxyType({})) -> None:
        """Let both servers begin, and wait until they answer. Raises Unavailable.

        `before` are their credentials at the last start: they keep the passwords, and the ports that are free.
        """
        for name in SERVERS:
            self._begin(name, before.get(name, {}))
        said = await asyncio.gather(*(self._first_line(name) for name in SERVERS))
        for name, fields in zip(SERVERS, said, strict=True):
            self.web = fields.pop("web", self.web)
            self._credentials[name] = {**fields, "password": self._passwords[name]}

    async def stop(self) -> None:
        """End both servers and all they started."""
        await asyncio.gather(*(_end(process) for process in self._processes.values()))
        self._processes.clear()

    async def _spawn(self, name: str, module: str) -> None:
        # In sessions of their own, so that Ctrl-C reaches this process alone, which then stops them.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        self._processes[name] = process

    def _begin(self, name: str, before: Mapping[str, str]) -> None:
        port = _port(before.get("url", ""))
        # The password of a real directory, set by hand, is none of the demo's business.
        kept = before.get("password") if port else None
        self._passwords[name] = kept or secrets.token_urlsafe(24)
        stdin = self._processes[name].stdin
        assert stdin  # noqa: S101 - it was asked for
        stdin.write(json.dumps({"password": self._passwords[name], "port": port}).encode() + b"\n")

    async def _first_line(self, name: str) -> dict[str, str]:
        stdout = self._processes[name].stdout
        assert stdout  # noqa: S101 - it was asked for
        try:
            fields: dict[str, str] = json.loads(await asyncio.wait_for(stdout.readline(), READY_SECONDS))
        except (TimeoutError, ValueError):
            raise Unavailable(
                f"The demo's {name} did not start; what it wrote above says why. "
                "Its parts are installed with the extra “demo”: deputy[demo]."
            ) from None
        return fields


def _port(url: str) -> int:
    """Return the port of a server on loopback, 0 where the address is another."""
    try:
        address = urlsplit(url)
        return (address.port or 0) if address.hostname == "127.0.0.1" else 0
    except ValueError:
        return 0


async def _end(process: Process) -> None:
    assert process.stdin  # noqa: S101 - it was asked for
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
