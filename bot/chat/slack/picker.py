"""The modal to choose an action in: what I may do, grouped; with a search where it is more than a select holds."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.chat.slack.render import Json
from bot.chat.slack.text import plain
from bot.chat.slack.views import NOWHERE, Callback, Meta, card_view, modal, words
from bot.core.card import Card, Item, Menu
from bot.core.errors import Invalid

MOST = 100  # options of one select, and of one answer to a search
ID = "pick:action"  # block and action id of the select


def picker(menu: Card, about: Meta = NOWHERE) -> Json:
    """Return the modal for the card that the door answers to nothing at all (`say("")`)."""
    if not _items(menu):
        return card_view(menu, about)  # nothing to choose from yet, and what to do about it
    hint = "Or type it: /deputy unlock-account alice asks for it without a form."
    select = {
        "type": "input",
        "block_id": ID,
        "label": plain("What should be done?", 2000),
        "hint": plain(hint, 2000),
        "element": {**_select(menu), "action_id": ID, "placeholder": plain("Choose or search", 150)},
    }
    return modal(Callback.PICK, "Run an action", [words(menu.lead), select], about, submit="Next")


def picked(view: Mapping[str, Any]) -> str:
    """Return the id of the action chosen in a submitted picker. Raises Invalid where there is none."""
    try:
        action = view["state"]["values"][ID][ID]["selected_option"]["value"]
    except (KeyError, TypeError):
        action = None
    if not isinstance(action, str):
        raise Invalid("No action was chosen. Choose one, or type /deputy help.")
    return action


def suggestions(menu: Card, typed: str) -> Json:
    """Answer a block_suggestion of the picker: the actions whose name or summary holds every word typed."""
    found = {item.subject: item for item in searched(_items(menu), typed)}
    return {"options": [option(item) for item in list(found.values())[:MOST]]}


def searched(items: Iterable[Item], typed: str) -> list[Item]:
    """Return the items whose id, name or summary holds every word typed."""
    wanted = typed.lower().split()
    said = {item: f"{item.subject} {item.label} {item.detail}".lower() for item in items}
    return [item for item, words in said.items() if all(word in words for word in wanted)]


def option(item: Item) -> Json:
    """Return one action as an option of a select."""
    shown: Json = {"text": plain(item.label, 75), "value": item.subject}
    told = " · ".join(part for part in (item.note, item.detail) if part)
    return {**shown, "description": plain(told, 75)} if told else shown


def _select(menu: Card) -> Json:
    if len({item.subject for item in _items(menu)}) > MOST:
        return {"type": "external_select", "min_query_length": 0}
    groups, seen = [], set[str]()
    for block in _menus(menu):
        items = [item for item in block.items if item.subject not in seen]  # a value may stand in it once
        seen.update(item.subject for item in items)
        if items:
            groups.append({"label": plain(block.heading, 75), "options": [option(item) for item in items]})
    return {"type": "static_select", "option_groups": groups}


def _menus(menu: Card) -> list[Menu]:
    return [block for block in menu.blocks if isinstance(block, Menu)]


def _items(menu: Card) -> list[Item]:
    return [item for block in _menus(menu) for item in block.items]
