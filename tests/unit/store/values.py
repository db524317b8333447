"""Values for the store's tests: ordinary ones, to be varied by keyword."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.core.action import Script
from bot.core.audit import GENESIS, Draft, Entry, Tag, Verdict, verify
from bot.core.card import Button, Card, Fact, Hidden, Table, Text, Tone, Verb
from bot.core.principal import Who
from bot.core.request import Request
from bot.core.run import Place, Run, State
from bot.ports import Change, Post, SecretRow, Store

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
OLGA = Who("contoso", "o-1", "Olga")
PLACE = Place("local", "general")
SCRIPT = Script("unlock.py", b"def main(name: str) -> None: ...\n")


def a_run(name: str = "R-1", **changed: Any) -> Run:
    """Return a queued run at its first revision."""
    request = Request(
        requester=changed.pop("requester", OLGA),
        action=changed.pop("action", "unlock-account"),
        arguments={"name": "alice", "groups": ("a", "b"), "days": 3, "now": True},
        target="this machine",
        script=SCRIPT.sha,
        interpreter="python 3.11",
        policy_version="p" * 64,
        expires_at=changed.pop("expires_at", NOW),
        nonce=name,
        door="chat",
    )
    run = Run(name, request, request.digest, "Unlock an account", "change", PLACE, State.QUEUED, NOW, revision=1)
    return replace(run, **changed)


def a_draft(subject: str = "R-1", **facts: Any) -> Draft:
    """Return a fact that may stand for any other."""
    return Draft(Tag.RUN_STARTED, OLGA, subject, NOW, facts or {"action": "unlock-account", "reasons": ("é", "b")})


def a_change(run: Run | None = None, **parts: Any) -> Change:
    """Return a change with one audit entry."""
    return Change(entries=(a_draft(run.id if run else "R-1"),), run=run, **parts)


def a_post(key: str = "R-1", title: str = "Unlock an account", **changed: Any) -> Post:
    """Return a post with every kind of block."""
    run = changed.pop("run", "")
    card = Card(
        title,
        Tone.GOOD,
        "Done.",
        facts=(Fact("Name", "alice", code=True),),
        blocks=(Text("out", code=True), Table(("a", "b"), (("1", "2"),), 3), Hidden("R-1")),
        buttons=(Button("Run again", Verb.RERUN, "R-1"),),
        run=run,
    )
    return replace(Post(PLACE, key, card), **changed)


def a_secret(name: str = "directory", version: int = 1, **changed: Any) -> SecretRow:
    """Return a sealed secret version."""
    return replace(SecretRow(name, version, "key-1", b"wrapped\x00", b"sealed\xff", NOW), **changed)


async def pages(store: Store, size: int = 5_000) -> AsyncIterator[list[Entry]]:
    """Read the whole audit chain."""
    after = 0
    while page := await store.entries(after=after, limit=size):
        yield list(page)
        after = page[-1].sequence


async def verified(store: Store) -> Verdict:
    """Verify the whole chain as an auditor does, page by page."""
    verdict, holds = Verdict(0, head=GENESIS), 0
    async for page in pages(store, 7):
        verdict = verify(page, since=(holds, verdict.head))
        holds += verdict.holds
        if verdict.broken_at is not None:
            break
    return replace(verdict, holds=holds)
