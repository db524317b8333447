"""A store in memory that keeps the promises of `ports.Store` and `ports.SecretRows`.

A change is applied to a copy, which takes the place of the original only when all of it held.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.core import audit, canonical
from bot.core.action import Script
from bot.core.approval import Absence
from bot.core.audit import Entry
from bot.core.errors import Busy, Conflict, Damaged, NotFound
from bot.core.linking import Link, Linking
from bot.core.principal import Account, Who
from bot.core.run import Run, State
from bot.ports import Change, Delivery, Output, Post, SecretRow, Waiting


@dataclass
class _Contents:
    """All that is stored, in tables. Copied at every change; what the tables hold is immutable."""

    runs: dict[str, Run] = field(default_factory=dict)
    chain: list[Entry] = field(default_factory=list)
    scripts: dict[str, bytes] = field(default_factory=dict)
    outputs: dict[str, Output] = field(default_factory=dict)
    deliveries: dict[str, tuple[str, str]] = field(default_factory=dict)
    posts: dict[int, tuple[Waiting, datetime | None]] = field(default_factory=dict)
    secrets: dict[tuple[str, int], SecretRow] = field(default_factory=dict)
    locks: dict[str, str] = field(default_factory=dict)
    workers: dict[str, int] = field(default_factory=dict)
    stops: dict[str, Who] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    linkings: dict[str, Linking] = field(default_factory=dict)
    absences: dict[Who, Absence] = field(default_factory=dict)
    favourites: set[tuple[str, str]] = field(default_factory=set)
    last_post: int = 0

    def copy(self) -> "_Contents":
        return _Contents(**{name: copy(table) for name, table in vars(self).items()})

    def apply(self, change: Change) -> tuple[Entry, ...]:
        entries = tuple(self._append(draft) for draft in change.entries)
        if change.delivery:
            self._deliver(change.delivery, change.run.id if change.run else "")
        if change.run:
            self._put_run(change.run, change.steps)
            self._lock(change.run, change.locks)
            self._take_places(change.run, change.limits)
        for script in change.scripts:
            self.scripts.setdefault(script.sha, script.content)
        if change.output:
            self.outputs[change.output.run] = change.output
        for post in change.posts:
            self._put_post(post, entries[-1].reference if entries else "")
        self._put_secrets(change)
        self._put_links(change)
        return entries

    def _append(self, draft: audit.Draft) -> Entry:
        facts = json.loads(canonical.encode(draft.facts))
        previous = self.chain[-1].hash if self.chain else audit.GENESIS
        self.chain.append(audit.seal(replace(draft, facts=facts), len(self.chain) + 1, previous))
        return self.chain[-1]

    def _deliver(self, delivery: Delivery, run: str) -> None:
        if delivery.id in self.deliveries:
            raise Conflict("This was delivered before.")
        self.deliveries[delivery.id] = (delivery.content, run)

    def _put_run(self, run: Run, steps: int) -> None:
        before = self.runs.get(run.id)
        if (before.revision if before else 0) != run.revision - steps:
            raise Conflict(f"{run.id} has changed meanwhile.")
        self.runs[run.id] = run

    def _lock(self, run: Run, names: tuple[str, ...]) -> None:
        if run.state is not State.RUNNING:
            self.locks = {name: holder for name, holder in self.locks.items() if holder != run.id}
        if self.locks.keys() & set(names):
            raise Busy(f"{run.id} waits.")
        self.locks |= dict.fromkeys(names, run.id)

    def _take_places(self, run: Run, limits: Mapping[str, int]) -> None:
        for name, most in limits.items():
            free = {f"{name} {number}" for number in range(1, most + 1)} - self.locks.keys()
            if not free:
                raise Busy(f"{run.id} waits.")
            self.locks[min(free)] = run.id

    def _put_post(self, post: Post, reference: str) -> None:
        if reference and not post.card.audit:
            post = replace(post, card=replace(post.card, audit=reference))
        self.last_post += 1
        self.posts[self.last_post] = (Waiting(self.last_post, post, 0), post.due)

    def _put_secrets(self, change: Change) -> None:
        for row in change.secrets:
            if (row.name, row.version) in self.secrets:
                raise Conflict(f"The secret “{row.name}” was set by somebody else meanwhile.")
            self.secrets[row.name, row.version] = row
        for row in change.rewrapped:
            before = self.secrets.get((row.name, row.version))
            if before is None:
                raise Conflict(f"The secret “{row.name}” was removed meanwhile.")
            self.secrets[row.name, row.version] = replace(before, key_id=row.key_id, wrapped_key=row.wrapped_key)
        for key in [key for key in self.secrets if key[0] in change.removed_secrets]:
            del self.secrets[key]
        for output, sealed in change.resealed:
            if self.outputs.get(output.run) == output:
                self.outputs[output.run] = replace(output, sealed=sealed)

    def _put_links(self, change: Change) -> None:
        new = change.linking
        if new:
            before = self.linkings.get(new.account.key)
            expected = (before.ticket, before.revision + 1) if before else None
            if new.revision > 1 and expected != (new.ticket, new.revision):
                raise Conflict("The linking has changed meanwhile.")
            self.linkings[new.account.key] = new
        if change.link:
            self.links[change.link.account.key] = change.link
        if change.unlinked:
            self.links.pop(change.unlinked.key, None)
        if change.away:
            self.absences[change.away.holder] = change.away
        if change.back:
            self.absences.pop(change.back, None)


class MemoryStore:
    """A `ports.Store` and `ports.SecretRows` that is gone with the process."""

    def __init__(self) -> None:
        self._contents = _Contents()

    async def commit(self, change: Change) -> tuple[Entry, ...]:
        await asyncio.sleep(0)  # as with a real store, others come in between
        contents = self._contents.copy()
        entries = contents.apply(change)
        self._contents = contents
        return entries

    async def delivered_before(self, delivery: Delivery) -> str | None:
        known = self._contents.deliveries.get(delivery.id)
        if known and known[0] != delivery.content:
            raise Conflict("The same delivery came before with another content.")
        return known[1] if known else None

    async def run(self, run: str) -> Run:
        if run not in self._contents.runs:
            raise NotFound(f"There is no run {run}.")
        return self._contents.runs[run]

    async def to_start(self, run: str) -> Run:
        return await self.run(run)

    async def runs(
        self, *, states: Iterable[State] = (), requester: Who | None = None, action: str = "", limit: int = 50
    ) -> Sequence[Run]:
        wanted = frozenset(states)
        newest_first = list(self._contents.runs.values())[::-1]  # as they were written
        return [
            run
            for run in newest_first
            if (not wanted or run.state in wanted)
            and requester in (None, run.request.requester)
            and action in ("", run.request.action)
        ][:limit]

    async def late(self, now: datetime, limit: int = 1000) -> Sequence[Run]:
        waiting = [run for run in self._contents.runs.values() if run.state is State.AWAITING_APPROVAL]
        late = [run for run in waiting if run.request.expires_at <= now]
        return sorted(late, key=lambda run: run.request.expires_at)[:limit]

    async def queued(self, limit: int) -> Sequence[str]:
        return [run.id for run in self._contents.runs.values() if run.state is State.QUEUED][:limit]

    async def absences(self, now: datetime) -> Sequence[Absence]:
        lasting = [absence for absence in self._contents.absences.values() if absence.until > now]
        return sorted(lasting, key=lambda absence: (absence.until, absence.holder.key))

    async def usage(self, who: Who) -> Mapping[str, int]:
        runs = self._contents.runs.values()
        return Counter(run.request.action for run in runs if run.request.requester == who)

    async def favourites(self, who: Who) -> Collection[str]:
        return {action for key, action in self._contents.favourites if key == who.key}

    async def mark_favourite(self, who: Who, action: str) -> None:
        self._contents.favourites.add((who.key, action))

    async def unmark_favourite(self, who: Who, action: str) -> None:
        self._contents.favourites.discard((who.key, action))

    async def script(self, sha: str) -> bytes:
        content = self._contents.scripts.get(sha)
        if content is None:
            raise NotFound(f"There is no script {sha}.")
        if Script("", content).sha != sha:
            raise Damaged(f"The script {sha} was changed in the store.")
        return content

    async def output(self, run: str) -> Output | None:
        return self._contents.outputs.get(run)

    async def sealed_outputs(self) -> Sequence[Output]:
        return [one for _, one in sorted(self._contents.outputs.items()) if one.sealed is not None]

    async def forget_outputs(self, now: datetime) -> int:
        outputs = self._contents.outputs
        over = [run for run, output in outputs.items() if output.expires and output.expires <= now]
        for run in over:
            del outputs[run]
        return len(over)

    async def entries(self, *, after: int = 0, limit: int = 1000, subject: str = "") -> Sequence[Entry]:
        chain = self._contents.chain
        return [entry for entry in chain if entry.sequence > after and (not subject or entry.subject == subject)][
            :limit
        ]

    async def head(self) -> tuple[int, str]:
        chain = self._contents.chain
        return (chain[-1].sequence, chain[-1].hash) if chain else (0, audit.GENESIS)

    async def outbox(
        self, now: datetime, limit: int = 100, *, beside: Collection[int] = frozenset()
    ) -> Sequence[Waiting]:
        newest = {
            (waiting.post.place, waiting.post.key): (waiting, due)
            for waiting, due in self._contents.posts.values()
        }
        found: list[Waiting] = []
        held: set[tuple[str, str]] = set()
        for waiting, due in sorted(newest.values(), key=lambda one: one[0].id):
            line = (waiting.post.place.conversation, waiting.post.card.run)
            if due is not None and due > now:
                held.add(line)
            elif line not in held or not line[1]:
                found.append(waiting)
        return [waiting for waiting in found[:limit] if waiting.id not in beside]

    async def posted(self, ids: Iterable[int]) -> None:
        posts = self._contents.posts
        for id_ in ids:
            done = posts.pop(id_)[0]
            for older in [key for key, (waiting, _) in posts.items() if _older(waiting, done)]:
                del posts[older]

    async def postpone(self, post: int, until: datetime) -> None:
        waiting, _ = self._contents.posts[post]
        self._contents.posts[post] = (replace(waiting, attempts=waiting.attempts + 1), until)

    async def tidy(self, before: datetime) -> None:
        """Nothing that is done with is kept."""

    async def beat(self, worker: str) -> None:
        self._contents.workers[worker] = self._contents.workers.get(worker, 0) + 1

    async def beats(self) -> Mapping[str, int]:
        return dict(self._contents.workers)

    async def leave(self, names: Iterable[str]) -> None:
        for name in names:
            self._contents.workers.pop(name, None)

    async def ask_stop(self, run: str, by: Who) -> bool:
        running = run in self._contents.runs and self._contents.runs[run].state is State.RUNNING
        if running:
            self._contents.stops.setdefault(run, by)
        return running

    async def asked_to_stop(self, names: Iterable[str]) -> Mapping[str, Who]:
        return {run: by for run, by in self._contents.stops.items() if run in names}

    async def secret(self, name: str, version: int | None = None) -> SecretRow | None:
        versions = {row.version: row for row in self._contents.secrets.values() if row.name == name}
        return versions.get(version if version is not None else max(versions, default=0))

    async def secrets(self) -> Sequence[SecretRow]:
        rows = sorted(self._contents.secrets.values(), key=lambda row: row.version)
        return list({row.name: row for row in rows}.values())

    async def all_secret_rows(self) -> Sequence[SecretRow]:
        return list(self._contents.secrets.values())

    async def link(self, account: Account) -> Link | None:
        return self._contents.links.get(account.key)

    async def links(self, who: Who) -> Sequence[Link]:
        return [link for link in self._contents.links.values() if link.who == who]

    async def linking(self, account: Account) -> Linking | None:
        return self._contents.linkings.get(account.key)

    async def linking_by(self, ticket: str) -> Linking | None:
        return next((one for one in self._contents.linkings.values() if one.ticket == ticket), None)

    def forge(self, run: Run) -> None:
        """Change a stored run behind everybody's back."""
        self._contents.runs[run.id] = run

    def end(self, absence: Absence) -> None:
        """Let an absence have lasted no longer."""
        del self._contents.absences[absence.holder]

    def tamper(self, row: SecretRow) -> None:
        """Change a secret's row behind the vault's back."""
        self._contents.secrets[row.name, row.version] = row


def _older(waiting: Waiting, than: Waiting) -> bool:
    same = (waiting.post.place, waiting.post.key) == (than.post.place, than.post.key)
    return same and waiting.id < than.id
