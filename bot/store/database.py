"""The store: what `ports.Store`, `ports.SecretRows` and `ports.Timeline` promise, on one database.

Reads go through connections of their own and never wait for a write; writes go through the one writer.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bot.core.approval import Absence
from bot.core.audit import Entry
from bot.core.linking import Link, Linking
from bot.core.principal import Account, Who
from bot.core.run import Place, Run, State
from bot.ports import Change, Delivery, Message, Output, Post, SecretRow, Waiting
from bot.service.inbox import Intent
from bot.service.posts import Posted
from bot.store import (
    absences,
    chain,
    copying,
    favourites,
    inbox,
    links,
    outbox,
    posts,
    runs,
    schema,
    timeline,
    vault_rows,
    workers,
)
from bot.store.backend import Backend, backend
from bot.store.change import Words, apply
from bot.store.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")
Announce = Callable[[Change], Words]


async def open_store(where: Path | str, announce: Announce | None = None) -> "SqlStore":
    """Open the database at `where` (a file's path or a URL), made or brought up to date where it has to be.

    What `announce` says to a change is told others in the change's own transaction. Raises Unavailable where the
    database can't be opened or written or is newer than this Deputy, Damaged where the file is no database,
    Invalid for a URL that can't be read.
    """
    store = SqlStore(backend(where), announce)
    try:
        await store.prepare()
    except BaseException:
        await store.close()
        raise
    return store


SCRIPTS_KEPT = 200
QUEUED_KEPT = 1_000


class SqlStore:
    """The truth in one SQL database; several processes may have it open."""

    def __init__(self, backend: Backend, announce: Announce | None = None) -> None:
        self._backend = backend
        self._announce = announce
        self._readers = backend.readers()
        self._writer = Writer(backend.writer(), near=backend.near)
        self._queued: dict[str, Run] = {}  # as they were written here, until they are started
        self._scripts: dict[str, bytes] = {}  # by their hash, so none of them can be another one's

    async def prepare(self) -> None:
        """Make sure that the database can be written, and bring its schema up to date."""
        await self._write_much(schema.upgrade)

    async def close(self) -> None:
        """Write what still waits, and close every connection."""
        await self._writer.close()
        self._readers.dispose()

    async def revision(self) -> str | None:
        """Return the migration that the schema is at, None for an empty database."""
        return await self._read(schema.revision)

    async def check(self) -> None:
        """Raise Damaged where the stored pages don't fit each other. Takes seconds on a large SQLite file."""
        await self._read(self._backend.check)

    async def fill(self, source: "SqlStore") -> int:
        """Copy all that another store holds into this empty one, all or nothing; return how many rows.

        Raises Conflict where this one isn't empty or a run is still running in the other, Damaged where the
        audit chain doesn't hold on arrival.
        """
        with source._backend.errors():  # within: what this one raises is mapped already
            return await self._write_much(
                lambda target: source._read_now(lambda there: copying.copy(there, target))
            )

    async def _read(self, step: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self._backend.errors():
            return await asyncio.to_thread(self._read_now, lambda connection: step(connection, *args, **kwargs))

    async def _look(self, step: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read little, by an index."""
        if not self._backend.near:
            return await self._read(step, *args, **kwargs)
        with self._backend.errors():
            return self._read_now(lambda connection: step(connection, *args, **kwargs))

    def _read_now(self, step: Callable[[Connection], T]) -> T:
        """Read; where a connection broke while it rested, on another one."""
        try:
            with self._readers.connect() as connection:
                return step(connection)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        with self._readers.connect() as connection:
            return step(connection)

    async def _write(self, step: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self._backend.errors():
            return await self._writer.write(lambda connection: step(connection, *args, **kwargs))

    async def _write_much(
        self, step: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with self._backend.errors():
            return await self._writer.write(lambda connection: step(connection, *args, **kwargs), long=True)

    # ---- ports.Store -----------------------------------------------------------------------------

    async def commit(self, change: Change) -> tuple[Entry, ...]:
        """Write a change. Raises Conflict, Unavailable, Damaged."""
        entries = await self._write(self._apply, change)
        if change.run and change.run.state is State.QUEUED:
            if len(self._queued) >= QUEUED_KEPT:
                self._queued.clear()
            self._queued[change.run.id] = change.run
        return entries

    def _apply(self, connection: Connection, change: Change) -> tuple[Entry, ...]:
        return apply(connection, change, self._scripts, self._announce(change) if self._announce else ())

    async def delivered_before(self, delivery: Delivery) -> str | None:
        """Return the run an earlier delivery led to ('' for none), None for a new one. Raises Conflict."""
        return await self._look(outbox.accepted, delivery)

    async def run(self, run: str) -> Run:
        """Return one run. Raises NotFound."""
        return await self._look(runs.get, run)

    async def to_start(self, run: str) -> Run:
        """Return a run to be started: perhaps as this process left it, for starting compares its revision."""
        return self._queued.pop(run, None) or await self.run(run)

    async def runs(
        self, *, states: Iterable[State] = (), requester: Who | None = None, action: str = "", limit: int = 50
    ) -> Sequence[Run]:
        """Return runs, newest first."""
        return await self._read(runs.newest, tuple(states), requester, action, limit)

    async def late(self, now: datetime, limit: int = 1000) -> Sequence[Run]:
        """Return runs that wait for approval though their time is over, the oldest first."""
        return await self._read(runs.late, now, limit)

    async def queued(self, limit: int) -> Sequence[str]:
        """Return the ids of queued runs, the oldest first."""
        return await self._read(runs.queued, limit)

    async def usage(self, who: Who) -> Mapping[str, int]:
        """Count somebody's runs by action."""
        return await self._read(runs.usage, who)

    async def favourites(self, who: Who) -> Collection[str]:
        """Return the ids of somebody's favourite actions, also of those that are gone."""
        return await self._look(favourites.of, who)

    async def mark_favourite(self, who: Who, action: str) -> None:
        """Mark an action as somebody's favourite; one that is stays."""
        await self._write(favourites.mark, who, action)

    async def unmark_favourite(self, who: Who, action: str) -> None:
        """Let an action no longer be somebody's favourite."""
        await self._write(favourites.unmark, who, action)

    async def script(self, sha: str) -> bytes:
        """Return a script's bytes by their SHA-256. Raises NotFound, Damaged."""
        content = self._scripts.get(sha)
        if content is None:
            content = await self._look(runs.script, sha)
            if len(self._scripts) >= SCRIPTS_KEPT:
                self._scripts.clear()
            self._scripts[sha] = content
        return content

    async def output(self, run: str) -> Output | None:
        """Return a run's whole output."""
        return await self._look(runs.output, run)

    async def sealed_outputs(self) -> Sequence[Output]:
        """Return every output that the vault sealed, by run."""
        return await self._read(runs.sealed_outputs)

    async def forget_outputs(self, now: datetime) -> int:
        """Remove private outputs whose time is over; return how many."""
        return await self._write_much(runs.forget_outputs, now)

    async def entries(self, *, after: int = 0, limit: int = 1000, subject: str = "") -> Sequence[Entry]:
        """Return audit entries in order of their sequence numbers, those after `after`."""
        return await self._read(chain.entries, after, limit, subject)

    async def head(self) -> tuple[int, str]:
        """Return the sequence number and hash of the newest audit entry."""
        return await self._look(chain.head)

    async def outbox(
        self, now: datetime, limit: int = 100, *, beside: Collection[int] = frozenset()
    ) -> Sequence[Waiting]:
        """Return the posts that are due, oldest first, per key the newest; none with an id in `beside`."""
        return await self._look(outbox.due, now, limit, beside)

    async def posted(self, ids: Iterable[int]) -> None:
        """Mark posts as delivered."""
        await self._write(outbox.posted, tuple(ids))

    async def postpone(self, post: int, until: datetime) -> None:
        """Try a post again later."""
        await self._write(outbox.postpone, post, until)

    async def tidy(self, before: datetime) -> None:
        """Remove posts that are done with, and deliveries from before a moment."""
        await self._write_much(outbox.tidy, before)

    async def beat(self, worker: str) -> None:
        """Let a worker count one on."""
        await self._write(workers.beat, worker)

    async def beats(self) -> Mapping[str, int]:
        """Return the counts of all workers by their names."""
        return await self._read(workers.beats)

    async def leave(self, names: Iterable[str]) -> None:
        """Forget workers that have ended."""
        await self._write(workers.leave, tuple(names))

    async def ask_stop(self, run: str, by: Who) -> bool:
        """Ask whoever runs a script to stop it; False where it isn't running."""
        return await self._write(workers.ask_stop, run, by)

    async def asked_to_stop(self, names: Iterable[str]) -> Mapping[str, Who]:
        """Return who asked which of these runs to stop."""
        return await self._look(workers.asked_to_stop, tuple(names))

    # ---- service.inbox.Intents ---------------------------------------------------------------------------

    async def keep_intents(self, intents: Sequence[Intent], holder: str) -> Collection[str]:
        """Keep intents under a name that is used once; return the ids of the new ones. Raises Unavailable."""
        return await self._write(inbox.keep, intents, holder)

    async def end_intents(self, ids: Collection[str]) -> None:
        """Empty intents that were acted on; they stay known."""
        await self._write(inbox.done, tuple(ids))

    async def take_over_intents(self, before: datetime, holder: str, now: datetime) -> Sequence[Intent]:
        """Hand over, once, what was kept before a moment and is not done."""
        return await self._write_much(inbox.take_over, before, holder, now)

    async def forget_intents(self, before: datetime) -> None:
        """Remove what is done and was kept before a moment."""
        await self._write_much(inbox.forget, before)

    # ---- ports.Posts -----------------------------------------------------------------------------

    async def expect_post(self, place: Place, key: str) -> Posted | None:
        """Return where a post is shown; None where it was never tried, which from now on it was."""
        return await self._write(posts.expect, place, key)

    async def shown_post(self, place: Place, key: str) -> Posted | None:
        """Return where a post is shown; None where that was never noted."""
        return await self._look(posts.find, place, key)

    async def waiting_posts(self, platform: str) -> Collection[tuple[Place, str]]:
        """Return the place and key of every post that waits to be delivered."""
        return await self._read(outbox.waiting, platform)

    async def keep_post(self, place: Place, key: str, posted: Posted) -> None:
        """Note where a post is shown now."""
        await self._write(posts.keep, place, key, posted)

    async def absences(self, now: datetime) -> Sequence[Absence]:
        """Return the absences that are not over, those that end first before the others."""
        return await self._look(absences.lasting, now)

    # ---- ports.Links -----------------------------------------------------------------------------

    async def link(self, account: Account) -> Link | None:
        """Return an account's link."""
        return await self._look(links.link_of, account)

    async def links(self, who: Who) -> Sequence[Link]:
        """Return the links of a person's accounts, oldest first."""
        return await self._read(links.links_of, who)

    async def linking(self, account: Account) -> Linking | None:
        """Return the linking that an account began last."""
        return await self._look(links.linking_of, account)

    async def linking_by(self, ticket: str) -> Linking | None:
        """Return the linking of a ticket, by its digest."""
        return await self._look(links.linking_by, ticket)

    # ---- ports.SecretRows ------------------------------------------------------------------------

    async def secret(self, name: str, version: int | None = None) -> SecretRow | None:
        """Return one version of a secret, the newest where none is named."""
        return await self._look(vault_rows.get, name, version)

    async def secrets(self) -> Sequence[SecretRow]:
        """Return the newest version of every secret."""
        return await self._read(vault_rows.newest)

    async def all_secret_rows(self) -> Sequence[SecretRow]:
        """Return every version of every secret."""
        return await self._read(vault_rows.every)

    # ---- ports.Timeline --------------------------------------------------------------------------

    async def show(self, post: Post, now: datetime) -> Message:
        """Write a card under the post's key, or update the one there; the same post twice changes nothing."""
        return await self._write(timeline.show, post, now)

    async def say(self, place: Place, author: str, text: str, key: str, now: datetime) -> Message:
        """Write a person's words; the same key twice changes nothing."""
        return await self._write(timeline.say, place, author, text, key, now)

    async def messages(self, place: Place, limit: int = 200) -> Sequence[Message]:
        """Return the newest messages in order of their ids."""
        return await self._read(timeline.newest, place, limit)
