"""A load generator: requests made beforehand go out over so many connections, in a process of its own.

An HTTP client that does everything would be slower than what is measured; this one does only what is needed.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Answers = Counter[tuple[int, bool]]  # how many had this status, and something to say or not
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Load:
    """What came of it: the seconds of each request, of all, and how many were answered how."""

    seconds: Sequence[float]
    took: float
    answers: Answers

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.seconds) / self.took

    @property
    def all_taken(self) -> bool:
        """Whether each was acknowledged with 200 and nothing more."""
        return set(self.answers) == {(200, False)}

    def percentile(self, share: float) -> float:
        """Return the milliseconds that this share of the requests kept to."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))] * 1000


class _Line(asyncio.Protocol):
    """One connection: sends the next request as soon as the last one is answered."""

    def __init__(self, requests: Iterator[bytes], seconds: list[float], answers: Answers) -> None:
        self._requests, self._seconds, self._answers = requests, seconds, answers
        self._got, self._begun = b"", 0.0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or (length and len(body) < int(length[1])):
            return
        self._seconds.append(time.perf_counter() - self._begun)
        self._answers[int(head[9:12]), bool(body)] += 1
        self._got = b""
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self._answers[0, False] += 1
            self.ended.set_result(None)

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.ended.set_result(None)
            self._transport.close()
        else:
            self._begun = time.perf_counter()
            self._transport.write(request)


def fire(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Send all of it to a port on loopback."""
    return asyncio.run(_fire(port, requests, connections))


async def _fire(port: int, requests: Sequence[bytes], connections: int) -> Load:
    left, seconds, answers = iter(requests), list[float](), Answers()
    loop, begun = asyncio.get_running_loop(), time.perf_counter()
    made = [
        await loop.create_connection(lambda: _Line(left, seconds, answers), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(line.ended for _, line in made))
    return Load(seconds, time.perf_counter() - begun, answers)
