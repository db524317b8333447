"""Being away: somebody approves in one's place meanwhile, with the rights of both and no further."""

import asyncio
import re
from datetime import datetime
from functools import partial

from bot.core.absence import EXAMPLE, away_card, back_card, ended_card, stand_in_card, until
from bot.core.approval import Absence
from bot.core.audit import Draft, Tag
from bot.core.card import Card
from bot.core.command import Command
from bot.core.decision import Deny
from bot.core.errors import Invalid, Refused, Unlinked
from bot.core.principal import Account, Principal, PrincipalKind, Who
from bot.core.text import shorten, visible
from bot.ports import Change, Delivery, Ports, Post
from bot.service.authorise import may_approve
from bot.service.reply import Caller, Reply

_SOMEBODY = Principal(Who("", ""), frozenset())  # who asks, of whom nothing is known yet
_FILLING = frozenset({"until", "approvals", "to", "utc"})
_CLOCK = re.compile(r"\d{1,2}:\S*")
_MENTION = re.compile(r"<@([^|>]+)(?:\|[^>]*)?>|@?(.+)")


async def away(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    """Name who approves meanwhile. Raises Invalid for what can't be read, Refused for somebody who can't."""
    moment, name = _read(command)
    now, me = ports.clock.now(), caller.principal.who
    deputy = await _named(ports, caller, name)
    absence = Absence(me, deputy.who, until(moment, now))
    if await ports.store.delivered_before(delivery) is None:
        facts = {"deputy": deputy.who.key, "until": absence.until.isoformat(), "door": caller.door}
        current = await _current(ports, me)
        over = [one for one in current if one.deputy != absence.deputy]
        posts = tuple(_told(caller, one, ended_card(one, back=False), now) for one in over)
        if absence not in current:
            posts += (_told(caller, absence, stand_in_card(absence), now),)
        entry = Draft(Tag.ABSENCE_SET, me, me.key, now, facts)
        await ports.store.commit(Change(entries=(entry,), posts=posts, away=absence, delivery=delivery))
        ports.engine.knock()
    return Reply(card=away_card(absence, idle=await _idle(ports, caller, deputy)))


async def back(ports: Ports, caller: Caller, delivery: Delivery) -> Reply:
    """End one's absence. Raises Invalid where there is none."""
    me = caller.principal.who
    if await ports.store.delivered_before(delivery) is None:
        ended = await _current(ports, me)
        if not ended:
            raise Invalid(f"You are not away. To be: {EXAMPLE}")
        now = ports.clock.now()
        posts = tuple(_told(caller, one, ended_card(one, back=True), now) for one in ended)
        entry = Draft(Tag.ABSENCE_ENDED, me, me.key, now, {"door": caller.door})
        await ports.store.commit(Change(entries=(entry,), posts=posts, back=me, delivery=delivery))
        ports.engine.knock()
    return Reply(card=back_card())


async def _current(ports: Ports, holder: Who) -> list[Absence]:
    return [one for one in await ports.store.absences(ports.clock.now()) if one.holder == holder]


def _told(caller: Caller, absence: Absence, card: Card, now: datetime) -> Post:
    """Tell a stand-in, in a message of its own: one that is changed in place is noticed by nobody."""
    key = f"away:{absence.holder.key}:{absence.deputy.key}:{now.isoformat()}"
    return Post(caller.place, key, card, only=absence.deputy.key)


async def _idle(ports: Ports, caller: Caller, deputy: Principal) -> bool:
    """Say whether the policies let `deputy` approve nothing at all in the caller's place, as they stand."""
    for action in ports.catalog.catalog():
        await asyncio.sleep(0)  # each takes a moment, and others want to go on meanwhile
        about = partial(may_approve, ports, requester=_SOMEBODY, action=action, arguments={}, door=caller.door)
        for late in (False, True):
            stands_in = about(deputy, delegated=True, escalated=late)
            if not isinstance(stands_in, Deny) and not isinstance(about(caller.principal, escalated=late), Deny):
                return False
    return True


def _read(command: Command) -> tuple[str, str]:
    """Return until when and who as they were typed; a blank may stand before the time. Raises Invalid."""
    words = [word for word in command.words if word.lower() not in _FILLING]
    moment = command.named.get("until") or (words.pop(0) if words else "")
    if words and _CLOCK.fullmatch(words[0]):
        moment = f"{moment} {words.pop(0)}"
    name = command.named.get("to") or " ".join(words)
    if not moment or not name:
        raise Invalid(f"Say until when, and who approves meanwhile: {EXAMPLE}")
    return moment, name


async def _named(ports: Ports, caller: Caller, name: str) -> Principal:
    """Return the person whose account on this platform somebody mentions: by its id."""
    match = _MENTION.fullmatch(name.strip())
    account = (match[1] or match[2]) if match else name
    try:
        deputy = await ports.directory.principal(Account(caller.place.platform, account))
    except Unlinked:
        raise Refused(
            f"“{visible(shorten(account, 60))}” is nobody whom Deputy knows, so nothing was changed. "
            "Choose the person from the list that opens after @. If you did, their account is linked to nobody: "
            "/deputy whoami tells them what to do."
        ) from None
    if deputy.who == caller.principal.who:
        raise Refused("That is you. Name somebody else, who is there while you are away.")
    if deputy.kind is not PrincipalKind.PERSON:
        raise Refused("Only a person can approve in your place.")
    return deputy
