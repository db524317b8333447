"""Neutral cards as Slack's messages and views, and its clicks back into what was meant.

What Slack hands back reads so, everywhere in this folder:

- `action_id` is `<verb>:<n>`: a `card.Verb`, or one of `Look`; `n` tells elements of one message apart.
- `value` of a button, or the value of the option chosen, is the subject: a run's or an action's id.
- `callback_id` of a view is one of `views.Callback`; `private_metadata` is the JSON of a `views.Meta`.
- `block_id` of an input is `p:<parameter>`; `reason` and `comment` are the two that belong to no parameter.

All of Slack's limits hold by construction: a message keeps to LARGEST bytes of blocks, what doesn't fit is cut
where the reader sees it, with its length and hash, and `Shown.cut` says that the whole belongs into the thread.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.chat.slack.text import cut, escaped, fit, plain, size
from bot.core.card import Block, Button, Card, Fact, Hidden, Item, Menu, Page, Table, Text, Tone, Verb
from bot.core.errors import Invalid
from bot.core.run import State
from bot.core.text import shorten, visible

Json = dict[str, Any]

MOST_BLOCKS, MOST_VIEWED = 50, 100  # blocks of a message, and of a view
LARGEST = 12_500  # bytes of a message's blocks without its table: Slack refused a little over 13,200
LEAD, FACTS, BUTTONS = 2_500, 5_500, 2_500  # bytes that content may not take from these
MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 100, 20, 9_000  # of a table, its heads among the rows; characters
MOST_OPTIONS = 100  # of one select
CODE = 3_000  # bytes of one preformatted block, the same as a section's text
VIEW = 100_000  # bytes of a view's blocks; Slack takes 250 kB
LIVE = 2_500  # bytes of a running script's last lines
NOTIFICATION = 600  # characters

_SIGNS = {Tone.NEUTRAL: "", Tone.WAITING: "⏳ ", Tone.RUNNING: "▶ ", Tone.GOOD: "✅ ", Tone.BAD: "❌ "}


class Look(StrEnum):
    """Clicks that only look: at a run, its output, its script's changes, a form; a search in the Home tab."""

    STATUS = "status"
    OUTPUT = "output"
    CHANGES = "changes"
    FORM = "form"
    SEARCH = "search"


@dataclass(frozen=True)
class Shown:
    """A rendered card. `cut` says that something is not shown whole."""

    blocks: list[Json]
    text: str
    cut: bool = False


def message(card: Card, mentions: Sequence[str] = (), live: str = "") -> dict[str, Any]:
    """Return `{"blocks": …, "text": …}` for chat.postMessage, chat.update and answers to a response_url."""
    done = shown(card, mentions, live)
    return {"blocks": done.blocks, "text": done.text}


def shown(card: Card, mentions: Sequence[str] = (), live: str = "", *, view: bool = False) -> Shown:
    """Render a card for a message, or for a `view`, where there is more room but no table.

    `mentions` are ids of people (U…, W…) and groups (S…) who are needed; `live` is a script's last lines.
    """
    head = [{"type": "header", "text": plain(f"{_SIGNS[card.tone]}{card.title}", 150)}]
    lead = cut(card.lead, LEAD)
    told, facts_cut = _facts(card.facts, FACTS)
    top = [*head, *_rich(_paragraph(lead, mentions)), *_rich(told)]
    end = [*_buttons(card.buttons), *_small_print(card)]
    room = (VIEW if view else LARGEST) - size(top) - size(end)
    most = (MOST_VIEWED if view else MOST_BLOCKS) - len(top) - len(end) - 1
    middle = _Middle(room, most, card.run, native=not view)
    for block in card.blocks:
        middle.add(block)
    middle.offer_changes()
    if live:
        middle.code(live, tail=True)
    blocks = [*top, *middle.blocks, *middle.left_out(), *end]
    asked = card.state == State.AWAITING_APPROVAL and any(fact.cut for fact in card.facts)
    return Shown(blocks, _notification(card), asked or facts_cut or middle.cut or size(card.lead) > LEAD)


def pressed(action: Mapping[str, Any]) -> tuple[Verb | Look, str]:
    """Return what an entry of a block_actions payload's `actions` asks for, and its subject.

    Raises Invalid for a click that is none of Deputy's.
    """
    chosen = action.get("selected_option")
    subject = chosen.get("value") if isinstance(chosen, Mapping) else action.get("value")
    word = str(action.get("action_id", "")).partition(":")[0]
    verb = _CLICKS.get(word)
    if verb is None or not (isinstance(subject, str) or verb is Look.SEARCH):
        raise Invalid("That button is not one of Deputy's. Look at the newest message, or type /deputy.")
    return verb, subject if isinstance(subject, str) else ""


