"""Being away: somebody approves in one's place meanwhile, with the rights of both and no further."""

import re

from bot.core.absence import EXAMPLE, away_card, back_card, stand_in_card, until
from bot.core.approval import Absence
from bot.core.audit import Draft, Tag
from bot.core.command import Command
from bot.core.errors import Invalid, Refused, Unlinked
from bot.core.principal import Account, Principal, PrincipalKind
from bot.core.text import shorten, visible
from bot.ports import Change, Delivery, Ports, Post
from bot.service.reply import Caller, Reply

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
        key = (
            f"away:{me.key}:{deputy.who.key}:{absence.until.isoformat()}"  # never another's, or an older, message
        )
        told = Post(caller.place, key, stand_in_card(absence), only=deputy.who.key)
        entry = Draft(Tag.ABSENCE_SET, me, me.key, now, facts)
        await ports.store.commit(Change(entries=(entry,), posts=(told,), away=absence, delivery=delivery))
        ports.engine.knock()
    return Reply(card=away_card(absence))


async def back(ports: Ports, caller: Caller, delivery: Delivery) -> Reply:
    """End one's absence. Raises Invalid where there is none."""
    me = caller.principal.who
    if await ports.store.delivered_before(delivery) is None:
        absences = await ports.store.absences(ports.clock.now())
        if not any(absence.holder == me for absence in absences):
            raise Invalid(f"You are not away. To be: {EXAMPLE}")
        entry = Draft(Tag.ABSENCE_ENDED, me, me.key, ports.clock.now(), {"door": caller.door})
        await ports.store.commit(Change(entries=(entry,), back=me, delivery=delivery))
    return Reply(card=back_card())


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
