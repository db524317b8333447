"""The ports: what Deputy needs from the world, on one page.

Adapters satisfy these structurally; `app.py` alone knows which is which. Every error that crosses a
port is one of `core/errors.py`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.action import Action, Script
from bot.core.approval import Absence
from bot.core.audit import Draft, Entry
from bot.core.card import Card
from bot.core.catalog import Catalog
from bot.core.decision import Decision
from bot.core.linking import Link, Linking
from bot.core.parameter import Choice, Value
from bot.core.principal import Account, Principal, Who
from bot.core.run import Place, Run, State
from bot.core.secret import Secret
from bot.core.work import Exit, Work


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the time in UTC, with its zone."""


# ---- who may do what ---------------------------------------------------------------------------


class Directory(Protocol):
    """Who people are and what groups they are in."""

    async def principal(self, account: Account) -> Principal:
        """Return who an account is, with groups at most a minute old.

        Raises Unlinked for one that is linked to nobody, Refused for one who left, Unavailable.
        """

    async def recent(self, who: Who) -> Principal:
        """Return a known principal with groups at most a minute old, for showing. Raises as `live` does."""

    async def live(self, who: Who) -> Principal:
        """Return a known principal with the groups of this moment. Raises Refused where they left; Unavailable."""


@dataclass(frozen=True)
class Situation:
    """What goes on, as far as it is known. What can't be learnt counts as not so; `unknown` says why in words.

    `on_call` holds the keys (`tenant/oid`) of those on call now; `incident` is what the open one is called.
    """

    on_call: frozenset[str] = frozenset()
    incident: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """May this principal run this action, with these arguments, through this door, now?

    `approvers` are the roles of each person whose approval counts so far. `escalated` says that the first
    approvers let most of their time pass, `delegated` that who votes does so in the place of somebody away.
    `break_glass` says it is asked as an emergency, and `unreviewed` how many of the principal's own earlier
    emergencies nobody has reviewed yet.
    """

    principal: Principal
    action: Action
    arguments: Mapping[str, Value]
    door: str
    now: datetime
    situation: Situation = field(default_factory=Situation)
    break_glass: bool = False
    unreviewed: int = 0
    approvers: tuple[frozenset[str], ...] = ()
    escalated: bool = False
    delegated: bool = False


@dataclass(frozen=True)
class About:
    """What a menu is about: all of a question but the action and its arguments."""

    principal: Principal
    door: str
    now: datetime
    situation: Situation = field(default_factory=Situation)
    break_glass: bool = False


@dataclass(frozen=True)
class RoleInfo:
    """A role as people know it: its name in policies, its title, and where its people are found."""

    name: str
    title: str
    contact: str = ""


class Policy(Protocol):
    """Decides. An error, a policy that can't be read, or a question outside the schema denies."""

    def version(self) -> str:
        """Return the SHA-256 over all policy files, in hex. Raises Invalid where they are broken."""

    def decide(self, question: Question) -> Decision:
        """Say whether it may run: at once, with how many approvals, or not and why."""

    def may_approve(self, approver: Principal, question: Question) -> Decision:
        """Say whether `approver` may vote on `question`: Permit or Deny."""

    def opens(self, question: Question) -> datetime | None:
        """Return the first full hour of the coming week at which it could run or be asked for, or None."""

    def may_review(self, reviewer: Principal, question: Question) -> Decision:
        """Say whether `reviewer` may review afterwards what was run as an emergency: Permit or Deny."""

    def menu(self, about: About, actions: Iterable[Action]) -> Mapping[str, Decision]:
        """Decide many actions at once, without arguments, for showing what somebody may do now."""

    def roles(self, groups: Iterable[str], *, guest: bool = False) -> frozenset[str]:
        """Return the roles that a set of group ids gives; to a guest only those that guests may hold."""

    def role(self, name: str) -> RoleInfo:
        """Return what people call a role."""


# ---- what there is to run ----------------------------------------------------------------------


class CatalogSource(Protocol):
    """Where actions come from. Edits show at once: what is returned is what lies there now."""

    def catalog(self) -> Catalog:
        """Return every action, and the fault of every broken one."""

    def action(self, name: str) -> Action:
        """Return one action as it lies there now. Raises NotFound, or Invalid where it is broken."""

    def interpreter(self, action: Action) -> str:
        """Name what runs the action's script, exactly: path, version and SHA-256. Raises Unavailable."""


class Stop(Protocol):
    """Tells a runner to stop: an `asyncio.Event` is one."""

    def is_set(self) -> bool: ...

    async def wait(self) -> object: ...


class Runner(Protocol):
    """Runs scripts somewhere, leaving nothing behind."""

    async def run(self, work: Work, output: Callable[[bytes], None], stop: Stop) -> Exit:
        """Run to the end, handing raw output over as it comes. Never raises for what a script does."""


