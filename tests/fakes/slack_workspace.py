"""What a Slack workspace holds: members, channels, messages, views, files, and what may be used how often."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Found = TypeVar("Found")

TEAM, OTHER_TEAM, APP = "T0DEPUTY", "T0OTHER", "A0DEPUTY"
BOT, BOT_PERSON = "B0DEPUTY", "U0DEPUTY"
TRIGGER_LIFE = 3.0  # seconds
RESPONSES, RESPONSE_LIFE = 5, 30 * 60.0  # times, seconds
DEEPEST = 3  # modals on top of each other
SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "usergroups:read",
    "users:read",
)


class Problem(Exception):
    """Slack says no: its error code, and what else it answers."""

    def __init__(self, error: str, *faults: str, **more: Any) -> None:
        super().__init__(error, *faults)
        self.answer = {"ok": False, "error": error, **more}
        if faults:
            self.answer["response_metadata"] = {"messages": list(faults)}


@dataclass(frozen=True)
class Member:
    """Somebody in the workspace, or seen from it. A stranger is of another team (Slack Connect)."""

    id: str
    name: str
    team: str = TEAM
    bot: bool = False
    guest: bool = False
    gone: bool = False


@dataclass
class Channel:
    """A conversation: `C…` of many, `D…` of one person with the app."""

    id: str
    name: str
    members: set[str]
    archived: bool = False


@dataclass
class Message:
    """A message. `only` names the one who sees an ephemeral one; `edits` are its earlier texts and blocks."""

    channel: str
    ts: str
    author: str
    text: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str = ""
    only: str = ""
    metadata: Mapping[str, Any] | None = None
    files: list["File"] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    edits: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    deleted: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as Slack shows it to apps."""
        whose = {"bot_id": BOT, "app_id": APP, "user": BOT_PERSON} if self.author == BOT_PERSON else {}
        more = {"thread_ts": self.thread_ts} if self.thread_ts else {}
        edited = {"edited": {"user": self.author, "ts": self.ts}} if self.edits else {}
        named = {"metadata": self.metadata} if self.metadata else {}
        named |= {"attachments": self.attachments} if self.attachments else {}
        shown = {"type": "message", "user": self.author, "ts": self.ts, "team": TEAM, "text": self.text}
        return {**shown, **whose, **more, **edited, **named, "blocks": self.blocks}


@dataclass
class File:
    """A file: announced by `files.getUploadURLExternal`, filled by the upload, shared by the completion."""

    id: str
    name: str
    length: int
    content: bytes | None = None
    title: str = ""
    channel: str = ""
    thread_ts: str = ""


