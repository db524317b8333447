"""What a chat platform keeps about its posts, so that they are updated in place and not doubled."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from bot.core.run import Place


@dataclass(frozen=True)
class Posted:
    """Where a platform shows a post: its conversation, its own id of the message, a SHA-256 of what is shown.

    Without a `message` it was tried, and nobody knows whether it arrived.
    """

    conversation: str = ""
    message: str = ""
    content: str = ""


class Posts(Protocol):
    """Where a chat platform keeps which message each post is."""

    async def expect_post(self, place: Place, key: str) -> Posted | None:
        """Return where a post is shown; None where it was never tried, which from now on it was."""

    async def keep_post(self, place: Place, key: str, posted: Posted) -> None:
        """Note where a post is shown now."""


class KeptPosts(Posts, Protocol):
    """What `PostsAlone` needs of a store."""

    async def shown_post(self, place: Place, key: str) -> Posted | None:
        """Return where a post is shown; None where that was never noted."""

    async def waiting_posts(self, platform: str) -> Collection[tuple[Place, str]]:
        """Return the place and key of every post that waits to be delivered."""


class PostsAlone:
    """Posts where one process alone delivers: what it tries is known without a write; satisfies `Posts`.

    What an earlier process may have tried waits in the outbox when this one starts, for nothing else is known of
    it: so it counts as tried.
    """

    def __init__(self, posts: KeptPosts) -> None:
        self._posts = posts
        self._before: Collection[tuple[Place, str]] = ()
        self._tried: set[tuple[Place, str]] = set()

    async def start(self, platform: str) -> None:
        """Learn what waits, before anything is posted. Raises Unavailable."""
        self._before = frozenset(await self._posts.waiting_posts(platform))

    async def expect_post(self, place: Place, key: str) -> Posted | None:
        """Return where a post is shown; None where it was never tried, which from now on it was."""
        known = await self._posts.shown_post(place, key)
        if known:
            return known
        if (place, key) in self._tried or self._waited(place, key):
            return Posted()
        self._tried.add((place, key))
        return None

    async def keep_post(self, place: Place, key: str, posted: Posted) -> None:
        """Note where a post is shown now."""
        await self._posts.keep_post(place, key, posted)
        self._tried.discard((place, key))

    def _waited(self, place: Place, key: str) -> bool:
        """Say whether a post waited at the start, or the one that its key is made of (`R-1@C0OPS` of `R-1`)."""
        made_of = (key, *(key[: found.start()] for found in re.finditer("[@:]", key))) if self._before else ()
        return any((place, one) in self._before for one in made_of)