# ---- secrets -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SecretRow:
    """One sealed secret version as stored: nothing in it is readable without the vault's key."""

    name: str
    version: int
    key_id: str
    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    created: datetime


class SecretRows(Protocol):
    """Where the built-in vault keeps its rows."""

    async def secret(self, name: str, version: int | None = None) -> SecretRow | None:
        """Return one version of a secret, the newest where none is named."""

    async def secrets(self) -> Sequence[SecretRow]:
        """Return the newest version of every secret."""

    async def all_secret_rows(self) -> Sequence[SecretRow]:
        """Return every version of every secret."""


class Vault(Protocol):
    """Keeps credentials and hands them out for one run."""

    async def version(self, reference: str) -> int:
        """Return the newest version of `vault:name`. Raises NotFound with what to do."""

    async def lease(self, reference: str, version: int, run: str) -> Mapping[str, Secret]:
        """Return the fields of one version, for one run. Raises NotFound, Damaged, Unavailable."""

    async def revoke(self, reference: str, run: str) -> None:
        """Give a lease back."""

    def seal(self, name: str, version: int, fields: Mapping[str, str], now: datetime) -> SecretRow:
        """Seal one secret version into a row for the store."""

    def seal_text(self, name: str, text: str) -> bytes:
        """Seal a text that belongs to `name` (a private result)."""

    def open_text(self, name: str, sealed: bytes) -> str:
        """Open what `seal_text` sealed. Raises Damaged."""


# ---- truth ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Post:
    """Something to be shown in chat. The newest post with a `key` replaces the older ones in place.

    `only` names the one principal (`tenant/oid`) who sees it; empty: everybody in the conversation.
    """

    place: Place
    key: str
    card: Card
    only: str = ""


@dataclass(frozen=True)
class Delivery:
    """A message or click as it came in: its id, and a SHA-256 of its content."""

    id: str
    content: str


@dataclass(frozen=True)
class Output:
    """The whole output of a run: plain, or `sealed` by the vault where the result is private."""

    run: str
    text: str = ""
    sealed: bytes | None = field(default=None, repr=False)
    expires: datetime | None = None


@dataclass(frozen=True)
class Change:
    """All that one transition writes, committed together or not at all.

    `run` replaces the run whose revision is one less (compare-and-set); a new run has revision 1.
    Every entry gets its place in the audit chain; every post is stamped with the last one's reference.
    `delivery` makes it happen once however often it is delivered.
    `locks` are held by the run from here on, until it is no longer running; Busy where another holds one.
    `secrets` are new rows; Conflict where one has a name and version that exist.
    `rewrapped` rows replace the `key_id` and `wrapped_key`, and nothing else, of the rows with their name
    and version; Conflict where one is gone. `removed_secrets` are names, removed with all their versions.
    `linking` replaces the one whose revision is one less (compare-and-set); a new one the account's last.
    `link` replaces the account's link; that of the account `unlinked` is removed.
    `away` replaces its holder's absence; that of who is `back` is removed.
    """

    entries: tuple[Draft, ...]
    run: Run | None = None
    posts: tuple[Post, ...] = ()
    scripts: tuple[Script, ...] = ()
    output: Output | None = None
    delivery: Delivery | None = None
    locks: tuple[str, ...] = ()
    secrets: tuple[SecretRow, ...] = ()
    rewrapped: tuple[SecretRow, ...] = ()
    removed_secrets: tuple[str, ...] = ()
    linking: Linking | None = None
    link: Link | None = None
    unlinked: Account | None = None
    away: Absence | None = None
    back: Who | None = None


@dataclass(frozen=True)
class Waiting:
    """A post in the outbox. `attempts` counts failed deliveries."""

    id: int
    post: Post
    attempts: int


class Links(Protocol):
    """Which person an account belongs to, and the linkings under way."""

    async def link(self, account: Account) -> Link | None:
        """Return an account's link."""

    async def links(self, who: Who) -> Sequence[Link]:
        """Return the links of a person's accounts, oldest first."""

    async def linking(self, account: Account) -> Linking | None:
        """Return the linking that an account began last."""

    async def linking_by(self, ticket: str) -> Linking | None:
        """Return the linking of a ticket, by its digest."""


