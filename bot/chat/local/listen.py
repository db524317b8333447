"""Listening to the local channel: a page on loopback, and the HTTP API that it and `deputy say` speak."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from aiohttp import web

from bot.chat.local import render
from bot.chat.local.asides import failure
from bot.chat.local.guard import LARGEST, body, guard, harden, take
from bot.chat.local.post import CONVERSATION, PLACE, Event, LocalChat
from bot.core import canonical
from bot.core import card as cards
from bot.core.card import Verb
from bot.core.command import LONGEST, addressed
from bot.core.errors import DeputyError, Invalid, Refused
from bot.core.principal import Account
from bot.core.text import fault_in
from bot.ports import Delivery
from bot.service.door import Door
from bot.service.reply import Reply

HEARTBEAT = 15.0  # seconds of silence after which a connected page hears that all is well
_PAGE = Path(__file__).parent / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Person:
    """Somebody you can be in the local channel: the account's name, what people read, and what to try first."""

    account: str
    name: str
    title: str
    examples: tuple[str, ...] = ()


def application(door: Door, channel: LocalChat, people: Sequence[Person]) -> web.Application:
    """Build the local channel's application, to be served on loopback only."""
    site = _Site(door, channel, people)
    app = web.Application(client_max_size=LARGEST, middlewares=[guard])
    app.on_response_prepare.append(harden)
    app.on_shutdown.append(site.close)
    app.add_routes(
        [
            web.get("/", site.page),
            web.get(r"/static/{name:[a-z]+\.(?:css|js|svg)}", site.page),
            web.get("/healthz", site.health),
            web.get("/api/people", site.people),
            web.get("/api/messages", site.messages),
            web.get("/api/answers", site.answers),
            web.get("/api/events", site.events),
            web.get("/api/complete", site.complete),
            web.post("/api/say", site.say),
            web.post("/api/fill", site.fill),
            web.post("/api/press", site.press),
            web.get(r"/api/output/{run:R-\w{1,32}}", site.output),
            web.get(r"/raw/{run:R-\w{1,32}}", site.raw),
            web.get(r"/raw/{run:R-\w{1,32}}/changes", site.changes),
            web.get(r"/api/audit/{reference:(?i:AUD)-[0-9A-Za-z-]{1,32}}", site.audit),
        ]
    )
    return app


