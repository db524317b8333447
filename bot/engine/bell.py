"""A bell that rings in every process when posts wait, and whose turn it is to deliver them.

What running scripts write is heard on the same line."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping

import psycopg

log = logging.getLogger(__name__)

CHANNEL = "deputy_posts"
LINES = "deputy_lines"
TURN = 0x4465707574790002  # the advisory lock of who delivers: "Deputy", then a number
TICK = 1.0  # seconds between two looks whether the turn is free
CONNECTION: Mapping[str, str | int] = {
    "application_name": "deputy",
    "connect_timeout": 5,
    "tcp_user_timeout": 15_000,
}


class Bell:
    """One connection that listens, and holds the turn: it passes on when the process or its connection ends.

    Where it `delivers`, lines of running scripts are handed to `heard`.
    """

    def __init__(self, url: str, heard: Callable[[str], None], *, delivers: bool) -> None:
        self._url = url
        self._heard = heard
        self._delivers = delivers
        self._rung = asyncio.Event()
        self.mine = False

    def ring(self) -> None:
        """Ring in this process."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it rings, `seconds` at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # `wait_for` may lose a cancellation that comes with the ring
                await self._rung.wait()
        self._rung.clear()

    async def listen(self) -> None:
        """Listen until cancelled, on a new connection whenever one breaks."""
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                log.warning("posts are looked for every second, for nothing is heard of them: %s", error)
            await asyncio.sleep(TICK)

    async def _listen(self) -> None:
        options = dict(CONNECTION)
        try:
            async with await psycopg.AsyncConnection.connect(self._url, autocommit=True, **options) as connection:  # type: ignore[arg-type]
                await connection.execute(f"LISTEN {CHANNEL}".encode())
                if self._delivers:
                    await connection.execute(f"LISTEN {LINES}".encode())
                self.ring()  # for what was missed meanwhile
                while True:
                    await self._take_turn(connection)
                    async for note in connection.notifies(timeout=TICK):
                        if note.channel == LINES:
                            self._heard(note.payload)
                        else:
                            self.ring()
        finally:
            self.mine = False

    async def _take_turn(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        if self._delivers and not self.mine:
            cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", [TURN])
            self.mine = await cursor.fetchone() == (True,)
            if self.mine:
                self.ring()
