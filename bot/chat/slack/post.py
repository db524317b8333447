"""Posting into Slack: one message a run in its channel, updated in place, and what is long in its thread.

Nothing is doubled needlessly: the store notes a post before it is tried, and its message once Slack has named it.
Where that is missing (an answer was lost, Deputy died), the message is looked for by the metadata it carries
before it is posted again. What has to wait raises Unavailable, and the outbox comes back with it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from bot.chat.slack.aside import for_nobody_else, instead, of_one
from bot.chat.slack.client import Lost, SlackClient, SlackRefused, TooFast
from bot.chat.slack.pace import Pace
from bot.chat.slack.progress import Progress
from bot.chat.slack.render import Shown, shown
from bot.chat.slack.routes import ON_CALL, Routes
from bot.chat.slack.thread import Thread
from bot.core.canonical import sha256
from bot.core.card import to_json
from bot.core.errors import NotFound, Unavailable
from bot.core.run import Place, Run, State
from bot.ports import Clock, Post, Store
from bot.service.posts import Posted, Posts

log = logging.getLogger(__name__)

METADATA = "deputy_post"
MOST_CALLED = 20  # people and groups mentioned in one request
SEARCHED = 100  # newest messages of a conversation that a lost one is looked for among

# Slack's words for: Deputy can't speak here; the message is no more; the blocks are not to Slack's liking.
_NO_WAY_IN = frozenset(
    {"channel_not_found", "not_in_channel", "user_not_in_channel", "is_archived", "restricted_action"}
)
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_ILLEGAL = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
# What is wrong with the set-up: every post waits until somebody mends that.
_UNTIL_MENDED = frozenset(
    {
        *("not_authed", "invalid_auth", "token_revoked", "token_expired", "account_inactive", "missing_scope"),
        *("not_allowed_token_type", "no_permission", "access_denied", "ekm_access_denied", "org_login_required"),
    }
)

People = Callable[[str], Awaitable[str]]
OnCall = Callable[[], Collection[str]]


class SlackChat:
    """Slack as a chat platform; satisfies `ports.Chat`.

    `posts` know which message each post is. `people` returns Slack's id (U…, W…) of a principal (`tenant/oid`),
    empty for one who has none here; `on_call` the keys of those on call now.
    """

    pace = 0.0  # Slack takes bursts, and says itself how long it wants to be left alone

    def __init__(
        self,
        client: SlackClient,
        store: Store,
        posts: Posts,
        clock: Clock,
        people: People,
        routes: Routes | None = None,
        on_call: OnCall = tuple,
    ) -> None:
        self._client = client
        self._store = store
        self._posts = posts
        self._people = people
        self._on_call = on_call
        self._routes = routes or Routes()
        self._pace = Pace(clock)
        self._thread = Thread(client, store, posts)
        self._progress = Progress(self._update)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._undone: set[tuple[Place, str]] = set()
        self._direct: dict[str, str] = {}

    async def post(self, post: Post) -> None:
        """Show a post, or update the one with its key. Raises Unavailable, SlackRefused."""
        turn = self._turns.setdefault(post.card.run or post.key, asyncio.Lock())
        async with turn:
            try:
                await (self._whisper(post) if post.only else self._show_all(post))
            except SlackRefused as refusal:
                if refusal.code not in _UNTIL_MENDED:
                    raise
                raise Unavailable(f"{refusal} `deputy doctor` says what to mend.") from None

    def progress(self, place: Place, run: str, lines: str) -> None:
        """Show the last lines of a running script, coalesced to one update a second in a conversation."""
        self._progress.tell(run, lines)

    async def close(self) -> None:
        """Stop showing progress."""
        await self._progress.close()

    # ---- for everybody ---------------------------------------------------------------------------

    async def _show_all(self, post: Post) -> None:
        run = await self._run(post)
        homes = self._homes(post, run)
        if post.card.state == State.AWAITING_APPROVAL:  # where it is decided comes first
            homes = homes[::-1]
        calling, refused = True, None
        for home in homes:
            try:
                there = await self._show(post, home, run, calling=calling)
            except SlackRefused as refusal:
                refused = refusal  # the others see it all the same
                continue
            calling = calling and there != home
        if refused:
            raise refused

    def _homes(self, post: Post, run: Run | None) -> tuple[str, ...]:
        """Return the conversations that a post is shown in: where it was asked, and where it is decided."""
        approvals = self._routes.approvals_for(run.request.action) if run and run.needed else ""
        return tuple(dict.fromkeys(one for one in (post.place.conversation, approvals) if one))

    async def _show(self, post: Post, home: str, run: Run | None, *, calling: bool) -> str:
        """Show a post in a conversation, and return the one that it stands in: not the same where Deputy can't
        speak there. A new request calls approvers, unless they are called elsewhere.
        """
        key = post.key if home == post.place.conversation else f"{post.key}@{home}"
        digest = sha256(to_json(post.card))
        known = await self._posts.expect_post(post.place, key)
        if known and known.message and known.content == digest:
            return known.conversation
        if home == post.place.conversation:  # where its lines are shown
            await self._progress.end(post.card.run)
        new = calling and not (known and known.message)
        done = shown(post.card, await self._called(post, run) if new else ())
        if post.card.state == State.AWAITING_APPROVAL and of_one(self._homes(post, run)):
            done = for_nobody_else(done)
        posted = await self._put(post, key, home, known, done, instead(post, home, done, stands=not calling))
        if done.cut and post.card.run:
            await self._posts.keep_post(post.place, key, posted)
            await self._thread.add(post.place, key, posted, post.card.run)
        await self._posts.keep_post(post.place, key, replace(posted, content=digest))
        if post.card.state == State.RUNNING and home == post.place.conversation:
            self._progress.begin(post.card.run, posted, post.card)
        return posted.conversation

    async def _called(self, post: Post, run: Run | None) -> tuple[str, ...]:
        """Return whom a request calls; an interruption, in a message of its own, calls who asked."""
        if post.card.state == State.INTERRUPTED and post.key != post.card.run:
            person = await self._requester(post)
            return (person,) if person else ()
        if run is None or run.state is not State.AWAITING_APPROVAL:
            return ()
        called = self._routes.called(run.approver_roles)
        on_call = [await self._people(key) for key in sorted(self._on_call())] if ON_CALL in called else []
        each = (id for one in called for id in (on_call if one == ON_CALL else (one,)))
        return tuple(dict.fromkeys(id for id in each if id))[:MOST_CALLED]

    async def _put(
        self, post: Post, key: str, home: str, known: Posted | None, done: Shown, aside: Shown
    ) -> Posted:
        """Update the message where there is one, or post it; `aside` to who asked, where Deputy can't speak."""
        there = known if known and known.message else None
        if known and there is None:
            there = await self._lost(post, key, home)
        if there:
            elsewhere = there.conversation != home and home[:1] not in ("U", "W")
            if await self._renewed(there, aside if elsewhere else done):
                return there
            await self._posts.keep_post(post.place, key, Posted())  # or a lost answer would not be looked for
        try:
            return await self._say(post.place, key, await self._opened(home), done)
        except SlackRefused as refusal:
            if refusal.code not in _NO_WAY_IN:
                raise
            return await self._say_to_requester(post, key, aside, refusal)

    async def _renewed(self, there: Posted, done: Shown) -> bool:
        """Update a message; False where it is no more, or Deputy no longer where it is."""
        try:
            await self._update(channel=there.conversation, ts=there.message, blocks=done.blocks, text=done.text)
        except SlackRefused as refusal:
            if refusal.code in _ILLEGAL and done.blocks:
                log.error("a card is shown as its text alone: %s", refusal)
                return await self._renewed(there, Shown([], done.text))
            if refusal.code not in _GONE | _NO_WAY_IN:
                raise
            return False
        return True

    async def _say_to_requester(self, post: Post, key: str, aside: Shown, refusal: SlackRefused) -> Posted:
        """Tell who asked, where the conversation can't be told."""
        person = await self._requester(post)
        if not person:
            raise refusal
        log.warning("%s is told to its requester alone: %s", post.card.run, refusal)
        return await self._say(post.place, key, await self._opened(person), aside)

    async def _say(self, place: Place, key: str, conversation: str, done: Shown) -> Posted:
        metadata = {"event_type": METADATA, "event_payload": {"key": key}}
        self._undone.discard((place, key))
        silent = {"unfurl_links": False, "unfurl_media": False, "metadata": metadata}
        try:
            said = await self._call(conversation, "chat.postMessage", text=done.text, blocks=done.blocks, **silent)
        except Lost:
            raise
        except (SlackRefused, Unavailable) as error:
            if isinstance(error, SlackRefused) and error.code in _ILLEGAL and done.blocks:
                log.error("a card is shown as its text alone: %s", error)
                return await self._say(place, key, conversation, Shown([], done.text))
            self._undone.add((place, key))
            raise
        return Posted(str(said["channel"]), str(said["ts"]))

    async def _lost(self, post: Post, key: str, home: str) -> Posted | None:
        """Look for a message that was sent without an answer, or by a Deputy that died then."""
        if (post.place, key) in self._undone:
            self._undone.discard((post.place, key))
            return None
        try:
            try:
                return await self._found(await self._opened(home), key)
            except SlackRefused as refusal:
                person = await self._requester(post) if refusal.code in _NO_WAY_IN else ""
                return await self._found(await self._opened(person), key) if person else None
        except SlackRefused as refusal:
            log.info("a lost message can't be looked for: %s", refusal)
            return None

    async def _found(self, conversation: str, key: str) -> Posted | None:
        """Look for a message by what it carries. Raises SlackRefused."""
        newest = await self._call(conversation, "conversations.history", limit=SEARCHED, include_all_metadata=True)
        for one in newest.get("messages", []):
            metadata = one.get("metadata") or {}
            if metadata.get("event_type") == METADATA and metadata.get("event_payload") == {"key": key}:
                return Posted(conversation, str(one["ts"]))
        return None

    # ---- for one person --------------------------------------------------------------------------

    async def _whisper(self, post: Post) -> None:
        """Show a post to one person: a refusal where they asked just now, all else directly.

        Slack shows an ephemeral message only to who is looking, and keeps it for nobody: a result that comes
        hours after it was asked for would be lost.
        """
        person = await self._people(post.only)
        if not person:
            log.warning("%s was for somebody who has no account in Slack", post.key)
            return
        digest = sha256(to_json(post.card))
        known = await self._posts.expect_post(post.place, post.key)
        if known and known.content == digest:
            return
        done = shown(post.card)
        asked = post.key == post.card.run and post.place.conversation[:1] in ("C", "G")
        posted = await self._whispered(post, person, done) if asked else None
        if posted is None:
            posted = await self._put(post, post.key, person, known, done, done)
        await self._posts.keep_post(post.place, post.key, replace(posted, content=digest))

    async def _whispered(self, post: Post, person: str, done: Shown) -> Posted | None:
        conversation = post.place.conversation
        try:
            await self._call(conversation, "chat.postEphemeral", user=person, text=done.text, blocks=done.blocks)
        except SlackRefused as refusal:
            if refusal.code not in _NO_WAY_IN:
                raise
            return None
        return Posted(conversation)  # Slack keeps no such message, so there is none to update

    # ---- calls -----------------------------------------------------------------------------------

    async def _opened(self, home: str) -> str:
        """Return the conversation to speak in: a person's own with Deputy, for a person."""
        if home[:1] not in ("U", "W"):
            return home
        if home not in self._direct:
            self._direct[home] = str((await self._client.call("conversations.open", users=home))["channel"]["id"])
        return self._direct[home]

    async def _update(self, *, channel: str, **payload: Any) -> None:
        await self._call(channel, "chat.update", **payload)

    async def _call(self, channel: str, method: str, **payload: Any) -> dict[str, Any]:
        """Call about a conversation, one call after the other: what asks for a pause is heard by all behind it."""
        queue = self._queues.setdefault(channel, asyncio.Lock())
        async with queue:
            self._pace.check(channel)
            try:
                return await self._client.call(method, channel=channel, **payload)
            except TooFast as error:
                self._pace.quiet(channel, error.pause)
                raise
            except Unavailable:
                self._pace.down()
                raise

    async def _run(self, post: Post) -> Run | None:
        """Return the run of a post where its way depends on it."""
        return await self._stored(post.card.run) if self._routes != Routes() else None

    async def _requester(self, post: Post) -> str:
        """Return who asked for the run of a post, empty where there is none or they have no account."""
        run = await self._stored(post.card.run)
        return await self._people(run.request.requester.key) if run else ""

    async def _stored(self, run: str) -> Run | None:
        try:
            return await self._store.run(run) if run else None
        except NotFound:
            return None