@dataclass
class View:
    """A modal or Home tab that somebody has open.

    `entered` is what they have in its inputs, by block and action; `offered` the options that were loaded for it.
    """

    id: str
    owner: str
    spec: dict[str, Any]
    root: str
    previous: str | None = None
    hash: str = ""
    entered: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    offered: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as Slack shows it to apps."""
        values: dict[str, dict[str, Any]] = {}
        for (block, action), state in self.entered.items():
            values.setdefault(block, {})[action] = state
        named = {"private_metadata": "", "callback_id": "", "external_id": "", "title": None, "close": None}
        return {
            **named,
            "submit": None,
            "clear_on_close": False,
            "notify_on_close": False,
            **self.spec,
            "id": self.id,
            "team_id": TEAM,
            "state": {"values": values},
            "hash": self.hash,
            "root_view_id": self.root,
            "previous_view_id": self.previous,
            "app_id": APP,
            "app_installed_team_id": TEAM,
            "bot_id": BOT,
        }


@dataclass
class Permit:
    """What Slack hands out for later: a trigger, or a place to respond to. `left` is how often it still works."""

    owner: str
    until: float
    left: int
    channel: str = ""
    message: str = ""


PEOPLE = (
    Member("U0HANNA", "hanna"),
    Member("U0MARTIN", "martin"),
    Member("U0MAYA", "maya"),
    Member("U0MARIO", "mario"),
    Member("U0OLIVIA", "olivia"),
    Member("U0EDDA", "edda"),
    Member("U0EVE", "eve"),
    Member("U0STRANGE", "stranger", team=OTHER_TEAM),
    Member("U0GUEST", "guest", guest=True),
    Member("U0GONE", "gone", gone=True),
    Member("U0ROBOT", "robot", bot=True),
    Member(BOT_PERSON, "deputy", bot=True),
)


class Workspace:
    """The state of it all. `news` is set whenever something changes.

    `inactive` are those who have no Slack open: what is ephemeral never reaches them, and nobody is told so.
    """

    def __init__(self) -> None:
        self.members = {one.id: one for one in PEOPLE}
        everybody = {one.id for one in PEOPLE if not one.gone}
        approvers = {"U0MARTIN", "U0MAYA", "U0MARIO", BOT_PERSON}
        self.channels = {
            "C0OPS": Channel("C0OPS", "ops", everybody),
            "C0APPROVE": Channel("C0APPROVE", "approvals", approvers),
            "C0CLOSED": Channel("C0CLOSED", "closed", everybody - {BOT_PERSON}),
            "C0OLD": Channel("C0OLD", "old", everybody, archived=True),
        }
        self.messages: list[Message] = []
        self.modals: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.files: dict[str, File] = {}
        self.triggers: dict[str, Permit] = {}
        self.responses: dict[str, Permit] = {}
        self.scopes = set(SCOPES)
        self.inactive: set[str] = set()
        self.ahead = 0.0
        self._count = itertools.count(1)
        self._news = asyncio.Event()

    def now(self) -> float:
        """Return the time by which triggers and responses expire; `ahead` moves it on."""
        return time.time() + self.ahead

    def number(self, prefix: str) -> str:
        """Return a new id."""
        return f"{prefix}{next(self._count):08d}"

    def stamp(self) -> str:
        """Return a new timestamp as messages have them, each greater than the last."""
        return f"{int(time.time())}.{next(self._count):06d}"

    def changed(self) -> None:
        """Wake up everybody who waits for a change."""
        self._news.set()
        self._news = asyncio.Event()

    async def until(self, look: Callable[[], Found], seconds: float = 20) -> Found:
        """Wait until `look` returns something, and return that. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not (found := look()):
                await self._news.wait()
        return found

    # ---- conversations ---------------------------------------------------------------------------

    def channel(self, name: str) -> Channel:
        """Return a conversation by its id, or a person's own with the app by theirs."""
        if name in self.members:
            return self.direct(name)
        if name not in self.channels:
            raise Problem("channel_not_found")
        return self.channels[name]

    def direct(self, person: str) -> Channel:
        """Return the conversation of a person with the app, opened where it wasn't."""
        id = f"D{person[1:]}"
        return self.channels.setdefault(id, Channel(id, "directmessage", {person, BOT_PERSON}))

    def say(self, message: Message) -> Message:
        """Keep a message."""
        self.messages.append(message)
        self.changed()
        return message

    def message(self, channel: str, ts: str) -> Message:
        """Return a message that everybody in a channel sees."""
        for one in self.messages:
            if (one.channel, one.ts, one.only, one.deleted) == (channel, ts, "", False):
                return one
        raise Problem("message_not_found")

    def shown(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """Return what everybody sees in a channel, or in one thread of it."""
        there = [one for one in self.messages if one.channel == channel and not one.only and not one.deleted]
        return there if thread_ts is None else [one for one in there if thread_ts in (one.ts, one.thread_ts)]

    def whispered(self, person: str) -> list[Message]:
        """Return the ephemeral messages that a person sees."""
        return [one for one in self.messages if one.only == person and not one.deleted]

    # ---- views -----------------------------------------------------------------------------------

    def view(self, *, id: str = "", external_id: str = "") -> View:
        """Return a view that is open."""
        known = [*itertools.chain.from_iterable(self.modals.values()), *self.homes.values()]
        for one in known:
            if (id and one.id == id) or (external_id and one.spec.get("external_id") == external_id):
                return one
        raise Problem("not_found")

    def open(self, owner: str, spec: Mapping[str, Any], *, on_top: bool) -> View:
        """Open a modal for somebody, on top of those they have or in their place."""
        stack = self.modals.get(owner, []) if on_top else []
        if len(stack) >= DEEPEST:
            raise Problem("push_limit_reached")
        id = self.number("V0")
        root, previous = (stack[0].id, stack[-1].id) if stack else (id, None)
        view = View(id, owner, {}, root, previous)
        self.modals[owner] = [*stack, view]
        return self.show(view, spec)

    def publish(self, owner: str, spec: Mapping[str, Any]) -> View:
        """Show a Home tab."""
        id = self.homes[owner].id if owner in self.homes else self.number("V0")
        self.homes[owner] = View(id, owner, {}, id)
        return self.show(self.homes[owner], spec)

    def show(self, view: View, spec: Mapping[str, Any]) -> View:
        """Put something else into a view; what was entered stays where block and action are called the same."""
        view.spec = {**spec, "blocks": [self._named(block) for block in spec["blocks"]]}
        view.hash = f"{int(time.time())}.{self.number('')}"
        there = {(block["block_id"], action) for block in view.spec["blocks"] for action in _actions_of(block)}
        view.entered = {key: state for key, state in view.entered.items() if key in there}
        self.changed()
        return view

    def named(self, blocks: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Give blocks and their elements the ids they lack, as Slack does."""
        return [self._named(block) for block in blocks]

    def _named(self, block: Mapping[str, Any]) -> dict[str, Any]:
        named = {"block_id": self.number("b"), **block}
        for name in ("element", "accessory"):
            if isinstance(named.get(name), dict) and named[name]["type"] != "image":
                named[name] = {"action_id": self.number("a"), **named[name]}
        if named["type"] == "actions":
            named["elements"] = [{"action_id": self.number("a"), **one} for one in named["elements"]]
        return named

    # ---- what is handed out ----------------------------------------------------------------------

    def trigger(self, owner: str) -> str:
        """Hand out a trigger id."""
        id = f"{self.number('')}.{TEAM}.{self.number('')}"
        self.triggers[id] = Permit(owner, self.now() + TRIGGER_LIFE, 1)
        return id

    def pull(self, id: str) -> str:
        """Use a trigger up and return whose it is."""
        trigger = self.triggers.get(id)
        if trigger is None:
            raise Problem("invalid_trigger_id")
        if trigger.until < self.now():
            raise Problem("expired_trigger_id")
        if not trigger.left:
            raise Problem("exchanged_trigger_id")
        trigger.left = 0
        return trigger.owner

    def response(self, owner: str, channel: str, message: str = "") -> str:
        """Hand out a place to respond to; `message` is the one that was acted on."""
        id = self.number("R")
        self.responses[id] = Permit(owner, self.now() + RESPONSE_LIFE, RESPONSES, channel, message)
        return id


def _actions_of(block: Mapping[str, Any]) -> list[str]:
    held = [block.get("element"), block.get("accessory"), *(block.get("elements") or [])]
    return [one["action_id"] for one in held if isinstance(one, dict) and "action_id" in one]
