"""The Home tab: what waits for my decision, my latest runs, and what I may do, with a search."""

from collections.abc import Iterable, Sequence

from bot.chat.slack.picker import MOST, option
from bot.chat.slack.render import Json, Look, button
from bot.chat.slack.text import plain
from bot.chat.slack.views import MOST_BLOCKS, words
from bot.core.card import Card, Item, Menu, Table, Verb

MOST_FOUND = 20  # actions shown as lines where somebody searched
MOST_USED = 5
MOST_RUNS = 10
_SEARCH = f"{Look.SEARCH}:0"


def home(menu: Card, approvals: Card, mine: Card, typed: str = "") -> Json:
    """Return the view for views.publish, from what the door answers to nothing, to `approvals` and to `mine`.

    `typed` is what was searched for among the actions.
    """
    blocks = [
        *_runs(approvals, "Decide", 0),
        {"type": "divider"},
        *_actions(menu, typed),
        {"type": "divider"},
        *_runs(mine, "Look", MOST_RUNS),
    ]
    return {"type": "home", "blocks": blocks[:MOST_BLOCKS]}


def _runs(card: Card, label: str, first: int) -> list[Json]:
    """Show a list of runs, each with a button to see all that was sealed; it is decided there, not here."""
    rows = [row for block in card.blocks if isinstance(block, Table) for row in block.rows]
    shown = [
        {
            "type": "section",
            "text": plain(" · ".join((row[1], *row[2:], row[0])), 600),
            "accessory": button(label, Look.STATUS, row[0], first + at),
        }
        for at, row in enumerate(rows[:MOST_RUNS])
    ]
    more = [words(f"… and {len(rows) - MOST_RUNS} more.")] if len(rows) > MOST_RUNS else []
    return [_head(card.title), *(shown or [words(card.lead or "Nothing.")]), *more]


def _actions(menu: Card, typed: str) -> list[Json]:
    menus = [block for block in menu.blocks if isinstance(block, Menu)]
    items = _once(item for block in menus for item in block.items)
    if not items:
        return [_head(menu.title), words(menu.lead)]
    search: Json = {
        "type": "input",
        "block_id": _SEARCH,
        "dispatch_action": True,
        "optional": True,
        "label": plain("Search", 2000),
        "element": {"type": "plain_text_input", "action_id": _SEARCH, "placeholder": plain("unlock account", 150)},
    }
    if typed:
        search["element"]["initial_value"] = typed[:200]
    return [_head(menu.title), search, *(_found(items, typed) if typed.strip() else _listed(menus, items))]


def _found(items: Sequence[Item], typed: str) -> list[Json]:
    wanted = typed.lower().split()
    found = [
        one for one in items if all(word in f"{one.subject} {one.label} {one.detail}".lower() for word in wanted)
    ]
    if not found:
        return [words(f"Nothing you may do is called “{typed[:100]}”.")]
    return [_line(one, at) for at, one in enumerate(found[:MOST_FOUND])]


def _listed(menus: Sequence[Menu], items: Sequence[Item]) -> list[Json]:
    """Show the most used as lines and the rest in one select a group."""
    first = [_line(one, at) for at, one in enumerate(menus[0].items[:MOST_USED])]
    groups = [block for block in menus if block.items][:30]
    selects = [
        {
            "type": "section",
            "text": plain(block.heading, 3000),
            "accessory": {
                "type": "static_select",
                "action_id": f"{Verb.OPEN}:{100 + at}",
                "placeholder": plain("Choose", 150),
                "options": [option(one) for one in _once(block.items)[:MOST]],
            },
        }
        for at, block in enumerate(groups)
    ]
    return [*first, *selects]


def _once(items: Iterable[Item]) -> list[Item]:
    """Return items without those that are there again: a value may stand in a select once."""
    return list({item.subject: item for item in items}.values())


def _line(item: Item, at: int) -> Json:
    told = " · ".join(part for part in (item.label, item.detail, item.note) if part)
    return {"type": "section", "text": plain(told, 600), "accessory": button("Run", Verb.OPEN, item.subject, at)}


def _head(text: str) -> Json:
    return {"type": "header", "text": plain(text, 150)}
