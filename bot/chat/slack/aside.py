"""What a post says where Deputy can't speak in a conversation, or where nobody who may decide is shown it."""

from collections.abc import Sequence
from dataclasses import replace

from bot.chat.slack.render import Shown, small_print
from bot.core.run import State
from bot.ports import Post

_NOBODY_ELSE = (
    "Nobody but you is shown this. Who may decide on it finds it in Deputy's Home tab or with /deputy approvals: "
    "tell them, or ask in a channel where they are."
)
_NOT_HERE = (
    "Deputy can't speak in the channel where you asked, so it tells you here. "
    "To have it there next time: /invite @deputy."
)
_IN_APPROVALS = "Who may decide on it sees it in the channel for approvals."
_NOT_THERE = (
    "Deputy can't speak in the channel for approvals, so nobody is asked there. Who may decide on it finds it in "
    "Deputy's Home tab or with /deputy approvals: tell them, and whoever keeps Deputy."
)


def of_one(homes: Sequence[str]) -> bool:
    """Say whether nobody but who asked sees what is shown in these conversations."""
    return all(home[:1] in ("D", "U", "W") for home in homes)


def instead(post: Post, home: str, done: Shown, *, stands: bool) -> Shown:
    """Say to who asked, in what is shown to them in place of a conversation, where it is decided.

    `stands` says that the channel for approvals shows the request.
    """
    if home == post.place.conversation:
        done = _noted(done, _NOT_HERE)
    if post.card.state != State.AWAITING_APPROVAL:
        return done
    here = _IN_APPROVALS if stands else _NOBODY_ELSE
    return _noted(done, here if home == post.place.conversation else _NOT_THERE)


def _noted(done: Shown, why: str) -> Shown:
    """Say in a request that those who may decide are not shown it, and what brings it before them."""
    return replace(done, blocks=[*done.blocks, small_print(why)])


def for_nobody_else(done: Shown) -> Shown:
    """Say in a request that nobody but who asked is shown it."""
    return _noted(done, _NOBODY_ELSE)
