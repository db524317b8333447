"""`deputy say`: the local channel in a terminal."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from bot.cli import show
from bot.cli.serve import with_world
from bot.core.errors import Unavailable
from bot.core.run import State
from bot.settings import Settings, read

if TYPE_CHECKING:
    from aiohttp import ClientSession

EXIT_CODES = {State.SUCCEEDED: 0, State.AWAITING_APPROVAL: 3, State.REFUSED: 2, State.DENIED: 2}
FAILED = 1
REFUSED = 2


def say(
    text: Annotated[str, typer.Argument(help='What you would type after /deputy: "disk-usage path=/"')],
    who: Annotated[str, typer.Option("--as", help="helpdesk, manager, oncall, engineer or nobody")],
) -> None:
    """Say something to Deputy and see it through: exit code 0 succeeded, 1 failed, 2 refused, 3 waiting."""
    raise typer.Exit(asyncio.run(_say(replace(read(), local_chat=True), who, text)))


async def _say(settings: Settings, who: str, text: str) -> int:
    async with _channel(settings) as channel:
        before = {message["key"]: message["version"] for message in await channel.messages(who)}
        status, answer = await channel.post(
            "/api/say", {"as": who, "delivery": str(uuid4()), "text": f"/deputy {text}"}
        )
        if status != 200:
            print(f"✖ {answer['error']}")
            return REFUSED if status in (400, 403, 404, 409) else FAILED
        reply = answer["reply"]
        if reply["card"]:
            print(show.card(reply["card"]))
        if reply["form"]:
            print(show.form(reply["form"]))
            return REFUSED
        run = reply["run"]
        return await _follow(channel, who, run, before) if run else 0


class _Channel:
    """The local channel's API, at one address."""

    def __init__(self, session: "ClientSession", address: str) -> None:
        self._session = session
        self._address = address

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        return await self._answer("GET", path, params=query)

    async def messages(self, who: str) -> list[Mapping[str, Any]]:
        """Return what somebody sees in the channel; nobody known sees nothing."""
        status, answer = await self.get("/api/messages", **{"as": who})
        if status >= 500:
            raise Unavailable(f"The channel can't be read: {answer['error']}")
        return list(answer.get("messages", ()))

    async def post(self, path: str, body: Mapping[str, str]) -> tuple[int, Any]:
        return await self._answer("POST", path, json=body)

    async def _answer(self, method: str, path: str, **what: Any) -> tuple[int, Any]:
        """Return status and JSON. Raises Unavailable where nobody answers, or somebody else does."""
        import aiohttp

        try:
            async with self._session.request(method, f"{self._address}{path}", **what) as answer:
                return answer.status, await answer.json()
        except (aiohttp.ContentTypeError, ValueError):
            raise Unavailable(
                f"What answers at {self._address} is not Deputy's channel. "
                "Stop what listens there, or choose another port with DEPUTY_PORT."
            ) from None
        except (aiohttp.ClientError, OSError):
            raise Unavailable(
                f"The Deputy at {self._address} went away before this was seen through. "
                "Once it runs again, `mine` says how far your run came."
            ) from None


@asynccontextmanager
async def _channel(settings: Settings) -> AsyncIterator[_Channel]:
    """Speak to the Deputy that runs, or bring one up for as long as this takes."""
    import aiohttp  # other commands do without, and are there sooner

    async with aiohttp.ClientSession() as session:
        address = settings.address()
        try:
            async with session.get(f"{address}/healthz", timeout=aiohttp.ClientTimeout(total=2)):
                pass
        except (aiohttp.ClientError, TimeoutError):
            async with with_world(replace(settings, port=0)) as own:
                yield _Channel(session, own)
        else:
            yield _Channel(session, address)


async def _follow(channel: _Channel, who: str, run: str, before: Mapping[str, int]) -> int:
    """Print a run's card whenever it changes, until the run has ended or waits for somebody else.

    `before` are the versions of the messages that this person had seen before they spoke. Of a run that had ended
    by then, what is told beside it is printed (that an emergency is reviewed).
    """
    shown = before.get(run, 0)
    while True:
        messages = await channel.messages(who)
        beside = [one for one in messages if one["key"].startswith(f"{run}:") and _is_new(one, before)]
        if beside and shown and shown == before.get(run):
            print("\n".join(show.card(one["card"]) for one in beside), flush=True)
            return 0
        message = next((one for one in reversed(messages) if one["key"] == run), None)
        if message and message["version"] > shown:
            shown = message["version"]
            print(show.card(message["card"]), flush=True)
            state = State(message["card"]["state"])
            if state.ended or state is State.AWAITING_APPROVAL:
                await _private(channel, who, run, messages)
                return EXIT_CODES.get(state, FAILED)
        await asyncio.sleep(0.05)


def _is_new(message: Mapping[str, Any], before: Mapping[str, int]) -> bool:
    return message["card"] is not None and message["version"] > before.get(message["key"], 0)


async def _private(channel: _Channel, who: str, run: str, messages: list[Mapping[str, Any]]) -> None:
    """Print a private result where it is this person's."""
    if any(message["key"] == f"{run}:result" for message in messages):
        status, answer = await channel.get(f"/api/output/{run}", **{"as": who})
        if status == 200:
            print(f"  (only you see this)\n{answer['text']}")
