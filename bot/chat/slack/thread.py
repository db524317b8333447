"""What is too long for a card goes whole into its thread, as a file: a request's arguments, a script's output."""

import logging
from collections.abc import Iterator

from bot.chat.slack.client import SlackClient, SlackRefused
from bot.chat.slack.text import escaped
from bot.core.card import Card, Text
from bot.core.cards import full_card
from bot.core.errors import NotFound
from bot.core.run import Place, State
from bot.ports import Store
from bot.service.posts import Posted, Posts

log = logging.getLogger(__name__)


class Thread:
    """Puts each file once under its message."""

    def __init__(self, client: SlackClient, store: Store, posts: Posts) -> None:
        self._client = client
        self._store = store
        self._posts = posts

    async def add(self, place: Place, key: str, posted: Posted, run: str) -> None:
        """Add what a run's card doesn't show whole. Raises Unavailable."""
        name, text = await self._whole(run)
        if not text:
            return
        key = f"{key}:{name}"
        known = await self._posts.expect_post(place, key)
        if known is None or not known.message:
            file = await self._share(posted, name, text, run)
            await self._posts.keep_post(place, key, Posted(posted.conversation, file))

    async def _whole(self, run_id: str) -> tuple[str, str]:
        """Return a file's name and text; no text where there is nothing to add, as of what is private."""
        try:
            run = await self._store.run(run_id)
        except NotFound:
            return "", ""
        if run.state is State.AWAITING_APPROVAL:
            return f"{run.id}-request.txt", "\n".join(_lines(full_card(run)))
        output = await self._store.output(run_id) if run.state.ended and not run.private else None
        return f"{run.id}-output.txt", output.text if output and output.sealed is None else ""

    async def _share(self, posted: Posted, name: str, text: str, run: str) -> str:
        """Upload a file into a message's thread; where Slack refuses it, say there how it can be read."""
        content = text.encode(errors="replace")
        try:
            got = await self._client.call("files.getUploadURLExternal", filename=name, length=len(content))
            await self._client.upload(str(got["upload_url"]), content)
            file = {"id": got["file_id"], "title": name}
            under = {"channel_id": posted.conversation, "thread_ts": posted.message}
            await self._client.call("files.completeUploadExternal", files=[file], **under)
            return str(got["file_id"])
        except SlackRefused as refusal:
            log.warning("%s is not in its thread: %s", name, refusal)
        words = escaped(f"It is too long for a message. /deputy status {run} shows all of it.")
        under = {"channel": posted.conversation, "thread_ts": posted.message}
        return str((await self._client.call("chat.postMessage", text=words, **under))["ts"])


def _lines(card: Card) -> Iterator[str]:
    yield from (card.title, card.lead, "")
    yield from (f"{fact.label}: {fact.value}" for fact in card.facts)
    yield from (f"\n{block.text}" for block in card.blocks if isinstance(block, Text))