class _Site:
    """The handlers. Who asks is what the request says (`as`): this channel is for demonstration and tests."""

    def __init__(self, door: Door, channel: LocalChat, people: Sequence[Person]) -> None:
        self._door = door
        self._channel = channel
        self._people = {person.account: person for person in people}
        self._files = {path.name: path.read_bytes() for path in _PAGE.iterdir() if path.suffix in _TYPES}

    async def page(self, request: web.Request) -> web.Response:
        name = request.match_info.get("name", "index.html")
        if name not in self._files:
            raise web.HTTPNotFound
        return web.Response(body=self._files[name], content_type=_TYPES[Path(name).suffix], charset="utf-8")

    async def health(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def people(self, request: web.Request) -> web.Response:
        people = [asdict(person) for person in self._people.values()]
        return web.json_response({"conversation": CONVERSATION, "people": people})

    async def messages(self, request: web.Request) -> web.Response:
        viewer = await self._viewer(self._asker(request))
        return web.json_response({"messages": await self._channel.messages(viewer)})

    async def answers(self, request: web.Request) -> web.Response:
        account = self._asker(request)
        kept = self._channel.asides.of(account.id, await self._viewer(account))
        return web.json_response({"messages": [render.message(one) for one in kept]})

    async def events(self, request: web.Request) -> web.StreamResponse:
        viewer = await self._viewer(self._asker(request))
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        with self._channel.listen(viewer) as listener:
            await stream.prepare(request)
            event: Event | None = None
            while event is None or event.name != "close":
                try:
                    await stream.write(_encoded(event))
                except ConnectionResetError:
                    break
                event = await listener.next(HEARTBEAT)
        return stream

    async def complete(self, request: web.Request) -> web.Response:
        account, text = self._asker(request), request.query.get("text", "")
        rest = addressed(text)
        if rest is None:
            return web.json_response({"suggestions": []})
        head = text[: len(text) - len(rest)].rstrip() + " "
        suggestions = [render.suggestion(head, one) for one in await self._door.complete(account, rest)]
        return web.json_response({"suggestions": suggestions})

    async def say(self, request: web.Request) -> web.Response:
        account, delivery, data = await self._sent(request)
        text = take(data, "text", str)
        command = addressed(text)
        if command is None:
            _check_words(text)
            await self._channel.say(account.id, text, delivery.id)
            return _answer(Reply())
        try:
            reply = await self._door.say(account, PLACE, command, delivery)
        except DeputyError as error:
            await self._keep(account, delivery, failure(str(error)), text)
            raise
        return await self._replied(account, delivery, reply, text)

    async def fill(self, request: web.Request) -> web.Response:
        account, delivery, data = await self._sent(request)
        action, reason = take(data, "action", str), take(data, "reason", str)
        values = take(data, "values", dict)
        reply = await self._door.fill(account, PLACE, action, values, reason, delivery)
        return await self._replied(account, delivery, reply)

    async def press(self, request: web.Request) -> web.Response:
        account, delivery, data = await self._sent(request)
        subject, comment = take(data, "subject", str), take(data, "comment", str)
        try:
            verb = Verb(take(data, "verb", str))
        except ValueError:
            raise Invalid(f"“verb” must be one of {', '.join(Verb)}.") from None
        reply = await self._door.press(account, PLACE, verb, subject, comment, delivery)
        if verb in (Verb.FAVOUR, Verb.UNFAVOUR):  # the page shows it by the star that was pressed
            with suppress(DeputyError):
                viewer = await self._viewer(account)
                self._channel.asides.mark(account.id, viewer, subject, favourite=verb is Verb.FAVOUR)
            return _answer(reply)
        return await self._replied(account, delivery, reply)

    async def output(self, request: web.Request) -> web.Response:
        return web.json_response({"text": await self._output(request)})

    async def raw(self, request: web.Request) -> web.Response:
        return _plain(await self._output(request))

    async def changes(self, request: web.Request) -> web.Response:
        return _plain(await self._door.changes(self._asker(request), request.match_info["run"]))

    async def audit(self, request: web.Request) -> web.Response:
        card = await self._door.audit(self._asker(request), request.match_info["reference"])
        return web.json_response(cards.to_json(card))

    async def close(self, app: web.Application) -> None:
        self._channel.close()

    async def _output(self, request: web.Request) -> str:
        return await self._door.output(self._asker(request), request.match_info["run"])

    def _asker(self, request: web.Request) -> Account:
        return self._account(request.query.get("as", ""))

    def _account(self, name: str) -> Account:
        if name not in self._people:
            raise Invalid(f"There is nobody of that name here. Choose one of {', '.join(self._people)}.")
        return Account(PLACE.platform, name)

    async def _viewer(self, account: Account) -> str:
        try:
            return (await self._door.person(account)).who.key
        except Refused:
            return ""  # linked to nobody: sees what everybody sees

    async def _replied(self, account: Account, delivery: Delivery, reply: Reply, text: str = "") -> web.Response:
        if reply.card:
            await self._keep(account, delivery, reply.card, text)
        return _answer(reply)

    async def _keep(self, account: Account, delivery: Delivery, card: cards.Card, text: str) -> None:
        """Keep an answer for the page to be loaded anew; not where nobody can say whose it is."""
        with suppress(DeputyError):
            self._channel.asides.keep(account.id, await self._viewer(account), delivery.id, card, text)

    async def _sent(self, request: web.Request) -> tuple[Account, Delivery, Mapping[str, Any]]:
        data = await body(request)
        account = self._account(take(data, "as", str))
        try:
            delivery = UUID(take(data, "delivery", str))
        except ValueError:
            raise Invalid("“delivery” must be a UUID, made anew for everything sent.") from None
        return account, Delivery(f"{PLACE.platform}:{delivery}", _content(data)), data


def _plain(text: str) -> web.Response:
    return web.Response(body=text.encode(errors="replace"), content_type="text/plain", charset="utf-8")


def _content(data: Mapping[str, Any]) -> str:
    try:
        return canonical.sha256(data)
    except RecursionError:
        raise Invalid("The message is nested too deep.") from None


def _check_words(text: str) -> None:
    if not text.strip():
        raise Invalid("There is nothing to send. Write a message, or /deputy to see what you may do.")
    if len(text) > LONGEST:
        raise Invalid(f"That message is {len(text):,} characters long; {LONGEST:,} is the most.")
    fault = fault_in(text, lines=True)
    if fault:
        raise Invalid(f"That message {fault}. Take it out and send it again.")


def _answer(reply: Reply) -> web.Response:
    return web.json_response({"reply": render.reply(reply)})


def _encoded(event: Event | None) -> bytes:
    """Write an event as server-sent events do (HTML standard, 9.2); None is a heartbeat."""
    if event is None:
        return b": all is well\n\n"
    return f"event: {event.name}\ndata: {json.dumps(event.data)}\n\n".encode()
