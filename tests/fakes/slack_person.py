"""Somebody at Slack: they type, press and fill in, and Slack delivers it to the app."""

import copy
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tests.fakes.slack_delivery import Answer, Kind
from tests.fakes.slack_inputs import Impossible, all_states, find, missing, state
from tests.fakes.slack_limits import message_faults, options_faults
from tests.fakes.slack_workspace import (
    APP,
    BOT_PERSON,
    OTHER_TEAM,
    TEAM,
    Member,
    Message,
    Problem,
    View,
    Workspace,
)

TOKEN = "verification-token-of-old"
DOMAINS = {TEAM: "deputy", OTHER_TEAM: "other"}
BROKEN = "{} failed because the app did not respond."


class Slack(Protocol):
    """What a person needs of the server."""

    workspace: Workspace

    async def deliver(self, kind: Kind, payload: Mapping[str, Any]) -> Answer: ...

    def address(self) -> str: ...

    def checked_view(self, spec: Any) -> dict[str, Any]: ...


class Person:
    """Everything one does is delivered at once; the app's answer comes back, and takes effect.

    `told` are the complaints that Slack itself showed them, such as that the app did not respond.
    """

    def __init__(self, slack: Slack, member: Member) -> None:
        self._slack = slack
        self._workspace = slack.workspace
        self.member = member
        self.id = member.id
        self.told: list[str] = []

    # ---- what they see ---------------------------------------------------------------------------

    @property
    def modal(self) -> View | None:
        """The modal in front of them."""
        stack = self._workspace.modals.get(self.id)
        return stack[-1] if stack else None

    @property
    def home(self) -> View | None:
        return self._workspace.homes.get(self.id)

    @property
    def whispers(self) -> list[Message]:
        """The ephemeral messages that only they see."""
        return self._workspace.whispered(self.id)

    @property
    def directs(self) -> list[Message]:
        """Their conversation with the app."""
        return self._workspace.shown(self._workspace.direct(self.id).id)

    # ---- what they do ----------------------------------------------------------------------------

    async def command(self, line: str, channel: str = "C0OPS") -> Answer:
        """Type a slash command, such as `/deputy unlock-account alice`."""
        command, _, words = line.partition(" ")
        answer = await self._slack.deliver("slash_commands", self.command_payload(command, words, channel))
        if not answer.ok:
            self.told.append(BROKEN.format(command))
        self._respond(answer, channel)
        return answer

    async def press(self, where: Message | View, wanted: str, block_id: str = "") -> Answer:
        """Press a button of a message or view, named by its action id or the words on it."""
        block, element = find(_blocks(where), wanted, block_id)
        pressed = {name: element[name] for name in ("text", "value", "style") if name in element}
        return await self._act(where, block, element, pressed)

    async def choose(self, where: Message | View, wanted: str, value: Any) -> Answer:
        """Choose in a select, date or other element that tells the app at once."""
        block, element = find(_blocks(where), wanted)
        key = (block["block_id"], element["action_id"])
        chosen = state(element, value, where.offered.get(key, []) if isinstance(where, View) else [])
        if isinstance(where, View):
            where.entered[key] = chosen
            if block["type"] == "input" and not block.get("dispatch_action"):
                return Answer(200)
            all_states(where)
        return await self._act(where, block, element, {k: v for k, v in chosen.items() if k != "type"})

    async def type(self, where: Message | View, wanted: str, text: str = "") -> list[dict[str, Any]]:
        """Type into an external select; return the options that were loaded."""
        block, element = find(_blocks(where), wanted)
        if len(text) < element.get("min_query_length", 3):
            raise Impossible(f"{wanted} asks for nothing before {element.get('min_query_length', 3)} characters.")
        named = {"action_id": element["action_id"], "block_id": block["block_id"], "value": text}
        payload = {"type": "block_suggestion", **self._common(where), **named}
        answer = await self._slack.deliver("interactive", payload)
        body = answer.body if answer.ok and isinstance(answer.body, dict) else {}
        faults = options_faults(body)
        if faults:
            self.told.append(f"No options: {faults[0]}")
            return []
        options = [*(body.get("options") or [])]
        options += [one for group in body.get("option_groups") or [] for one in group["options"]]
        if isinstance(where, View):
            where.offered.setdefault((block["block_id"], element["action_id"]), []).extend(options)
        return options

    async def enter(self, view: View, values: Mapping[str, Any]) -> None:
        """Enter values by action id, block id or label, without sending the form; external selects load first."""
        for wanted, value in values.items():
            block, element = find(view.spec["blocks"], wanted)
            key = (block["block_id"], element["action_id"])
            if "external" in element["type"] and value is not None:
                for one in value if isinstance(value, list) else [value]:
                    await self.type(view, wanted, str(one))
            view.entered[key] = state(element, value, view.offered.get(key, []))

    async def submit(self, view: View, values: Mapping[str, Any] | None = None, *, anyway: bool = False) -> Answer:
        """Fill in and send a form. Raises Impossible where Slack's client wouldn't send it, but for `anyway`."""
        await self.enter(view, values or {})
        all_states(view)
        wrong = list(missing(view))
        if wrong and not anyway:
            raise Impossible("; ".join(wrong))
        answer = await self._slack.deliver("interactive", self.submission(view))
        if answer.ok:
            self._go_on(view, answer.body)
        else:
            self.told.append("We had some trouble connecting. Try again?")
        return answer

    async def close(self, view: View) -> Answer | None:
        """Close a modal; the app hears of it where it asked for that."""
        self._workspace.modals[self.id] = [one for one in self._workspace.modals[self.id] if one is not view]
        if not view.spec.get("notify_on_close"):
            return None
        payload = {"type": "view_closed", **self._acting(), "view": view.as_json(), "is_cleared": False}
        return await self._slack.deliver("interactive", payload)

    async def shortcut(self, callback_id: str, message: Message | None = None) -> Answer:
        """Choose a shortcut, of a message or of all of Slack."""
        payload = {"type": "shortcut", **self._acting(), "callback_id": callback_id, "action_ts": _stamp()}
        payload["trigger_id"] = self._workspace.trigger(self.id)
        if message:
            about = {
                "channel": self._place(message.channel),
                "message": message.as_json(),
                "message_ts": message.ts,
            }
            response = self._response_url(message.channel, message.ts)
            payload |= {"type": "message_action", **about, "response_url": response}
        return await self._slack.deliver("interactive", payload)

    async def open_home(self) -> Answer:
        """Open the app's Home tab."""
        shown = {"view": self.home.as_json()} if self.home else {}
        channel = self._workspace.direct(self.id).id
        return await self._event({"type": "app_home_opened", "channel": channel, "tab": "home", **shown})

    async def mention(self, text: str, channel: str = "C0OPS", thread_ts: str = "") -> Answer:
        """Say something to the app in a channel."""
        said = self._say(f"<@{BOT_PERSON}> {escaped(text)}", channel, thread_ts)
        return await self._event({**said, "type": "app_mention"})

    async def direct(self, text: str) -> Answer:
        """Say something to the app alone."""
        said = self._say(escaped(text), self._workspace.direct(self.id).id, "")
        return await self._event({**said, "type": "message", "channel_type": "im"})

    def say(self, text: str, channel: str = "C0OPS") -> Message:
        """Say something that isn't meant for the app, and return it."""
        return self._workspace.say(Message(channel, self._workspace.stamp(), self.id, escaped(text)))

    # ---- payloads --------------------------------------------------------------------------------

    def command_payload(self, command: str, words: str, channel: str = "C0OPS") -> dict[str, str]:
        """Return what a slash command delivers."""
        return {
            "token": TOKEN,
            "team_id": self.member.team,
            "team_domain": DOMAINS[self.member.team],
            "channel_id": self._workspace.channel(channel).id,
            "channel_name": self._workspace.channel(channel).name,
            "user_id": self.id,
            "user_name": self.member.name,
            "command": command,
            "text": words,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": self._response_url(channel),
            "trigger_id": self._workspace.trigger(self.id),
        }

    def press_payload(self, where: Message | View, wanted: str) -> dict[str, Any]:
        """Return what the press of a button delivers."""
        block, element = find(_blocks(where), wanted)
        pressed = {name: element[name] for name in ("text", "value", "style") if name in element}
        return self._action(where, block, element, pressed)

    def submission(self, view: View) -> dict[str, Any]:
        """Return what a form delivers that is sent."""
        handed = {"trigger_id": self._workspace.trigger(self.id), "response_urls": []}
        return {"type": "view_submission", **self._acting(), **handed, "view": view.as_json()}

    def event_payload(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return what an event delivers."""
        stamp = _stamp()
        return {
            "token": TOKEN,
            "team_id": TEAM,
            "context_team_id": TEAM,
            "context_enterprise_id": None,
            "api_app_id": APP,
            "event": {"user": self.id, "event_ts": stamp, **event},
            "type": "event_callback",
            "event_id": self._workspace.number("Ev"),
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": TEAM,
                    "user_id": BOT_PERSON,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": self.member.team != TEAM,
            "event_context": "4-fake",
        }

    async def _event(self, event: Mapping[str, Any]) -> Answer:
        return await self._slack.deliver("events_api", self.event_payload(event))

    async def _act(self, where: Message | View, block: Any, element: Any, entered: Mapping[str, Any]) -> Answer:
        answer = await self._slack.deliver("interactive", self._action(where, block, element, entered))
        if not answer.ok:
            self.told.append("This app responded with an error, or not at all.")
        return answer

    def _action(
        self, where: Message | View, block: Any, element: Any, entered: Mapping[str, Any]
    ) -> dict[str, Any]:
        own = {"action_id": element["action_id"], "block_id": block["block_id"], "type": element["type"]}
        acted = {"actions": [{**own, **entered, "action_ts": _stamp()}]}
        handed: dict[str, Any] = {"trigger_id": self._workspace.trigger(self.id)}
        if isinstance(where, Message):
            handed["response_url"] = self._response_url(where.channel, where.ts)
            handed["state"] = {"values": {}}
        return {"type": "block_actions", **self._common(where), **handed, **acted}

    def _common(self, where: Message | View) -> dict[str, Any]:
        if isinstance(where, View):
            container = {"type": "view", "view_id": where.id}
            return {**self._acting(), "container": container, "view": where.as_json()}
        place = {"message_ts": where.ts, "channel_id": where.channel, "is_ephemeral": bool(where.only)}
        about = {"channel": self._place(where.channel)}
        if not where.only:
            about["message"] = where.as_json()
        return {**self._acting(), "container": {"type": "message", **place}, **about}

    def _acting(self) -> dict[str, Any]:
        team = self.member.team
        person = {"id": self.id, "username": self.member.name, "name": self.member.name, "team_id": team}
        return {
            "user": person,
            "api_app_id": APP,
            "token": TOKEN,
            "team": {"id": TEAM, "domain": DOMAINS[TEAM]},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _say(self, text: str, channel: str, thread_ts: str) -> dict[str, Any]:
        stamp = self._workspace.stamp()
        message = Message(channel, stamp, self.id, text, thread_ts=thread_ts)
        self._workspace.say(message)
        team = self.member.team
        theirs = {"user_team": team, "source_team": team} if team != TEAM else {}
        return {**message.as_json(), "channel": channel, "event_ts": stamp, "team": team, **theirs}

    def _place(self, channel: str) -> dict[str, str]:
        return {"id": channel, "name": self._workspace.channel(channel).name}

    def _response_url(self, channel: str, message: str = "") -> str:
        return f"{self._slack.address()}respond/{self._workspace.response(self.id, channel, message)}"

    # ---- what an answer does ---------------------------------------------------------------------

    def _respond(self, answer: Answer, channel: str) -> None:
        body = {"text": answer.body} if isinstance(answer.body, str) else answer.body
        if not answer.ok or not isinstance(body, dict) or not (body.get("text") or body.get("blocks")):
            return
        faults = message_faults(body.get("blocks") or [])
        if faults:
            self.told.append(f"The app's answer can't be shown: {faults[0]}")
            return
        only = "" if body.get("response_type") == "in_channel" else self.id
        blocks = self._workspace.named(body.get("blocks") or [])
        shown = Message(channel, self._workspace.stamp(), BOT_PERSON, body.get("text", ""), blocks, only=only)
        self._workspace.say(shown)

    def _go_on(self, view: View, body: Any) -> None:
        """Do with modals what the answer to a sent form says: close it, show faults, or another view."""
        body = body if isinstance(body, dict) else {}
        action, stack = body.get("response_action"), self._workspace.modals[self.id]
        try:
            if action == "errors":
                self._show_faults(view, body.get("errors"))
            elif action == "update":
                self._workspace.show(view, self._slack.checked_view(body.get("view")))
            elif action == "push":
                self._workspace.open(self.id, self._slack.checked_view(body.get("view")), on_top=True)
            else:
                self._workspace.modals[self.id] = [] if action == "clear" else stack[:-1]
                self._workspace.changed()
        except Problem as problem:
            self.told.append(f"The app's answer can't be shown: {problem}")

    def _show_faults(self, view: View, errors: Any) -> None:
        inputs = {block["block_id"] for block in view.spec["blocks"] if block["type"] == "input"}
        if not isinstance(errors, dict) or not errors or not errors.keys() <= inputs:
            raise Problem("errors must name blocks with inputs", str(errors))
        self._workspace.changed()


def as_it_is(message: Message) -> Message:
    """Return a message as it stands now, to act on when it has long been updated."""
    return copy.deepcopy(message)


def escaped(text: str) -> str:
    """Return a text as Slack hands on what people type."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _blocks(where: Message | View) -> Sequence[Mapping[str, Any]]:
    return where.blocks if isinstance(where, Message) else where.spec["blocks"]


def _stamp() -> str:
    return f"{time.time():.6f}"
