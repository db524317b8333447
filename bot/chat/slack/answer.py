"""What somebody gets to see in answer to what they did, as a view or as a message."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.chat.slack import forms, unopened, views
from bot.chat.slack.hear import Doing, Heard
from bot.chat.slack.render import message
from bot.chat.slack.text import escaped
from bot.core.card import Card, Tone
from bot.core.form import Form
from bot.core.wording import listed
from bot.service.reply import Reply

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What somebody gets to see: a view (of a form or not), a card, a sentence, or nothing where all went well.

    `channels` are those that the sentence ends with; `wrong` says that it is about what they typed.
    """

    view: Json | None = None
    form: Form | None = None
    card: Card | None = None
    sentence: str = ""
    channels: tuple[str, ...] = ()
    wrong: bool = False

    def as_view(self, around: views.Meta) -> Json | None:
        """Return it as a modal; None where there is nothing to show."""
        if self.sentence:
            said = _ended(self.sentence, self.channels)
            return views.card_view(Card("That was not done", Tone.BAD, lead=said), around)
        return views.card_view(self.card, around) if self.card else self.view


def submitted(heard: Heard, answer: Answer) -> Json:
    """Return what acknowledges a submitted view: faults at their fields, another view, or the end of all."""
    if heard.doing is Doing.FILL and answer.form:
        return forms.errors(answer.form, about(heard), heard.inputs)
    if answer.wrong and heard.doing is Doing.PRESS:
        return forms.wrong_words(answer.sentence)
    view = answer.as_view(about(heard))
    return {"response_action": "update", "view": view} if view else {"response_action": "clear"}


def answer_of(heard: Heard, reply: Reply) -> Answer:
    """Return what the door replied: a form that says what doesn't stand in it, or a card."""
    if reply.form:
        return Answer(view=forms.view(forms.noted(reply.form), about(heard)), form=reply.form)
    return Answer(card=reply.card)


def about(heard: Heard) -> views.Meta:
    """Return what a view remembers that answers to this."""
    words = heard.words if heard.doing in (Doing.MENU, Doing.PICK) else ""
    return views.Meta(heard.conversation, heard.subject if heard.doing is not Doing.SAY else "", words)


def as_message(answer: Answer) -> Json | None:
    """Return an answer as a message; a form that can't open now becomes a button that opens it."""
    if answer.sentence:
        return {"text": _ended(escaped(answer.sentence), [f"<#{one}>" for one in answer.channels])}
    if answer.form:
        return unopened.content(answer.form)
    return message(answer.card) if answer.card else None


def _ended(sentence: str, channels: Sequence[str]) -> str:
    """End a sentence with the channels it leads to, where there are any."""
    return f"{sentence} {listed(tuple(channels), 'or')}." if channels else sentence


def done() -> Json:
    """Return the view in the place of one whose button was pressed, where there is nothing more to say."""
    return views.card_view(Card("Done", Tone.GOOD, lead="The conversation shows how it goes on."))
