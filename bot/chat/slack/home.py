"""The Home tab: what waits for my decision, what I may do (search, favourites, most used), and my latest runs.

However much there is, it stays within Slack's 100 blocks, with 85 at most: 12 for each list of runs, and for the
actions 20 favourites, 5 of the most used, a select for each of 30 categories, and 6 around them. Those selects
share half of the 250 kB that a view may have; the search finds what has no room in them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.chat.slack.picker import MOST, option, searched
from bot.chat.slack.render import Json, Look, button
from bot.chat.slack.text import plain, size
from bot.chat.slack.views import MOST_BLOCKS, words
from bot.core.card import FAVOURITES, MOST_USED, Card, Item, Menu, Table, Verb
from bot.core.text import shorten

MOST_FOUND = 20  # actions shown as lines where somebody searched
MOST_FAVOURITES = 20
MOST_OFTEN = 5
MOST_RUNS = 10
MOST_GROUPS = 30
ROOM = 125_000  # bytes of all options
LONGEST_LINE = 400  # characters, of up to 4 bytes, in each of some 60 lines
LONGEST_HEADING = 100
_SEARCH = f"{Look.SEARCH}:0"


def home(menu: Card, approvals: Card, mine: Card, typed: str = "", note: str = "") -> Json:
    """Return the view for views.publish, from what the door answers to nothing, to `approvals` and to `mine`.

    `typed` is what was searched for among the actions; `note` says why something was not done.
    """
    blocks = [
        *([words(note)] if note else []),
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
            "text": plain(" · ".join((row[1], *row[2:], row[0])), LONGEST_LINE),
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
    found = searched(items, typed)
    shown = _found(found, typed) if typed.strip() else _listed(menus)
    return [_head(menu.title), search, *shown, *_marking(_under(menus, FAVOURITES), found)]


def typed_in(view: Mapping[str, Any]) -> str:
    """Return what stands in the search of a Home tab that somebody acts in."""
    try:
        typed = view["state"]["values"][_SEARCH][_SEARCH]["value"]
    except (KeyError, TypeError):
        typed = None
    return typed if isinstance(typed, str) else ""


def _found(found: Sequence[Item], typed: str) -> list[Json]:
    if not found:
        return [words(f"Nothing you may do is called “{typed[:100]}”.")]
    more = [words(f"… and {len(found) - MOST_FOUND} more. Add a word.")] if len(found) > MOST_FOUND else []
    return [*(_line(one, at) for at, one in enumerate(found[:MOST_FOUND])), *more]


def _marking(favourites: Sequence[Item], found: Sequence[Item]) -> list[Json]:
    """Offer to make favourites of what was found, or of all there is, and to take back those there are."""
    kept = {one.subject for one in favourites}
    offers = (
        (Verb.FAVOUR, "Add a favourite", [one for one in found if one.subject not in kept]),
        (Verb.UNFAVOUR, "Take a favourite back", favourites),
    )
    selects = [_select(f"{verb}:{len(kept)}", label, items, ROOM // 8) for verb, label, items in offers if items]
    return [{"type": "actions", "elements": selects}] if selects else []


def _listed(menus: Sequence[Menu]) -> list[Json]:
    """Show favourites and the most used as lines, and the others in one select a group."""
    favourites, often = _under(menus, FAVOURITES), _under(menus, MOST_USED)
    groups = [block for block in menus if block.items and block.heading not in (FAVOURITES, MOST_USED)]
    lines = [("⭐ ", one) for one in favourites[:MOST_FAVOURITES]] + [("", one) for one in often[:MOST_OFTEN]]
    shown = groups[:MOST_GROUPS]
    selects = [_group(block, at, ROOM // (len(shown) + 2)) for at, block in enumerate(shown)]
    return [*(_line(one, at, sign) for at, (sign, one) in enumerate(lines)), *selects]


def _under(menus: Sequence[Menu], heading: str) -> tuple[Item, ...]:
    return next((menu.items for menu in menus if menu.heading == heading), ())


def _group(menu: Menu, at: int, room: int) -> Json:
    select = _select(f"{Verb.OPEN}:{100 + at}", "Choose", menu.items, room)
    left_out = len({one.subject for one in menu.items}) - len(select["options"])
    heading = shorten(menu.heading, LONGEST_HEADING)
    more = f" (the search finds {left_out} more)" if left_out else ""
    return {
        "type": "section",
        "text": plain(f"{heading}{more}", 3000),
        "accessory": select,
    }


def _select(action: str, label: str, items: Sequence[Item], room: int) -> Json:
    options = [option(one) for one in _once(items)[:MOST]]
    while len(options) > 1 and size(options) > room:
        options = options[: len(options) * 4 // 5]
    return {"type": "static_select", "action_id": action, "placeholder": plain(label, 150), "options": options}


def _once(items: Iterable[Item]) -> list[Item]:
    """Return items without those that are there again: a value may stand in a select once."""
    return list({item.subject: item for item in items}.values())


def _line(item: Item, at: int, sign: str = "") -> Json:
    told = sign + " · ".join(part for part in (item.label, item.detail, item.note) if part)
    return {
        "type": "section",
        "text": plain(told, LONGEST_LINE),
        "accessory": button("Run", Verb.OPEN, item.subject, at),
    }


def _head(text: str) -> Json:
    return {"type": "header", "text": plain(text, 150)}
