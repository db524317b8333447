"""What is shown to people, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.card import Card
from bot.core.run import Place
from bot.ports.store import Post


class Chat(Protocol):
    """One chat platform. `pace` is how many seconds lie between two posts in one conversation, at least."""

    pace: float

    async def post(self, post: Post) -> None:
        """Show a post, or update the one with its key; doing it twice changes nothing.

        Raises Unavailable for what passes, which is tried again; Invalid for a refusal, which may be given up.
        """

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
