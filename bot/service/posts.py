"""What a chat platform keeps about its posts, so that they are updated in place and not doubled."""

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
