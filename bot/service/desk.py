"""The desk behind the door: it takes what a chat platform hands in to the use case it means."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.core.action import Action
from bot.core.card import Card, Verb
from bot.core.command import BREAK_GLASS, Command, parse
from bot.core.decision import Deny
from bot.core.errors import Invalid, Refused, Unlinked
from bot.core.parameter import Kind, applying, bind
from bot.core.principal import Account, Principal
from bot.core.run import Place
from bot.ports import Delivery, Ports
from bot.service import link, menu, query
from bot.service.aftermath import review_emergency
from bot.service.authorise import could
from bot.service.away import away, back
from bot.service.cancel import cancel
from bot.service.compare import compare
from bot.service.door import Suggestion
from bot.service.favourites import favour, unfavour
from bot.service.hand_over import hand_over
from bot.service.record import refused
from bot.service.refusal import refusal
from bot.service.reply import Caller, Reply
from bot.service.rerun import rerun
from bot.service.review import review
from bot.service.submit import Asked, find, form, submit, take
from bot.service.suggest import suggest


class Desk:
    """Satisfies `Door` for every chat platform."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def person(self, account: Account) -> Principal:
        """Return who an account is. Raises Unlinked where whoever has it can link it."""
        try:
            return await self._ports.directory.principal(account)
        except Unlinked as unlinked:
            if self._ports.link_page:
                raise
            raise Refused(str(unlinked)) from None

    async def say(self, account: Account, place: Place, text: str, delivery: Delivery) -> Reply:
        """Understand a command and do it."""
        command = parse(text)
        if command.name in _LINKING:
            return await _LINKING[command.name](self._ports, account, command)
        try:
            caller = await self._caller(account, place)
        except Unlinked as unlinked:
            return await self._offer_link(account, unlinked)
        if not command.name:
            return Reply(card=await menu.menu(self._ports, caller))
        verb = _VERBS.get(command.name)
        if verb:
            command.check(() if command.name == BREAK_GLASS else None)
            return await verb(self._ports, caller, command, delivery)
        return await _act(self._ports, caller, command, delivery)

    async def fill(
        self,
        account: Account,
        place: Place,
        action: str,
        values: Mapping[str, object],
        reason: str,
        delivery: Delivery,
    ) -> Reply:
        """Take a filled form."""
        try:
            caller = await self._caller(account, place)
        except Unlinked as unlinked:
            return await self._offer_link(account, unlinked)
        return await submit(self._ports, caller, Asked(action, values, reason), delivery)

    async def press(
        self, account: Account, place: Place, verb: Verb, subject: str, comment: str, delivery: Delivery
    ) -> Reply:
        """Take the press of a button."""
        if verb is Verb.LINK:
            return await link.confirm(self._ports, account, comment)
        try:
            caller = await self._caller(account, place)
        except Unlinked as unlinked:
            return await self._offer_link(account, unlinked)
        if verb is Verb.OPEN:
            return await _open(self._ports, caller, find(self._ports, caller, subject))
        if verb in _FAVOURING:
            return await _FAVOURING[verb](self._ports, caller, subject)
        if verb is Verb.CANCEL:
            return await cancel(self._ports, caller, subject, delivery)
        if verb is Verb.REVIEW:
            return await review_emergency(self._ports, caller, subject, comment, delivery)
        if verb is Verb.COMPARE:
            return Reply(card=await compare(self._ports, caller, subject))
        if verb is Verb.RERUN:
            return await rerun(self._ports, caller, subject, delivery)
        if verb is Verb.HAND_OVER:
            return await hand_over(self._ports, caller, subject, delivery)
        return await review(self._ports, caller, subject, verb is Verb.APPROVE, comment, delivery)

    async def complete(self, account: Account, text: str) -> Sequence[Suggestion]:
        """Suggest how to go on."""
        return await suggest(self._ports, await self._caller(account, Place("", "")), text)

    async def output(self, account: Account, run: str) -> str:
        """Return the whole output of a run."""
        return await query.output(self._ports, await self._caller(account, Place("", "")), run)

    async def changes(self, account: Account, run: str) -> str:
        """Return all that has changed in a run's scripts."""
        return await query.changes(self._ports, await self._caller(account, Place("", "")), run)

    async def audit(self, account: Account, reference: str) -> Card:
        """Return an audit entry's card."""
        return await query.audit(self._ports, await self._caller(account, Place("", "")), reference)

    async def _offer_link(self, account: Account, unlinked: Unlinked) -> Reply:
        return await link.offer(self._ports, account, str(unlinked))

    async def _caller(self, account: Account, place: Place) -> Caller:
        return Caller(await self.person(account), place)


_WORDY = frozenset({Kind.STRING, Kind.TEXT, Kind.LIST, Kind.DN})  # what people type words for, not one of its own


async def _act(
    ports: Ports, caller: Caller, command: Command, delivery: Delivery, *, break_glass: bool = False
) -> Reply:
    """Run an action as typed; with nothing given and something needed, its form opens."""
    action = find(ports, caller, command.words[0] if break_glass else command.name)
    command = command.knowing({"reason", *(one.name for one in action.parameters)})
    command.check({"reason", *(one.name for one in action.parameters if one.kind in _WORDY)})
    named = dict(command.named)
    reason = "" if action.parameter("reason") and not break_glass else named.get("reason", "")
    if not action.parameter("reason"):
        named.pop("reason", None)
    given = _with_words(action, named, command.words[1:] if break_glass else command.words)
    if (
        not given
        and not bind(action.parameters, {}).ok
        and not break_glass
        and not isinstance(could(ports, caller.principal, action, caller.door), Deny)
    ):
        return await _open(ports, caller, action)
    asked = Asked(action.id, given, reason, typed=True, break_glass=break_glass)
    return await take(ports, caller, action, asked, delivery)