class Store(Links, Protocol):
    """The truth: runs, audit chain, outbox, inbox, scripts and outputs."""

    async def commit(self, change: Change) -> tuple[Entry, ...]:
        """Write a change. Raises Conflict (somebody was first, or delivered before), Busy, Unavailable."""

    async def delivered_before(self, delivery: Delivery) -> str | None:
        """Return the run an earlier delivery of the same id led to ('' for none), or None where it is new.

        Raises Conflict where the same id came with another content.
        """

    async def run(self, run: str) -> Run:
        """Return one run. Raises NotFound."""

    async def runs(
        self,
        *,
        states: Iterable[State] = (),
        requester: Who | None = None,
        action: str = "",
        limit: int = 50,
    ) -> Sequence[Run]:
        """Return runs, newest first."""

    async def absences(self, now: datetime) -> Sequence[Absence]:
        """Return the absences that are not over, those that end first before the others."""

    async def usage(self, who: Who) -> Mapping[str, int]:
        """Count somebody's runs by action."""

    async def script(self, sha: str) -> bytes:
        """Return a script's bytes by their SHA-256. Raises NotFound, Damaged."""

    async def output(self, run: str) -> Output | None:
        """Return a run's whole output."""

    async def forget_outputs(self, now: datetime) -> int:
        """Remove private outputs whose time is over; return how many."""

    async def entries(self, *, after: int = 0, limit: int = 1000, subject: str = "") -> Sequence[Entry]:
        """Return audit entries in order of their sequence numbers, those after `after`."""

    async def head(self) -> tuple[int, str]:
        """Return the sequence number and hash of the newest audit entry."""

    async def outbox(self, now: datetime, limit: int = 100) -> Sequence[Waiting]:
        """Return the posts that are due, oldest first; per key only the newest."""

    async def posted(self, ids: Iterable[int]) -> None:
        """Mark posts as delivered."""

    async def postpone(self, post: int, until: datetime) -> None:
        """Try a post again later."""


class Engine(Protocol):
    """Tells workers that a run is queued. The store is the truth; a lost word costs only time."""

    @property
    def exclusive(self) -> bool:
        """Whether no other process works on the same data: what runs at the start was lost with the last one."""

    @property
    def delivers(self) -> bool:
        """Whether it is this process's turn to deliver posts: one at a time does."""

    async def enqueue(self, run: str) -> None:
        """Say that a run was queued just now."""

    async def remind(self, run: str) -> None:
        """Say again that a run is queued, for the first word may be lost."""

    async def work(self, execute: Callable[[str], Awaitable[None]], concurrency: int) -> None:
        """Hand queued runs to `execute`, at most `concurrency` at once, until cancelled."""

    def knock(self) -> None:
        """Say that posts wait in the outbox."""

    async def knocked(self, seconds: float) -> None:
        """Wait until somebody knocks, `seconds` at most."""


# ---- chat ----------------------------------------------------------------------------------------


class Chat(Protocol):
    """One chat platform."""

    async def post(self, post: Post) -> None:
        """Show a post, or update the one with its key; doing it twice changes nothing. Raises Unavailable."""

    def progress(self, place: Place, run: str, lines: str) -> None:
        """Show the last lines of a running script; best effort, coalesced."""


@dataclass(frozen=True)
class Message:
    """One message of the local channel. `id` orders them; `version` grows with every update in place.

    A person's words have an `author` and a `text`; Deputy's have a `card`. `only` as in `Post`.
    """

    id: int
    key: str
    version: int
    at: datetime
    only: str = ""
    author: str = ""
    text: str = ""
    card: Card | None = None


class Timeline(Protocol):
    """Where the local channel keeps its messages."""

    async def show(self, post: Post, now: datetime) -> Message:
        """Write a card under the post's key, or update the one there; the same post twice changes nothing."""

    async def say(self, place: Place, author: str, text: str, key: str, now: datetime) -> Message:
        """Write a person's words; the same key twice changes nothing."""

    async def messages(self, place: Place, limit: int = 200) -> Sequence[Message]:
        """Return the newest messages in order of their ids."""


class Running(Protocol):
    """The scripts that run in this process now."""

    def stop(self, run: str, by: Who) -> bool:
        """Ask a running script to stop; False where it doesn't run here."""

    def begin(self, run: str) -> AbstractAsyncContextManager["Stop"]:
        """Keep a run among those that can be stopped, for as long as it runs."""

    def stopped_by(self, run: str) -> Who | None:
        """Return who asked a run to stop, or None."""


@dataclass(frozen=True)
class Ports:
    """Everything the services need, put together once by `app.py`.

    `answers` are those of query actions by query and person, with the moment they were given; times in seconds.
    `situation` says what goes on at a moment; unless one is given, nobody is on call and there is no incident.
    `link_page` is the address of the page where accounts are linked, empty where none has to be.
    """

    clock: Clock
    directory: Directory
    policy: Policy
    catalog: CatalogSource
    vault: Vault
    store: Store
    engine: Engine
    runners: Mapping[str, Runner]
    chats: Mapping[str, Chat]
    running: Running
    nonce: Callable[[], str]
    approval_ttl: float = 8 * 3600.0
    private_ttl: float = 3600.0
    link_page: str = ""
    situation: Callable[[datetime], Situation] = lambda now: Situation()
    answers: dict[tuple[str, str], tuple[datetime, tuple[Choice, ...]]] = field(default_factory=dict)