def code(text: str, room: int = LARGEST, *, tail: bool = False) -> list[Json]:
    """Show text letter by letter in blocks of a readable size, as much as fits into `room` bytes."""
    near = max(room, 0)
    kept = fit(visible(text[-near:] if tail else text[:near], lines=True), room, tail)
    parts: list[Json] = []
    while kept:
        part = fit(kept, CODE)
        part = part[: part.rfind("\n") + 1 or len(part)] if len(part) < len(kept) else part
        kept = kept[len(part) :]
        shown = part.rstrip("\n")
        parts += [{"type": "rich_text_preformatted", "elements": [_run(shown)]}] if shown else []
    return _rich(*parts)


def small_print(text: str) -> Json:
    """Return a line in small letters, of 300 characters at most."""
    return {"type": "context", "elements": [plain(text, 300)]}


def button(label: str, verb: Verb | Look, subject: str, number: int, style: str = "") -> Json:
    """Return a button that comes back to `pressed`."""
    made = {
        "type": "button",
        "text": plain(label, 75),
        "action_id": f"{verb}:{number}",
        "value": subject[:2000],
    }
    return {**made, "style": style} if style in ("primary", "danger") else made


class _Middle:
    """What stands between a card's facts and its buttons, as far as there is room for it."""

    def __init__(self, room: int, most: int, run: str, *, native: bool) -> None:
        self._room = room
        self._most = most
        self._run = run
        self._native = native  # Slack takes one table a message, and none in a view
        self._looks = 0
        self._changes = False  # of a run's scripts are told, and nothing yet leads to them
        self._items_left_out = 0
        self.blocks: list[Json] = []
        self.cut = False

    def add(self, block: Block) -> None:
        """Show a block, or as much of it as fits."""
        if not (isinstance(block, Text) and block.title):
            self.offer_changes()
        if isinstance(block, Table):
            self._table(block)
        elif isinstance(block, Menu):
            self._menu(block)
        elif isinstance(block, Hidden):
            self._look("Show the result", Look.OUTPUT, block.run, "primary")
        elif isinstance(block, Page):
            self._put(_rich({"type": "rich_text_section", "elements": [_link(block)]}))
        elif block.title:
            self._put(_rich({"type": "rich_text_section", "elements": [_run(cut(block.title, LEAD), bold=True)]}))
            self._change(block)
        elif block.code:
            self.code(block.text)
            self.cut |= block.cut
        else:
            self._put(_rich(_paragraph(cut(block.text, max(self._room // 2, 100)))))

    def code(self, text: str, *, tail: bool = False) -> None:
        """Show a script's words, the last ones where `tail`."""
        room = min(self._room * 9 // 10 - 200, LIVE if tail else self._room)
        near = max(room, 0)
        shown = visible(text[-near:] if tail else text[: near + 1], lines=True)
        kept = fit(shown, room, tail)
        self.cut |= not tail and len(kept) < len(shown)
        blocks = code(kept, room)
        self._put(blocks)

    def offer_changes(self) -> None:
        """Lead to all that has changed in a run's scripts, once for all the files that were told of."""
        if self._changes:
            self._changes = False
            self._look("Show what changed", Look.CHANGES, self._run)

    def _change(self, change: Text) -> None:
        """Note a change in a run's scripts; show it here where the card is of no run to ask for it."""
        if self._run:
            self._changes = True
            return
        whole, self.cut = self.cut, change.cut
        self.code(change.text)
        if self.cut:
            self._put([small_print("… and more than there is room for here")])
        self.cut |= whole

    def _table(self, table: Table) -> None:
        rows = [*([table.heads] if table.heads else []), *table.rows]
        kept = _rows_that_fit(rows) if self._native and len(self.blocks) < self._most else []
        left_out = table.cut
        if kept:
            self._native = False
            left_out += len(rows) - len(kept)
            self.blocks.append({"type": "table", "rows": [[_cell(cell) for cell in row] for row in kept]})
        else:
            self.code(aligned(rows))
        if left_out:
            self.cut = True
            self._put([small_print(f"… and {left_out:,} more")])

    def left_out(self) -> list[Json]:
        """Say how many actions have no room in a menu, and where they all are."""
        more = self._items_left_out
        return [small_print(f"… and {more:,} more: /deputy opens a search in all of them")] if more else []

    def _menu(self, menu: Menu) -> None:
        items = list({item.subject: item for item in menu.items}.values())  # a value may stand in it once
        there = self._put(_menu(menu.heading, items[:MOST_OPTIONS], len(self.blocks)))
        self._items_left_out += len(items) - (min(len(items), MOST_OPTIONS) if there else 0)

    def _put(self, blocks: Sequence[Json]) -> bool:
        """Add blocks, and say whether there was room for them."""
        taken = size(blocks)
        if taken > self._room or len(self.blocks) + len(blocks) > self._most:
            self.cut = True
            return False
        self._room -= taken
        self.blocks += blocks
        return True

    def _look(self, label: str, look: Look, subject: str, style: str = "") -> None:
        self._looks += 1
        self._put([{"type": "actions", "elements": [button(label, look, subject, 100 + self._looks, style)]}])


def _facts(facts: Sequence[Fact], room: int) -> tuple[Json, bool]:
    """Put facts line by line; the longer ones give way first, and what is left out is said."""
    for longest in (room, 2_000, 1_000, 600, 300, 150):
        lines = [_fact(fact, longest) for fact in facts]
        if size(lines) <= room:
            shortened = any(cut(fact.value, LARGEST) != cut(fact.value, longest) for fact in facts)
            return _section(line for fact in lines for line in fact), shortened
    kept = 0
    while kept < len(lines) and size(lines[: kept + 1]) <= room - 100:
        kept += 1
    more = _run(f"\n… and {len(facts) - kept} more", bold=True)
    return _section([*(line for fact in lines[:kept] for line in fact), more]), True


def _fact(fact: Fact, longest: int) -> list[Json]:
    value = cut(fact.value, longest) or "–"
    shown = _date(fact.at, value) if fact.at else _run(value, code=fact.code)
    return [_run(f"\n{visible(shorten(fact.label, 200))}: ", bold=True), shown]


def _section(runs: Iterable[Json]) -> Json:
    elements = list(runs)
    if elements:
        elements[0] = {**elements[0], "text": elements[0]["text"].lstrip("\n")}
    return {"type": "rich_text_section", "elements": elements}


def _paragraph(text: str, mentions: Sequence[str] = ()) -> Json:
    elements: list[Json] = [_run(text)] if text else []
    for one in mentions:
        kind = "usergroup" if one.startswith("S") else "user"
        elements += [_run(" "), {"type": kind, f"{kind}_id": one}]
    return {"type": "rich_text_section", "elements": elements}


def _run(text: str, **style: bool) -> Json:
    marks = {name: True for name, on in style.items() if on}
    return {"type": "text", "text": text, **({"style": marks} if marks else {})}


def _date(at: str, otherwise: str) -> Json:
    """Return a moment that Slack shows by its reader's clock; `otherwise` is for clients that can't."""
    seconds = int(datetime.fromisoformat(at).timestamp())
    return {"type": "date", "timestamp": seconds, "format": "{date_short_pretty} at {time}", "fallback": otherwise}


def _link(page: Page) -> Json:
    return {"type": "link", "url": page.address, "text": cut(page.label, LEAD) or page.address}


def _rich(*parts: Json) -> list[Json]:
    kept = [part for part in parts if part["elements"]]
    return [{"type": "rich_text", "elements": kept}] if kept else []


def _menu(heading: str, items: Sequence[Item], number: int) -> list[Json]:
    if not items:
        return []
    options = [{"text": plain(item.label, 75), "value": item.subject} for item in items]
    select = {
        "type": "static_select",
        "action_id": f"{Verb.OPEN}:{number}",
        "placeholder": plain(heading, 150),
        "options": options,
    }
    return [{"type": "actions", "elements": [select]}]


def _buttons(buttons: Sequence[Button]) -> list[Json]:
    made = [button(one.label, one.verb, one.subject, at, one.style) for at, one in enumerate(buttons[:25])]
    while size(made) > BUTTONS:
        made.pop()
    return [{"type": "actions", "elements": made}] if made else []


def _small_print(card: Card) -> list[Json]:
    told = " · ".join(part for part in (card.footnote, card.run, card.audit) if part)
    return [small_print(told)] if told else []


def _notification(card: Card) -> str:
    """Return the text of notifications and of screen readers: in one or two sentences what the blocks say."""
    end = "" if card.title.endswith(("?", "!", ".")) else "."
    return escaped(shorten(f"{_SIGNS[card.tone]}{card.title}{end} {card.lead}".strip(), NOTIFICATION))


def _rows_that_fit(rows: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Return the rows that one table of Slack's takes; none where it has too many columns."""
    if any(len(row) > MOST_COLUMNS for row in rows):
        return []
    letters, kept = 0, 0
    for row in rows[:MOST_ROWS]:
        letters += sum(len(_cell(cell)["text"]) for cell in row)
        if letters > MOST_CELLS:
            break
        kept += 1
    return rows[:kept]


def _cell(text: str) -> Json:
    return {"type": "raw_text", "text": visible(shorten(text, MOST_CELLS), lines=True) or "–"}


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text in columns, for where Slack takes no table."""
    shown = [[visible(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [min(40, max(len(row[at]) for row in shown)) for at in range(len(shown[0]))] if shown else []
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in shown)
    return "\n".join(line.rstrip() for line in lines)


_CLICKS: Mapping[str, Verb | Look] = {**{verb.value: verb for verb in Verb}, **{look.value: look for look in Look}}