def _with_words(action: Action, named: Mapping[str, str], words: Sequence[str]) -> dict[str, object]:
    """Give plain words to the parameters still open, in their order; the last takes all that remain."""
    given: dict[str, object] = dict(named)
    if not words:
        return given
    free = [one for one in applying(action.parameters, given) if one.name not in given]
    needed = [one for one in free if one.required] or free[:1]
    if not needed:
        raise Invalid(f"“{' '.join(words)[:60]}” is too much: everything {action.id} takes is given already.")
    if len(needed) > 1 and len(words) > len(needed):
        names = ", ".join(f"{one.name}=…" for one in needed)
        raise Invalid(f"It isn't clear which word is which. Give them by name: {names}")
    for parameter, word in zip(needed[:-1], words, strict=False):
        given[parameter.name] = word
    rest = words[len(needed) - 1 :]
    if rest:
        given[needed[-1].name] = " ".join(rest)
    return given


async def _open(ports: Ports, caller: Caller, action: Action) -> Reply:
    decision = could(ports, caller.principal, action, caller.door)
    if isinstance(decision, Deny):
        reasons = refusal(ports, decision)
        await refused(ports, caller, action.id, " ".join(reasons), decision)
        raise Refused(*reasons)
    return Reply(form=await form(ports, caller, action, {}, None, decision))


def _subject(command: Command, what: str, example: str) -> str:
    if not command.words:
        raise Invalid(f"Name the {what}: /deputy {command.name} {example}")
    return command.words[0].upper()


async def _help(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return Reply(card=menu.help_card(ports, caller, command.words[0] if command.words else ""))


async def _mine(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return Reply(card=await query.mine(ports, caller))


async def _approvals(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return Reply(card=await query.approvals(ports, caller))


async def _status(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return Reply(card=await query.status(ports, caller, _subject(command, "run", "R-…")))


async def _compare(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    run = _subject(command, "run", "R-…")
    return Reply(card=await compare(ports, caller, run, "".join(command.words[1:2])))


async def _cancel(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return await cancel(ports, caller, _subject(command, "run", "R-…"), delivery)


async def _rerun(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return await rerun(ports, caller, _subject(command, "run", "R-…"), delivery)


async def _approve(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return await _vote(ports, caller, command, delivery, yes=True)


async def _deny(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return await _vote(ports, caller, command, delivery, yes=False)


async def _vote(ports: Ports, caller: Caller, command: Command, delivery: Delivery, *, yes: bool) -> Reply:
    run = _subject(command, "run", "R-…")
    comment = command.named.get("reason") or " ".join(command.words[1:])
    return await review(ports, caller, run, yes, comment, delivery)


async def _break_glass(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    if not command.words:
        raise Invalid('Name the action, and why: /deputy break-glass restart-service web reason="mail is down"')
    return await _act(ports, caller, command, delivery, break_glass=True)


async def _review(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    run = _subject(command, "run", "R-…")
    return await review_emergency(ports, caller, run, " ".join(command.words[1:]), delivery)


async def _audit(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return Reply(card=await query.audit(ports, caller, _subject(command, "audit entry", "AUD-…")))


async def _favourite(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return await favour(ports, caller, _action_named(command))


async def _unfavourite(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return await unfavour(ports, caller, _action_named(command))


def _action_named(command: Command) -> str:
    if not command.words:
        raise Invalid(f"Name the action: /deputy {command.name} unlock-account")
    return command.words[0]


async def _back(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return await back(ports, caller, delivery)


async def _whoami(ports: Ports, caller: Caller, command: Command, delivery: Delivery) -> Reply:
    return Reply(card=menu.whoami(ports, caller))


async def _link(ports: Ports, account: Account, command: Command) -> Reply:
    code = "".join(command.words)
    return await (link.confirm(ports, account, code) if code else link.offer(ports, account))


async def _unlink(ports: Ports, account: Account, command: Command) -> Reply:
    return await link.unlink(ports, account)


# What an account may say before it is known whose it is.
_LINKING: Mapping[str, Callable[[Ports, Account, Command], Awaitable[Reply]]] = {"link": _link, "unlink": _unlink}

_FAVOURING: Mapping[Verb, Callable[[Ports, Caller, str], Awaitable[Reply]]] = {
    Verb.FAVOUR: favour,
    Verb.UNFAVOUR: unfavour,
}

_VERBS: Mapping[str, Callable[[Ports, Caller, Command, Delivery], Awaitable[Reply]]] = {
    "help": _help,
    "mine": _mine,
    "status": _status,
    "compare": _compare,
    "cancel": _cancel,
    "rerun": _rerun,
    "approvals": _approvals,
    "approve": _approve,
    "deny": _deny,
    "audit": _audit,
    "away": away,
    "back": _back,
    "favourite": _favourite,
    "unfavourite": _unfavourite,
    BREAK_GLASS: _break_glass,
    "review": _review,
    "whoami": _whoami,
}
