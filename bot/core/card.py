"""Neutral cards: what Deputy shows, before a platform renders it.

All texts are plain: a renderer encodes them for its channel. Cards travel through the outbox as JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.core.canonical import Json


class Tone(StrEnum):
    """The mood of a card, for its colour and sign."""

    NEUTRAL = "neutral"
    WAITING = "waiting"
    RUNNING = "running"
    GOOD = "good"
    BAD = "bad"


class Verb(StrEnum):
    """What a button does when pressed."""

    APPROVE = "approve"
    DENY = "deny"
    CANCEL = "cancel"
    RERUN = "rerun"
    COMPARE = "compare"
    OPEN = "open"
    LINK = "link"
    HAND_OVER = "hand_over"
    REVIEW = "review"
    FAVOUR = "favour"
    UNFAVOUR = "unfavour"


@dataclass(frozen=True)
class Fact:
    """A label and its value; `code` marks one to be shown letter by letter, `cut` one of which there is more.

    `at` is the moment that the value names, ISO 8601, for platforms that can show it by their reader's clock.
    """

    label: str
    value: str
    code: bool = False
    cut: bool = False
    at: str = ""


@dataclass(frozen=True)
class Text:
    """Plain words, or output of a script when `code`. `cut` says there is more than is shown here.

    One with a `title` shows how a script has changed (a unified diff), folded under it.
    """

    text: str
    code: bool = False
    cut: bool = False
    title: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under column heads; `cut` counts the rows left out here."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    cut: int = 0


@dataclass(frozen=True)
class Hidden:
    """The private result of a run: the card carries its place only; the reader's rights are asked anew."""

    run: str


@dataclass(frozen=True)
class Item:
    """One line of a menu: `subject` is the id of the action it opens, a `favourite` one of its reader's."""

    subject: str
    label: str
    detail: str = ""
    note: str = ""
    favourite: bool = False


FAVOURITES, MOST_USED = "Favourites", "Most used"  # headings of the menus that come before all others


@dataclass(frozen=True)
class Menu:
    """Actions to choose from, under a heading; choosing one is pressing `Verb.OPEN` on its subject."""

    heading: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Page:
    """A page to be opened in a browser, under a label. The address is Deputy's own, never what somebody typed."""

    label: str
    address: str


Block = Text | Table | Hidden | Menu | Page


@dataclass(frozen=True)
class Button:
    """A button: its label, what it does, on what (`subject` is a run's or an action's id, or an account's key).

    `asks` is the label of a text that is asked for at the click; `comment` that of one which may come with it
    where a platform has room for it: the click alone is enough.
    """

    label: str
    verb: Verb
    subject: str
    style: str = ""
    asks: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Card:
    """One message. `run` and `state` say which run it tells of and how that stands; `audit` proves it."""

    title: str
    tone: Tone = Tone.NEUTRAL
    lead: str = ""
    facts: tuple[Fact, ...] = ()
    blocks: tuple[Block, ...] = ()
    buttons: tuple[Button, ...] = ()
    run: str = ""
    state: str = ""
    audit: str = ""
    footnote: str = ""


def to_json(card: Card) -> dict[str, Json]:
    """Return the card in JSON's types, for the outbox and for doors that speak JSON."""
    return {
        "title": card.title,
        "tone": card.tone.value,
        "lead": card.lead,
        "facts": [_fact(fact) for fact in card.facts],
        "blocks": [_block(block) for block in card.blocks],
        "buttons": [{**vars(button), "verb": button.verb.value} for button in card.buttons],
        "run": card.run,
        "state": card.state,
        "audit": card.audit,
        "footnote": card.footnote,
    }


def _block(block: Block) -> dict[str, Json]:
    if isinstance(block, Table):
        return {"kind": "table", "heads": block.heads, "rows": block.rows, "cut": block.cut}
    if isinstance(block, Hidden):
        return {"kind": "hidden", "run": block.run}
    if isinstance(block, Menu):
        return {"kind": "menu", "heading": block.heading, "items": [vars(item) for item in block.items]}
    if isinstance(block, Page):
        return {"kind": "page", "label": block.label, "address": block.address}
    return {"kind": "text", "text": block.text, "code": block.code, "cut": block.cut, "title": block.title}


def _fact(fact: Fact) -> Json:
    return {name: value for name, value in vars(fact).items() if value or name not in ("cut", "at")}


def from_json(data: Mapping[str, Any]) -> Card:
    """Read back what `to_json` wrote."""
    return Card(
        title=data["title"],
        tone=Tone(data["tone"]),
        lead=data["lead"],
        facts=tuple(Fact(**fact) for fact in data["facts"]),
        blocks=tuple(_read_block(block) for block in data["blocks"]),
        buttons=tuple(Button(**{**button, "verb": Verb(button["verb"])}) for button in data["buttons"]),
        run=data["run"],
        state=data["state"],
        audit=data["audit"],
        footnote=data["footnote"],
    )


def _read_block(data: Mapping[str, Any]) -> Block:
    if data["kind"] == "table":
        return Table(tuple(data["heads"]), tuple(tuple(row) for row in data["rows"]), data["cut"])
    if data["kind"] == "hidden":
        return Hidden(data["run"])
    if data["kind"] == "menu":
        return Menu(data["heading"], tuple(Item(**item) for item in data["items"]))
    if data["kind"] == "page":
        return Page(data["label"], data["address"])
    return Text(data["text"], data["code"], data["cut"], data.get("title", ""))
