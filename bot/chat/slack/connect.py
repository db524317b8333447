"""Slack as a whole, put together from the settings: what posts, what listens, and the session that they share."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

import aiohttp
from aiohttp import web

from bot.chat.slack import web as http
from bot.chat.slack.attend import Attendant
from bot.chat.slack.client import SlackClient
from bot.chat.slack.guard import Guard, Own
from bot.chat.slack.hear import PLATFORM
from bot.chat.slack.listen import Listener
from bot.chat.slack.post import OnCall, People, SlackChat
from bot.chat.slack.respond import Responder
from bot.chat.slack.routes import read_routes
from bot.chat.slack.socket import SocketMode
from bot.core.errors import NotFound
from bot.ports import Clock, Store
from bot.service.door import Door
from bot.service.inbox import Inbox, Intents
from bot.service.posts import KeptPosts, Posts, PostsAlone
from bot.settings import Settings


class Kept(Store, KeptPosts, Intents, Protocol):
    """What Slack needs of the store."""


class Slack:
    """The platform: `chat` posts from the start; `listen` lets people in.

    `alone`: no other process works on the same data.
    """

    def __init__(
        self,
        settings: Settings,
        session: aiohttp.ClientSession,
        store: Kept,
        posts: Posts,
        clock: Clock,
        people: People,
        on_call: OnCall,
        *,
        alone: bool,
    ) -> None:
        self._settings = settings
        self._session = session
        self._store = store
        self._clock = clock
        self._alone = alone
        self._routes = read_routes(settings.policies_dir)
        self._client = SlackClient(session, settings.slack_bot_token, settings.slack_api)
        self.chat = SlackChat(self._client, store, posts, clock, people, self._routes, on_call)

    @asynccontextmanager
    async def listen(self, door: Door, nonce: Callable[[], str]) -> AsyncIterator[web.Application | None]:
        """Take deliveries for as long as the context lasts; yields what is to be served, if anything."""
        settings, session = self._settings, self._session
        own = Own(settings.slack_team, settings.slack_app_id)
        responder = Responder(door, self._client, settings.slack_api, self._routes, self._action_of)
        inbox = Inbox(self._store, self._clock, nonce)
        attendant = Attendant(responder, inbox, self._clock)
        listener = Listener(attendant, responder, inbox)
        async with AsyncExitStack() as stack:
            await attendant.start(alone=self._alone)
            stack.push_async_callback(attendant.close)
            if settings.slack_app_token:
                client = SlackClient(session, settings.slack_app_token, settings.slack_api)
                lines = SocketMode(session, client, own, listener.deliver)
                lines.start()
                stack.push_async_callback(lines.close)
            secret = settings.slack_signing_secret
            yield http.application(Guard(secret, own), listener.deliver, self._clock) if secret else None

    async def _action_of(self, run: str) -> str:
        try:
            return (await self._store.run(run)).request.action
        except NotFound:
            return ""


@asynccontextmanager
async def connected(
    settings: Settings, store: Kept, clock: Clock, people: People, on_call: OnCall = tuple, *, alone: bool
) -> AsyncIterator[Slack]:
    """Keep Slack for as long as the context lasts. Raises Invalid for slack.toml, Unavailable."""
    posts = await _posts(store, alone=alone)
    async with aiohttp.ClientSession() as session:
        slack = Slack(settings, session, store, posts, clock, people, on_call, alone=alone)
        try:
            yield slack
        finally:
            await slack.chat.close()


async def _posts(store: Kept, *, alone: bool) -> Posts:
    if not alone:
        return store
    posts = PostsAlone(store)
    await posts.start(PLATFORM)
    return posts
