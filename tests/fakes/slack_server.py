"""Slack, played on loopback: Web API, deliveries signed over HTTP or through Socket Mode, and Slack's limits.

    async with SlackServer() as slack:
        slack.app_url = "http://127.0.0.1:8700/slack/events"     # where the app listens
        # The app gets: slack.api_url, slack.signing_secret, slack.bot_token, slack.app_token, TEAM, APP.
        answer = await slack.hanna.command("/deputy unlock-account alice")
        assert answer.status == 200
        message = await slack.until(lambda: slack.shown("C0OPS"))
        await slack.martin.press(message[0], "Approve")          # by action id, or the words on the button

People: hanna (helpdesk), martin, maya, mario (managers), olivia (on-call), edda (engineer), eve (linked to
nobody), stranger (of another team), guest, gone (deactivated), robot (a bot). Each has `.id`, `.modal`, `.home`,
`.whispers`, `.directs`, `.told` (what Slack itself complained of) and does `command press choose type enter submit
close shortcut open_home mention direct say`. Channels: C0OPS, C0APPROVE (managers only), C0CLOSED (without the
app), C0OLD (archived); `D…` is a person's own with the app.

What was seen: `shown(channel)`, `replies(channel, ts)`, `workspace.messages` (ephemeral ones have `only`),
`workspace.files`, `calls` (every Web API call and its answer), `http.sent`, `socket.envelopes` (every delivery).
`await until(look)` waits until `look()` returns something; nothing here has to be slept for.

What goes wrong, when told to: `await down()` / `await up()` (nobody listens), `fails = "500" | "hang" | "reset"`,
`latency` in seconds, `throttle(method, retry_after, times)`, `posts_per_second` per channel, `workspace.scopes`,
`pass_time(seconds)` for triggers and response URLs. `mode = "socket"` delivers through Socket Mode; `redeliver`,
`replay` and `http.post(delivery(…))` deliver again, to any address; `sign(…)` signs anything.
"""

import asyncio
import json
import math
import socket
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from tests.fakes.slack_api import FORM_ONLY, Api, checked_view
from tests.fakes.slack_delivery import SIGNING_SECRET, Answer, Delivery, Kind, OverHttp, OverSocket, delivery
from tests.fakes.slack_limits import message_faults, too_long
from tests.fakes.slack_person import Person
from tests.fakes.slack_workspace import APP, BOT_PERSON, TEAM, Message, Permit, Problem, Workspace

BOT_TOKEN, APP_TOKEN = "xoxb-fake-deputy", "xapp-fake-deputy"


@dataclass(frozen=True)
class Call:
    """One call of the Web API, and what it was answered."""

    method: str
    given: Mapping[str, Any]
    answer: Mapping[str, Any]
    status: int = 200
    at: float = field(default_factory=time.monotonic)


