"""Favourites: the actions that a person has at hand before all others."""

from bot.core.card import Card, Tone
from bot.core.catalog import plain
from bot.core.errors import Invalid, Refused
from bot.core.text import visible
from bot.ports import Ports
from bot.service.menu import may_do
from bot.service.reply import Caller, Reply
from bot.service.submit import find

MOST = 20  # the menu shows all of them before anything else


async def favour(ports: Ports, caller: Caller, name: str) -> Reply:
    """Mark an action as one of mine. Raises Refused for one that I may not run, Invalid where I have too many."""
    action = find(ports, caller, name)
    if action.id not in may_do(ports, caller):
        raise Refused(f"You may not run {action.id}, so it can't be a favourite of yours.")
    known = ports.catalog.catalog().actions
    kept = {one for one in await ports.store.favourites(caller.principal.who) if one in known}
    if len(kept | {action.id}) > MOST:
        raise Invalid(
            f"You have {MOST} favourites, the most there can be. Take one back: /deputy unfavourite NAME"
        )
    await ports.store.mark_favourite(caller.principal.who, action.id)
    return _told(f"“{action.title}” is one of your favourites now. /deputy shows them first.")


async def unfavour(ports: Ports, caller: Caller, name: str) -> Reply:
    """Let an action no longer be one of mine, also one that is gone. Raises Invalid for one that isn't."""
    id = plain(name)
    if id not in await ports.store.favourites(caller.principal.who):
        raise Invalid(f"“{visible(name[:60])}” is none of your favourites. /deputy shows which they are.")
    await ports.store.unmark_favourite(caller.principal.who, id)
    return _told(f"{id} is no longer one of your favourites.")


def _told(lead: str) -> Reply:
    return Reply(card=Card("Favourites", Tone.GOOD, lead=lead))
