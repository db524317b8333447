"""What Slack delivers, read into what was meant, freed from Slack's shapes.

Ids are checked here; what is said is checked where it is understood. Nothing here decides about rights.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bot.chat.slack import forms, home, picker, quoted, said, unopened, views
from bot.chat.slack.guard import Payload
from bot.chat.slack.render import Look, pressed
from bot.core import canonical
from bot.core.card import Verb
from bot.core.errors import Invalid
from bot.core.principal import Account
from bot.core.run import Place
from bot.ports import Delivery

PLATFORM = "slack"
COMMAND = "deputy"

_ID = re.compile(r"[A-Z0-9]{1,30}")
_LONGEST_ID = 255


class Doing(StrEnum):
    """What somebody did, by what it means."""

    SAY = "say"
    PRESS = "press"
    FILL = "fill"
    SHAPE = "shape"
    MENU = "menu"
    PICK = "pick"
    ASK = "ask"
    LOOK = "look"
    HOME = "home"


LASTING = frozenset({Doing.SAY, Doing.PRESS, Doing.FILL})


@dataclass(frozen=True)
class Heard:
    """Something that somebody did. `id` is the delivery's; where `once` is given, two deliveries of it are one.

    `name` is what Slack calls the person, where it says so, for reading only. `subject` is a command's text, or
    the run or action it is about; `words` a comment, a reason, or the message that an action is to run on;
    `values` what a form was filled with, without its secrets, and `inputs` the blocks of those that it had.
    `answer_to` is Slack's response_url, `thread` where in a conversation it was said, `view` the modal it was done
    in. `trigger` opens a view for three seconds; it is not kept.
    """

    id: str
    doing: Doing
    account: str
    conversation: str
    verb: str = ""
    subject: str = ""
    words: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    inputs: Sequence[str] = ()
    once: str = ""
    answer_to: str = ""
    thread: str = ""
    view: str = ""
    trigger: str = ""
    name: str = ""

    @property
    def who(self) -> Account:
        return Account(PLATFORM, self.account, self.name)

    @property
    def person(self) -> str:
        """Slack's id of the person."""
        return self.account.rpartition(":")[2]

    @property
    def home(self) -> "Heard | None":
        """The look at the Home tab that follows where something was done in a view that was opened from it."""
        if self.doing not in LASTING or not self.view or self.conversation:
            return None
        return Heard(self.id, Doing.HOME, self.account, "", name=self.name)

    @property
    def place(self) -> Place:
        """Where it is told: a conversation, or the person alone."""
        return Place(PLATFORM, self.conversation or self.person)

    @property
    def delivery(self) -> Delivery:
        """What makes its effect happen once. Raises Invalid for what has no canonical form."""
        meant = [self.account, self.doing.value, self.verb, self.subject, self.words, dict(self.values)]
        return Delivery(f"{PLATFORM}:{self.once or self.id}", canonical.sha256(meant))

    def document(self) -> str:
        """Return it as JSON, without what is only of use now."""
        return json.dumps({**vars(self), "trigger": ""})


def recalled(document: str) -> Heard:
    """Read back what `document` wrote."""
    data = json.loads(document)
    return Heard(**{**data, "doing": Doing(data["doing"])})


def command(body: Payload) -> Heard:
    """Read a slash command: `/deputy …`, or an action's own. Raises Invalid."""
    name = _text(body, "command").lstrip("/").lower()
    home = _home(body.get("enterprise_id"), body.get("team_id"))
    text = _text(body, "text")
    asked = said.command(text if name == COMMAND else f"{name} {text}", home)
    return Heard(
        id=f"command:{_unique(body, 'trigger_id')}",
        doing=Doing.SAY if asked else Doing.MENU,
        account=_account(home, body.get("user_id")),
        conversation=_id(body.get("channel_id")),
        subject=asked,
        answer_to=_text(body, "response_url"),
        trigger=_text(body, "trigger_id"),
        name=_text(body, "user_name"),
    )


def click(body: Payload) -> Heard:
    """Read the press of a button, or a choice in a select that acts at once. Raises Invalid."""
    if _text(_first(body, "actions"), "block_id").startswith(forms.ARGUMENT):
        return _shaping(body)
    verb, subject = pressed(_first(body, "actions"))
    view = body.get("view")
    about = views.meta(view) if isinstance(view, dict) and view.get("type") == "modal" else views.Meta()
    channel = _id(_object(body, "channel").get("id") or about.conversation, needed=False)
    doing = _MEANT.get(verb, Doing.PRESS)
    heard = _interaction(body, doing, channel)
    words = home.typed_in(_object(body, "view")) if doing is Doing.HOME else about.words
    words = subject if verb is Look.SEARCH else words
    subject, values = unopened.read(subject) if verb is Look.FORM else (subject, {})
    heard = replace(heard, verb=verb.value, subject=subject, words=words, values=values)
    return replace(heard, answer_to=_text(body, "response_url"), thread=_thread(body))


def submission(body: Payload) -> Heard:
    """Read a submitted view. Raises Invalid."""
    view = _object(body, "view")
    about = views.meta(view)
    callback = view.get("callback_id")
    if callback not in _SUBMITTED:
        raise Invalid("That form is not one of Deputy's. Open it anew with /deputy.")
    doing, read = _SUBMITTED[callback]
    heard = _interaction(body, doing, _id(about.conversation, needed=False))
    return replace(heard, once=f"view:{heard.view}" if doing is Doing.FILL else "", **read(view, about))


def _shaping(body: Payload) -> Heard:
    """Read a choice in a form on which it hangs whether other fields apply."""
    view = _object(body, "view")
    about = views.meta(view)
    heard = _interaction(body, Doing.SHAPE, _id(about.conversation, needed=False))
    values = {**about.aside, **forms.held(view)}
    return replace(heard, subject=about.subject, values=values, words=forms.reason(view), trigger="")


