"""What all of Deputy's views have in common: what they are for, what they remember, and views that only show."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bot.chat.slack.render import Json, code, shown
from bot.chat.slack.text import fit, plain, size
from bot.core.card import Card
from bot.core.errors import Invalid

MOST_BLOCKS = 100
LONGEST_WORDS = 2_000  # bytes of a message that a form is filled from
_LARGEST_CHARACTER = 6  # bytes of JSON
LONGEST_METADATA = 3_000  # characters
LONGEST_TEXT = 100_000  # bytes of an output shown in a view, which may have 250 kB


class Callback(StrEnum):
    """What a view or a shortcut is for: its `callback_id`."""

    PICK = "pick"
    FILL = "fill"
    DENY = "deny"
    LINK = "link"
    REVIEW = "review"
    SHOW = "show"
    RUN_ON_THIS = "run_on_this"


@dataclass(frozen=True)
class Meta:
    """What a view remembers: the conversation it came from, the action or run it is about, and the words of
    the message it was opened on (its start, where that is long).

    `aside` is what was put into fields of a form that don't apply now, as far as there is room for it.
    """

    conversation: str = ""
    subject: str = ""
    words: str = ""
    aside: Mapping[str, Any] = field(default_factory=dict)


NOWHERE = Meta()


def meta(view: Mapping[str, Any]) -> Meta:
    """Read what a view remembers. Raises Invalid for one that Deputy didn't make."""
    try:
        found = Meta(**json.loads(view["private_metadata"]))
        return replace(found, aside=dict(found.aside))
    except (KeyError, TypeError, ValueError):
        raise Invalid("That form is not one of Deputy's. Open it anew with /deputy.") from None


def modal(callback: Callback, title: str, blocks: Iterable[Json], about: Meta, submit: str = "") -> Json:
    """Build a modal; without `submit` it only shows. At most 100 blocks are kept."""
    view: Json = {
        "type": "modal",
        "callback_id": callback.value,
        "title": plain(title, 24),
        "close": plain("Cancel" if submit else "Close", 24),
        "private_metadata": _metadata(about),
        "blocks": list(blocks)[:MOST_BLOCKS],
    }
    return {**view, "submit": plain(submit, 24)} if submit else view


def whole(kept: str) -> bool:
    """Say whether a view remembers all of the words it was given: those that fill their room may have been cut."""
    return size(kept) - 2 <= LONGEST_WORDS - _LARGEST_CHARACTER


def _metadata(about: Meta) -> str:
    kept = json.dumps({**vars(about), "words": fit(about.words, LONGEST_WORDS), "aside": {}}, ensure_ascii=False)
    aside: Json = {}
    for name, value in about.aside.items():
        more = json.dumps({**json.loads(kept), "aside": {**aside, name: value}}, ensure_ascii=False)
        if len(more) <= LONGEST_METADATA:
            kept, aside = more, {**aside, name: value}
    return kept


def card_view(card: Card, about: Meta = NOWHERE) -> Json:
    """Show a card in a modal, with its buttons: a run's status, an answer to a command."""
    return modal(Callback.SHOW, "Deputy", shown(card, view=True).blocks, about)


def text_view(title: str, text: str, about: Meta = NOWHERE) -> Json:
    """Show a whole output in a modal: nothing of it stays behind in a conversation."""
    return modal(Callback.SHOW, title, code(text, LONGEST_TEXT) or [words("It said nothing.")], about)


def waiting_view(about: Meta = NOWHERE) -> Json:
    """Say that something comes, for a trigger dies after three seconds; `views.update` brings it."""
    return modal(Callback.SHOW, "Deputy", [words("One moment…")], about)


def words(text: str) -> Json:
    """Return a block of plain words, 3,000 characters at most."""
    return {"type": "section", "text": plain(text, 3000)}