class SlackServer:
    """The server. Everything that changes something notes it in `workspace`."""

    def __init__(self, mode: str = "http") -> None:
        self.workspace = Workspace()
        self.http, self.socket = OverHttp(), OverSocket(self.workspace.changed)
        self.mode = mode
        self.calls: list[Call] = []
        self.signing_secret, self.bot_token, self.app_token = SIGNING_SECRET, BOT_TOKEN, APP_TOKEN
        self.fails, self.latency, self.posts_per_second = "", 0.0, 0.0
        self._api = Api(self.workspace, self.address)
        self._throttled: dict[str, list[float]] = {}
        self._next_post: dict[str, float] = defaultdict(float)
        self._port = 0
        self._runner: web.AppRunner | None = None
        self.people = {
            one.name: Person(self, one) for one in self.workspace.members.values() if one.id != BOT_PERSON
        }

    def __getattr__(self, name: str) -> Person:
        people: dict[str, Person] = self.__dict__.get("people", {})
        if name not in people:
            raise AttributeError(name)
        return people[name]

    # ---- where it is -----------------------------------------------------------------------------

    def address(self) -> str:
        """Return the address of everything but the Web API."""
        return f"http://127.0.0.1:{self._port}/"

    @property
    def api_url(self) -> str:
        return f"{self.address()}api/"

    @property
    def app_url(self) -> str:
        return self.http.url

    @app_url.setter
    def app_url(self, url: str) -> None:
        self.http.url = url

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.http.close()
        await self.down()

    async def up(self) -> None:
        """Listen, at the same address as before."""
        site = web.Application(client_max_size=2**27)
        site.add_routes(
            [
                web.route("*", "/api/{method}", self._method),
                web.post("/upload/{file}", self._upload),
                web.post("/respond/{response}", self._response),
                web.get("/link/", self.socket.connect),
            ]
        )
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self._runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def down(self) -> None:
        """End every connection and refuse new ones."""
        if self._runner:
            self.socket.abort()
            await self._runner.cleanup()
            self._runner = None

    # ---- deliveries ------------------------------------------------------------------------------

    async def deliver(self, kind: Kind, payload: Mapping[str, Any]) -> Answer:
        """Deliver in the way that `mode` says."""
        return await (self.http if self.mode == "http" else self.socket).deliver(kind, payload)

    async def redeliver(self, sent: Delivery, to: str = "", attempt: int = 1) -> Answer:
        """Deliver again as Slack's retries do: the same payload, signed anew."""
        return await self.http.post(delivery(sent.kind, sent.payload, attempt), to)

    async def replay(self, sent: Delivery, to: str = "") -> Answer:
        """Deliver again what somebody recorded: the same bytes and headers."""
        return await self.http.post(sent, to)

    async def verify_url(self) -> Answer:
        """Ask as Slack does when the address of events is set."""
        return await self.http.post(delivery("events_api", {"type": "url_verification", "challenge": "3eZbrw1a"}))

    def checked_view(self, spec: Any) -> dict[str, Any]:
        """Return a modal that is legal. Raises Problem."""
        return checked_view(spec, "modal")

    # ---- what was seen ---------------------------------------------------------------------------

    async def until(self, look: Any, seconds: float = 20) -> Any:
        """Wait until `look` returns something, and return that. Raises TimeoutError."""
        return await self.workspace.until(look, seconds)

    def shown(self, channel: str = "C0OPS") -> list[Message]:
        """Return what everybody sees in a channel, threads left out."""
        return [one for one in self.workspace.shown(channel) if one.thread_ts in ("", one.ts)]

    def replies(self, channel: str, ts: str) -> list[Message]:
        """Return what is in a message's thread."""
        return [one for one in self.workspace.shown(channel, ts) if one.ts != ts]

    def made(self, method: str) -> list[Call]:
        """Return the calls of a method, those that failed too."""
        return [one for one in self.calls if one.method == method]

    # ---- what goes wrong -------------------------------------------------------------------------

    def throttle(self, method: str, retry_after: float = 1, times: int = 1) -> None:
        """Answer the next calls of a method, or those of a `response_url`, with 429."""
        self._throttled.setdefault(method, []).extend([retry_after] * times)

    def pass_time(self, seconds: float) -> None:
        """Make triggers and response URLs older."""
        self.workspace.ahead += seconds

    # ---- requests --------------------------------------------------------------------------------

    async def _method(self, request: web.Request) -> web.StreamResponse:
        broken = await self._broken(request)
        if broken:
            return broken
        method, given = request.match_info["method"], dict[str, Any]()
        try:
            given = {**await _given(request)}
            pause = self._pause(method, given)
            if pause:
                return self._answered(method, given, {"ok": False, "error": "ratelimited"}, 429, pause)
            answer = self._called(method, given, _token(request, given))
        except Problem as problem:
            answer = problem.answer
        return self._answered(method, given, answer)

    def _called(self, method: str, given: Mapping[str, Any], token: str) -> dict[str, Any]:
        if not token:
            raise Problem("not_authed")
        if token not in (self.bot_token, self.app_token):
            raise Problem("invalid_auth")
        if (token == self.app_token) != (method == "apps.connections.open"):
            raise Problem("not_allowed_token_type")
        if method == "apps.connections.open":
            url = f"ws://127.0.0.1:{self._port}/link/?ticket={self.socket.ticket()}&app_id={APP}"
            return {"ok": True, "url": url}
        return self._api.call(method, given)

    def _answered(
        self, method: str, given: Mapping[str, Any], answer: Mapping[str, Any], status: int = 200, pause: float = 0
    ) -> web.Response:
        self.calls.append(Call(method, given, answer, status))
        self.workspace.changed()
        headers = {"Retry-After": str(math.ceil(pause))} if pause else {}
        if method == "auth.test" and answer["ok"]:
            headers["X-OAuth-Scopes"] = ",".join(sorted(self.workspace.scopes))
        return web.json_response(answer, status=status, headers=headers)

    def _pause(self, method: str, given: Mapping[str, Any]) -> float:
        """Return for how many seconds a call comes too early."""
        if self._throttled.get(method):
            return self._throttled[method].pop(0)
        if method not in ("chat.postMessage", "chat.postEphemeral") or not self.posts_per_second:
            return 0
        channel, now = str(given.get("channel")), time.monotonic()
        if self._next_post[channel] > now:
            return self._next_post[channel] - now
        self._next_post[channel] = now + 1 / self.posts_per_second
        return 0

    async def _broken(self, request: web.Request) -> web.Response | None:
        """Fail as the server was told to."""
        await asyncio.sleep(self.latency)
        if self.fails == "hang":
            await asyncio.sleep(3600)
        if self.fails == "reset" and request.transport:
            request.transport.abort()
        return web.Response(status=500, text="Internal Server Error") if self.fails else None

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        broken = await self._broken(request)
        if broken:
            return broken
        file = self.workspace.files.get(request.match_info["file"])
        if file is None:
            raise web.HTTPNotFound
        if request.content_type == "multipart/form-data":
            held: Any = next(iter((await request.post()).values()))
            file.content = held.file.read() if isinstance(held, web.FileField) else bytes(held)
        else:
            file.content = await request.read()
        return web.Response(text=f"OK - {len(file.content)}")

    async def _response(self, request: web.Request) -> web.StreamResponse:
        broken = await self._broken(request)
        if broken:
            return broken
        try:
            if self._throttled.get("response_url"):
                pause = math.ceil(self._throttled["response_url"].pop(0))
                return web.Response(status=429, headers={"Retry-After": str(pause)})
            response = self._usable(request.match_info["response"])
            self._respond(response, await _given(request))
        except Problem as problem:
            return web.json_response(problem.answer, status=404)
        response.left -= 1
        return web.Response(text="ok")

    def _usable(self, id: str) -> Permit:
        response = self.workspace.responses.get(id)
        if response is None or response.until < self.workspace.now():
            raise Problem("expired_url")
        if not response.left:
            raise Problem("used_url")
        return response

    def _respond(self, response: Permit, given: Mapping[str, Any]) -> None:
        blocks, text = given.get("blocks") or [], given.get("text") or ""
        faults = message_faults(blocks)
        if faults or too_long(blocks):
            raise Problem("invalid_blocks", *faults)
        acted_on = [one for one in self.workspace.messages if response.message and one.ts == response.message]
        if acted_on and given.get("delete_original"):
            acted_on[0].deleted = True
        elif acted_on and given.get("replace_original"):
            acted_on[0].edits.append((acted_on[0].text, acted_on[0].blocks))
            acted_on[0].text, acted_on[0].blocks = text, self.workspace.named(blocks)
        elif not text and not blocks:
            raise Problem("no_text")
        else:
            only = "" if given.get("response_type") == "in_channel" else response.owner
            stamp, named = self.workspace.stamp(), self.workspace.named(blocks)
            self.workspace.say(Message(response.channel, stamp, BOT_PERSON, text, named, only=only))
        self.workspace.changed()


async def _given(request: web.Request) -> Mapping[str, Any]:
    """Return a call's arguments: from a form or the query, or from JSON where the method takes that."""
    given: dict[str, Any] = dict(request.query)
    if request.content_type != "application/json":
        return {
            **given,
            **{name: value for name, value in (await request.post()).items() if isinstance(value, str)},
        }
    try:
        sent = json.loads(await request.read() or b"{}")
    except ValueError:
        raise Problem("invalid_json") from None
    except ConnectionResetError:
        raise web.HTTPBadRequest from None  # the app is gone
    if not isinstance(sent, dict):
        raise Problem("json_not_object")
    if sent and request.match_info.get("method") in FORM_ONLY:
        raise Problem(
            "invalid_arguments", "this method reads a form or the query: what a JSON body says is not seen"
        )
    return {**given, **sent}


def _token(request: web.Request, given: Mapping[str, Any]) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind == "Bearer" else str(given.get("token", ""))


__all__ = ["APP", "TEAM", "Answer", "Call", "Delivery", "Person", "SlackServer"]