def shortcut(body: Payload) -> Heard:
    """Read a shortcut: on a message its words come along. Raises Invalid."""
    pointed_at = said.typed(quoted.words(_object(body, "message")))
    channel = _id(_object(body, "channel").get("id"), needed=False)
    heard = _interaction(body, Doing.MENU, channel)
    return replace(heard, words=pointed_at, answer_to=_text(body, "response_url"))


def suggestion(body: Payload) -> Heard:
    """Read the request for the options of a select, `verb`, in the form of an action; `words` is what is typed."""
    view = _object(body, "view")
    about = views.meta(view)
    heard = _interaction(body, Doing.LOOK, _id(about.conversation, needed=False))
    subject = about.subject if view.get("callback_id") == views.Callback.FILL else ""
    return replace(heard, verb=_text(body, "action_id"), subject=subject, words=_text(body, "value"))


def event(body: Payload) -> Heard | None:
    """Read an event: a mention, a direct message, the Home tab opened; None for what is nobody's saying."""
    told = _object(body, "event")
    kind = told.get("type")
    if told.get("bot_id") or told.get("subtype") or not told.get("user"):
        return None
    ours = _home(body.get("enterprise_id"), body.get("team_id"))
    heard = Heard(
        id=f"event:{_unique(body, 'event_id')}",
        doing=Doing.SAY,
        account=_account(_own(told.get("user_team") or told.get("team"), body.get("team_id"), ours), told["user"]),
        conversation=_id(told.get("channel"), needed=False),
        thread=_text(told, "thread_ts"),
    )
    if kind == "app_home_opened":
        return replace(heard, doing=Doing.HOME, conversation="") if told.get("tab") == "home" else None
    if kind == "app_mention":
        return replace(heard, subject=said.after_mention(_text(told, "text"), ours, _bot(body)))
    if kind == "message" and told.get("channel_type") == "im":
        return replace(heard, subject=said.direct(_text(told, "text"), ours))
    return None


def _bot(body: Payload) -> str:
    """Return Slack's id of Deputy itself, for whom an event is delivered; empty where Slack doesn't say."""
    given = body.get("authorizations")
    first = given[0] if isinstance(given, list) and given else {}
    return _text(first, "user_id") if isinstance(first, dict) else ""


def _interaction(body: Payload, doing: Doing, conversation: str) -> Heard:
    """Read what every click, submission and shortcut has in common."""
    person, team, view = _object(body, "user"), _object(body, "team"), _object(body, "view")
    ours = _home(_object(body, "enterprise").get("id"), team.get("id"))
    home = _own(person.get("team_id"), team.get("id"), ours)
    trigger = _text(body, "trigger_id")
    return Heard(
        id=f"{_text(body, 'type')[:30]}:{trigger or _text(view, 'id')}"[:_LONGEST_ID],
        doing=doing,
        account=_account(home, person.get("id")),
        conversation=conversation,
        view=_text(view, "id")[:_LONGEST_ID] if view.get("type") == "modal" else "",
        trigger=trigger,
        name=_text(person, "username") or _text(person, "name"),
    )


def _home(enterprise: object, team: object) -> str:
    """Return under what somebody's id is unique: the Enterprise Grid, or the workspace where there is none."""
    return _id(enterprise or team)


def _own(theirs: object, team: object, ours: str) -> str:
    """Return the home of somebody who may come from another workspace through Slack Connect (attack I7)."""
    return ours if not theirs or theirs in (team, ours) else _id(theirs)


def _account(home: str, person: object) -> str:
    return f"{home}:{_id(person)}"


def _id(value: object, *, needed: bool = True) -> str:
    if not value and not needed:
        return ""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Invalid("An id in what Slack sent is missing or is none.")
    return value


def _unique(body: Payload, name: str) -> str:
    value = _text(body, name)
    if not 0 < len(value) <= _LONGEST_ID - 10:
        raise Invalid(f"What Slack sent has no {name}.")
    return value


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _object(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _first(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        raise Invalid("Nothing was pressed.")
    return value[0]


def _thread(body: Payload) -> str:
    return _text(_object(body, "message"), "thread_ts")


def _filled(view: Mapping[str, Any], about: views.Meta) -> dict[str, Any]:
    filled = {"values": forms.values(view), "words": forms.reason(view), "inputs": forms.inputs_of(view)}
    return {"subject": about.subject, **filled}


def _picked(view: Mapping[str, Any], about: views.Meta) -> dict[str, Any]:
    return {"verb": Verb.OPEN.value, "subject": picker.picked(view), "words": about.words}


def _asked(view: Mapping[str, Any], about: views.Meta) -> dict[str, Any]:
    return {"verb": view["callback_id"], "subject": about.subject, "words": forms.comment(view)}


_SUBMITTED: Mapping[object, tuple[Doing, Callable[[Mapping[str, Any], views.Meta], dict[str, Any]]]] = {
    views.Callback.FILL.value: (Doing.FILL, _filled),
    views.Callback.PICK.value: (Doing.PICK, _picked),
    **{verb.value: (Doing.PRESS, _asked) for verb in forms.ASKING},
}
_MEANT: Mapping[Verb | Look, Doing] = {
    Verb.OPEN: Doing.PICK,
    Look.FORM: Doing.PICK,
    **dict.fromkeys(forms.ASKING, Doing.ASK),
    Look.CHANGES: Doing.LOOK,
    Look.STATUS: Doing.LOOK,
    Look.OUTPUT: Doing.LOOK,
    Look.SEARCH: Doing.HOME,
    Verb.FAVOUR: Doing.HOME,
    Verb.UNFAVOUR: Doing.HOME,
}
