"""The local channel as a page sees it: what is said goes in by POST, what happens comes back as events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp

ENDS = {"succeeded", "failed", "timed_out", "cancelled", "interrupted", "refused"}


@dataclass(frozen=True)
class Seen:
    """A run that ended well: when its script said it began, and when its card was here (Unix time)."""

    began: float
    shown: float


class Channel:
    """One person's connected page."""

    def __init__(self, session: aiohttp.ClientSession, address: str, who: str) -> None:
        self._session = session
        self._address = address
        self._who = who
        self._ended: dict[str, Seen] = {}
        self._news = asyncio.Condition()

    async def say(self, text: str) -> dict[str, Any]:
        """Say something and return the reply."""
        message = {"as": self._who, "text": text, "delivery": str(uuid4())}
        async with self._session.post(f"{self._address}/api/say", json=message) as answer:
            told: dict[str, Any] = await answer.json()
        if answer.status != 200:
            raise SystemExit(f"“{text}” was answered with {told}.")
        reply: dict[str, Any] = told["reply"]
        return reply

    async def complete(self, text: str) -> list[Any]:
        """Return the ways to go on with a text."""
        asked = {"as": self._who, "text": text}
        async with self._session.get(f"{self._address}/api/complete", params=asked) as answer:
            suggestions: list[Any] = (await answer.json())["suggestions"]
            return suggestions

    async def run(self, text: str) -> Seen:
        """Ask for a run and wait until its end is shown."""
        reply = await self.say(text)
        async with self._news:
            await self._news.wait_for(lambda: reply["run"] in self._ended)
        return self._ended.pop(reply["run"])

    async def listen(self) -> None:
        """Take events in until cancelled."""
        timeout = aiohttp.ClientTimeout(total=None)
        events = self._session.get(f"{self._address}/api/events", params={"as": self._who}, timeout=timeout)
        async with events as stream:
            async for line in stream.content:
                if line.startswith(b"data: ") and b'"state": "' in line:
                    await self._take(json.loads(line[6:]), time.time())

    async def _take(self, message: dict[str, Any], now: float) -> None:
        card = message["card"]
        if card["state"] not in ENDS:
            return
        if card["state"] != "succeeded":
            raise SystemExit(f"A run ended as {card['state']}: {card['lead']}")
        began = float(card["blocks"][0]["text"])
        async with self._news:
            self._ended[card["run"]] = Seen(began, now)
            self._news.notify_all()


@asynccontextmanager
async def channel(address: str, who: str = "engineer") -> AsyncIterator[Channel]:
    """Connect a page."""
    async with aiohttp.ClientSession(read_bufsize=2**20) as session:
        page = Channel(session, address, who)
        listening = asyncio.create_task(page.listen())
        await asyncio.sleep(0.2)
        try:
            yield page
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
