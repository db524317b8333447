"""Doing what was heard, and answering the person who said it, and nobody else.

What others see goes through the outbox. An answer is a view where Slack lets one open, or else a message that only
this person sees; it is sent again while Slack is down, but not for long: it is of use now or not at all.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from bot.chat.slack import forms, home, picker, unopened, views
from bot.chat.slack.answer import Answer, about, answer_of, as_message, done
from bot.chat.slack.client import SlackClient, SlackRefused
from bot.chat.slack.hear import Doing, Heard
from bot.chat.slack.render import Look
from bot.chat.slack.routes import Routes
from bot.chat.slack.tries import sent
from bot.core.card import Card, Verb
from bot.core.catalog import plain
from bot.core.command import BREAK_GLASS, parse
from bot.core.errors import Conflict, DeputyError, Invalid, Unlinked
from bot.core.meant import filled_from
from bot.service.door import Door
from bot.service.reply import Reply

log = logging.getLogger(__name__)

Json = dict[str, Any]


class Responder:
    """Does what people ask at the door, and answers them. `action_of` returns a run's action, empty for no run."""

    def __init__(
        self,
        door: Door,
        client: SlackClient,
        api: str,
        routes: Routes,
        action_of: Callable[[str], Awaitable[str]],
    ) -> None:
        self._door = door
        self._client = client
        self._routes = routes
        self._action_of = action_of
        self._answers_go = _origins(api)
        self._newest: dict[str, str] = {}  # the newest choice in a form, or look at a Home tab, that is under way
        self._publishing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def begin(self, heard: Heard) -> None:
        """Take note of what will be done: of two choices in one form, only the newer shapes it; so with Home."""
        if heard.doing in _SHOWN:
            self._newest[_shown_in(heard)] = heard.id

    async def act(self, heard: Heard) -> Answer:
        """Do it, and return what the person gets to see; what is refused or fails is a sentence."""
        try:
            channels = self._routes.elsewhere(await self._asked(heard), heard.conversation)
            if channels:
                return Answer(sentence="That is not asked for here, but in", channels=channels)
            return await self._acts[heard.doing](self, heard)
        except DeputyError as error:
            return Answer(sentence=str(error), wrong=isinstance(error, Invalid))

    async def options(self, heard: Heard) -> Json:
        """Return the options of a select for what is typed; none where they can't be had."""
        try:
            if not heard.subject:
                return picker.suggestions(await self._card(heard, ""), heard.words)
            reply = await self._opened(heard)
            return forms.suggestions(reply.form, heard.verb, heard.words) if reply.form else _NONE
        except DeputyError as error:
            log.warning("the options of a select could not be had: %s", error)
            return _NONE

    async def wait_in_view(self, heard: Heard) -> Heard:
        """Open a view that says something comes, before the trigger dies, and return where the answer goes now."""
        method = "views.push" if heard.view else "views.open"
        try:
            opened = await self._client.call(
                method, trigger_id=heard.trigger, view=views.waiting_view(about(heard))
            )
            return replace(heard, view=str(opened["view"]["id"]), trigger="")
        except (DeputyError, KeyError, TypeError) as error:
            log.warning("a view could not be opened: %s", error)
            return replace(heard, trigger="")

    def patience(self, heard: Heard) -> Json:
        """Return what acknowledges a submitted view whose answer isn't there yet."""
        return {"response_action": "update", "view": views.waiting_view(about(heard))}

    async def tell(self, heard: Heard, answer: Answer) -> None:
        """Let the person see the answer, in a view where one can open or is open, or else in a message."""
        if heard.doing is Doing.HOME:
            view = answer.view or {"type": "home", "blocks": [views.words(answer.sentence)]}
            await sent(lambda: self._publish(heard, view), twice=True)
            self._is_newest(heard, last=True)
        elif heard.doing is Doing.SHAPE:
            await self._reshape(heard, answer)
        elif not await self._tell_in_view(heard, answer):
            await self._write(heard, answer)

    async def _tell_in_view(self, heard: Heard, answer: Answer) -> bool:
        answered = answer.as_view(about(heard))
        view = answered or (done() if heard.view else None)
        if view is None or (heard.doing in (Doing.SAY, Doing.PRESS) and not (answer.form or heard.view)):
            return False
        if not answered:  # what was pressed is done: its button goes
            heard = replace(heard, trigger="")
        to = {"trigger_id": heard.trigger} if heard.trigger else {"view_id": heard.view}
        if not any(to.values()):
            return False
        method = ("views.push" if heard.view else "views.open") if heard.trigger else "views.update"
        try:
            await self._client.call(method, **to, view=view)
        except DeputyError as error:
            log.warning("a view could not be shown: %s", error)
            return False
        return True

    async def _publish(self, heard: Heard, view: Json) -> None:
        """Show a Home tab, unless a newer one comes; one after the other, or the older could arrive last."""
        async with self._publishing.setdefault(heard.account, asyncio.Lock()):
            if self._is_newest(heard):
                await self._client.call("views.publish", user_id=heard.person, view=view)

    def _is_newest(self, heard: Heard, *, last: bool = False) -> bool:
        """Say whether nothing newer is to be shown in the same place; `last` where that isn't asked again."""
        newest = self._newest.get(_shown_in(heard)) == heard.id
        if newest and last:
            del self._newest[_shown_in(heard)]
        return newest

    async def _reshape(self, heard: Heard, answer: Answer) -> None:
        """Show the fields that apply now, unless something else was chosen meanwhile.

        Slack keeps what is filled in where blocks and actions are called the same. Where this fails the form
        stays as it is: sending it says what is missing.
        """
        if not self._is_newest(heard, last=True):
            return
        if not answer.form:
            log.warning("a form could not be shaped: %s", answer.sentence)
            return
        try:
            await self._client.call("views.update", view_id=heard.view, view=answer.view)
        except DeputyError as error:
            log.warning("a form could not be shaped: %s", error)

    async def _write(self, heard: Heard, answer: Answer) -> None:
        unopened = _UNOPENED if answer.view and not heard.view else None
        content = as_message(answer) or unopened
        if content:
            await sent(lambda: self._send_or_say(heard, content))

    async def _send_or_say(self, heard: Heard, content: Json) -> None:
        """Send a message; where Slack takes it in no way, its text alone, which is never illegal."""
        try:
            await self._send(heard, content)
        except SlackRefused as refusal:
            if "blocks" not in content:
                raise
            log.error("an answer is shown as its text alone: %s", refusal)
            await self._send(heard, {"text": content["text"]})

    async def _send(self, heard: Heard, content: Json) -> None:
        """Send a message that only this person sees: in answer, in the conversation, or to them directly."""
        whisper = {"response_type": "ephemeral", "replace_original": False}
        answering = heard.answer_to.startswith(self._answers_go)
        if answering and await self._taken(self._client.respond(heard.answer_to, {**whisper, **content})):
            return
        if heard.conversation[:1] in ("C", "G"):
            where = {"channel": heard.conversation, "user": heard.person, "thread_ts": heard.thread or None}
            if await self._taken(self._client.call("chat.postEphemeral", **where, **content)):
                return
        await self._client.call("chat.postMessage", channel=heard.person, **content)

    async def _taken(self, call: Awaitable[object]) -> bool:
        """Say whether Slack took it; where it refuses there is another way."""
        try:
            await call
        except SlackRefused as refusal:
            log.info("an answer goes another way: %s", refusal)
            return False
        return True

    async def _asked(self, heard: Heard) -> str:
        """Return the action that is asked for, by its id; empty, or a verb, where none is. Raises Invalid."""
        if heard.doing is Doing.SAY:
            command = parse(heard.subject)
            name = command.words[0] if command.name == BREAK_GLASS and command.words else command.name
            again = "".join(command.words[:1]).upper() if name == Verb.RERUN.value else ""
        else:
            name = heard.subject if heard.doing in (Doing.FILL, Doing.PICK) else ""
            again = heard.subject if heard.verb == Verb.RERUN else ""
        return await self._action_of(again) if again else plain(name)

    # ---- what there is to do ---------------------------------------------------------------------

    async def _say(self, heard: Heard) -> Answer:
        return answer_of(heard, await self._door.say(heard.who, heard.place, heard.subject, heard.delivery))

    async def _press(self, heard: Heard) -> Answer:
        verb = Verb(heard.verb)
        reply = await self._door.press(heard.who, heard.place, verb, heard.subject, heard.words, heard.delivery)
        return answer_of(heard, reply)

    async def _fill(self, heard: Heard) -> Answer:
        given = heard.subject, forms.made(heard.values), heard.words
        return answer_of(heard, await self._door.fill(heard.who, heard.place, *given, heard.delivery))

    async def _shape(self, heard: Heard) -> Answer:
        form = (await self._opened(heard)).form
        if not form:
            return Answer()
        form = form.holding(heard.values)
        return Answer(view=forms.view(form, about(heard), heard.words), form=form)

    async def _pick(self, heard: Heard) -> Answer:
        reply = await self._opened(heard)
        form = unopened.filled(reply.form, heard.values) if reply.form else None
        read = filled_from(form, heard.words, whole=views.whole(heard.words)) if form else None
        return answer_of(heard, replace(reply, form=read))

    async def _show_menu(self, heard: Heard) -> Answer:
        return Answer(view=picker.picker(await self._card(heard, ""), about(heard)))

    async def _ask(self, heard: Heard) -> Answer:
        """Ask for the words that belong to a click, of who may say them: anything else is said at once."""
        if heard.verb == Verb.LINK:
            return Answer(view=forms.asking_view(Verb.LINK, about(heard)))
        try:
            return await self._press(replace(heard, words=""))
        except Invalid:  # nothing but the words is missing
            if heard.verb != Verb.DENY:  # who may review what was done may not see all of it
                return Answer(view=forms.asking_view(Verb(heard.verb), about(heard)))
            card = await self._card(heard, f"status {heard.subject}")
            return Answer(view=forms.asking_view(Verb.DENY, about(heard), card))
        except Conflict:  # it is decided already: how does it stand?
            if heard.verb != Verb.DENY:
                raise
            return Answer(card=await self._card(heard, f"status {heard.subject}"))

    async def _look(self, heard: Heard) -> Answer:
        if heard.verb == Look.OUTPUT:
            text = await self._door.output(heard.who, heard.subject)
            return Answer(view=views.text_view(heard.subject, text, about(heard)))
        if heard.verb == Look.CHANGES:
            text = await self._door.changes(heard.who, heard.subject)
            return Answer(view=views.text_view("What has changed", text, about(heard)))
        reply = await self._door.say(heard.who, heard.place, f"status {heard.subject}", heard.delivery)
        return answer_of(heard, reply)

    async def _home(self, heard: Heard) -> Answer:
        try:
            await self._door.person(heard.who)
        except Unlinked as unlinked:  # no link is offered where it would change whenever somebody looks
            return Answer(sentence=f"{unlinked} Type /deputy link, here or in any channel.")
        note = ""
        if heard.verb in (Verb.FAVOUR, Verb.UNFAVOUR):
            try:
                await self._press(replace(heard, words=""))
            except DeputyError as error:
                note = str(error)
        menu, approvals, mine = [await self._card(heard, text) for text in ("", "approvals", "mine")]
        return Answer(view=home.home(menu, approvals, mine, heard.words, note))

    async def _opened(self, heard: Heard) -> Reply:
        return await self._door.press(heard.who, heard.place, Verb.OPEN, heard.subject, "", heard.delivery)

    async def _card(self, heard: Heard, text: str) -> Card:
        reply = await self._door.say(heard.who, heard.place, text, heard.delivery)
        return reply.card or Card("")

    _acts: Mapping[Doing, Callable[["Responder", Heard], Awaitable[Answer]]] = {
        Doing.SAY: _say,
        Doing.PRESS: _press,
        Doing.FILL: _fill,
        Doing.SHAPE: _shape,
        Doing.MENU: _show_menu,
        Doing.PICK: _pick,
        Doing.ASK: _ask,
        Doing.LOOK: _look,
        Doing.HOME: _home,
    }


_NONE: Json = {"options": []}
_SHOWN = frozenset({Doing.SHAPE, Doing.HOME})
_UNOPENED: Json = {"text": "Slack did not let this open in time, and nothing was done. Please try once more."}


def _shown_in(heard: Heard) -> str:
    return heard.account if heard.doing is Doing.HOME else heard.view


def _origins(api: str) -> tuple[str, ...]:
    """Return where answers may be sent: Slack's own host for them, or the one host of a Slack in tests."""
    parts = urlsplit(api)
    return f"{parts.scheme}://hooks.{parts.hostname}/", f"{parts.scheme}://{parts.netloc}/"
