"""The truth: what one step of a run writes, and where it is read again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.action import Script
from bot.core.approval import Absence
from bot.core.audit import Draft, Entry
from bot.core.card import Card
from bot.core.linking import Link, Linking
from bot.core.principal import Account, Who
from bot.core.run import Place, Run, State
from bot.ports.vault import SecretRow


@dataclass(frozen=True)
class Post:
    """Something to be shown in chat. The newest post with a `key` replaces the older ones in place.

    `only` names the one principal (`tenant/oid`) who sees it; empty: everybody in the conversation. Where `due` is
    given it isn't shown before: a newer one may come by then.
    """

    place: Place
    key: str
    card: Card
    only: str = ""
    due: datetime | None = None


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

    `run` is `steps` further than the stored one whose revision is so much less (compare-and-set); where that is
    none, 0, it is new.
    Every entry gets its place in the audit chain; every post is stamped with the last one's reference.
    `delivery` makes it happen once however often it is delivered.
    `locks` are held by the run from here on, until it is no longer running; Busy where another holds one.
    `limits` are names with how many runs may hold each at once; Busy where that many do.
    `secrets` are new rows; Conflict where one has a name and version that exist.
    `rewrapped` rows replace the `key_id` and `wrapped_key`, and nothing else, of the rows with their name
    and version; Conflict where one is gone. `removed_secrets` are names, removed with all their versions.
    `resealed` are outputs as they were read, each with what replaces its `sealed`; one changed since stays.
    `linking` replaces the one whose revision is one less (compare-and-set); a new one the account's last.
    `link` replaces the account's link; that of the account `unlinked` is removed.
    `away` replaces its holder's absence; that of who is `back` is removed.
    """

    entries: tuple[Draft, ...]
    run: Run | None = None
    steps: int = 1
    posts: tuple[Post, ...] = ()
    scripts: tuple[Script, ...] = ()
    output: Output | None = None
    delivery: Delivery | None = None
    locks: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    secrets: tuple[SecretRow, ...] = ()
    rewrapped: tuple[SecretRow, ...] = ()
    removed_secrets: tuple[str, ...] = ()
    resealed: tuple[tuple[Output, bytes], ...] = ()
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

    async def to_start(self, run: str) -> Run:
        """Return a run to be started: perhaps as this process left it, for starting compares its revision.

        Raises NotFound.
        """

    async def runs(
        self,
        *,
        states: Iterable[State] = (),
        requester: Who | None = None,
        action: str = "",
        limit: int = 50,
    ) -> Sequence[Run]:
        """Return runs, newest first."""

    async def late(self, now: datetime, limit: int = 1000) -> Sequence[Run]:
        """Return runs that wait for approval though their time is over, the oldest first."""

    async def queued(self, limit: int) -> Sequence[str]:
        """Return the ids of queued runs, the oldest first."""

    async def absences(self, now: datetime) -> Sequence[Absence]:
        """Return the absences that are not over, those that end first before the others."""

    async def usage(self, who: Who) -> Mapping[str, int]:
        """Count somebody's runs by action."""

    async def favourites(self, who: Who) -> Collection[str]:
        """Return the ids of somebody's favourite actions, also of those that are gone."""

    async def mark_favourite(self, who: Who, action: str) -> None:
        """Mark an action as somebody's favourite; one that is stays. Raises Unavailable."""

    async def unmark_favourite(self, who: Who, action: str) -> None:
        """Let an action no longer be somebody's favourite. Raises Unavailable."""

    async def script(self, sha: str) -> bytes:
        """Return a script's bytes by their SHA-256. Raises NotFound, Damaged."""

    async def output(self, run: str) -> Output | None:
        """Return a run's whole output."""

    async def sealed_outputs(self) -> Sequence[Output]:
        """Return every output that the vault sealed, by run."""

    async def forget_outputs(self, now: datetime) -> int:
        """Remove private outputs whose time is over; return how many."""

    async def entries(self, *, after: int = 0, limit: int = 1000, subject: str = "") -> Sequence[Entry]:
        """Return audit entries in order of their sequence numbers, those after `after`."""

    async def head(self) -> tuple[int, str]:
        """Return the sequence number and hash of the newest audit entry."""

    async def outbox(
        self, now: datetime, limit: int = 100, *, beside: Collection[int] = frozenset()
    ) -> Sequence[Waiting]:
        """Return the posts that are due, oldest first, per key the newest; none with an id in `beside`."""

    async def posted(self, ids: Iterable[int]) -> None:
        """Mark posts as delivered."""

    async def postpone(self, post: int, until: datetime) -> None:
        """Try a post again later."""

    async def tidy(self, before: datetime) -> None:
        """Remove posts that are done with, and deliveries from before a moment."""

    async def beat(self, worker: str) -> None:
        """Let a worker count one on: it lives."""

    async def beats(self) -> Mapping[str, int]:
        """Return the counts of all workers by their names."""

    async def leave(self, names: Iterable[str]) -> None:
        """Forget workers that have ended."""

    async def ask_stop(self, run: str, by: Who) -> bool:
        """Ask whoever runs a script to stop it; False where it isn't running."""

    async def asked_to_stop(self, names: Iterable[str]) -> Mapping[str, Who]:
        """Return who asked which of these runs to stop."""
