"""Neutral forms as Slack's modals, and what people filled in back into arguments.

No secret is ever typed into Slack: it has no input that hides what is typed, and keeps what was sent. The form
says so; where one is asked for, `made` makes it, in Deputy's own memory. One that exists is a parameter of kind
credential: its name is chosen from those the action offers, and the worker leases it by the version sealed.
"""

import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.chat.slack import inputs
from bot.chat.slack.render import Json
from bot.chat.slack.text import plain
from bot.chat.slack.views import MOST_BLOCKS, NOWHERE, Callback, Meta, modal, words
from bot.core.card import Card, Verb
from bot.core.errors import Invalid, NotFound
from bot.core.form import Field, Form
from bot.core.parameter import Kind
from bot.core.text import shorten, visible
from bot.core.wording import RISKS, count

# What an input's block_id begins with: an argument, one whose lines are its items, a secret to be made.
ARGUMENT, LINES, SECRET = "p:", "l:", "s:"
REASON, COMMENT = "reason", "comment"  # block ids of their own
MAKE = "new"
_TO_MAKE = {"make": "secret"}  # no person can give this: what is typed or chosen is text
SECRET_BYTES = 24  # 192 bits, 32 characters
LONGEST_REASON = 1_000
LONGEST_FACT, MOST_FACTS = 300, 5  # of what words are asked about; who asked is the first of the facts
NO_CARD = Card("")
_BROKEN = "That form did not arrive whole. Open it anew with /deputy."


@dataclass(frozen=True)
class Asked:
    """What is asked for along with a click: the modal's title and what it says of the run, a field and its hint.

    A `line` has no room for more.
    """

    title: str
    lead: str
    label: str
    hint: str = ""
    line: bool = False


# Clicks that words belong to.
ASKING: Mapping[Verb, Asked] = {
    Verb.DENY: Asked(
        "Deny", "{} will not run once you send this.", "Reason", "Who asked reads it in the channel."
    ),
    Verb.LINK: Asked(
        "Link", "You have signed in on the page, and it shows a code.", "The code that the page shows", line=True
    ),
    Verb.REVIEW: Asked("Review", "{} was an emergency.", "What you found", "It is read in the channel."),
}


def view(form: Form, about: Meta = NOWHERE, reason: str = "") -> Json:
    """Return the modal of a form; `about.conversation` is where its run will be told of."""
    top = [words(part) for part in (form.summary, _warning(form), form.note) if part]
    room = MOST_BLOCKS - len(top) - 2  # the reason, and the word about what has no room
    fields, deciding = form.applying, form.deciding
    blocks = [_block(field, decides=field.parameter.name in deciding) for field in fields[:room]]
    left_out = len(fields) - room
    more = [words(f"{count(left_out, 'more field')} can be given by name in a command.")] if left_out > 0 else []
    asked = [] if any(one.parameter.name == REASON for one in form.fields) else [_words_asked(REASON, reason)]
    kept = replace(about, subject=form.action, aside=_aside(form))
    return modal(Callback.FILL, form.title, [*top, *blocks, *more, *asked], kept, submit="Run")


def noted(form: Form) -> Form:
    """Return a form whose note names what was given and doesn't stand in it, so that nothing vanishes unsaid."""
    unshown = [said for field in form.applying if (said := inputs.unshown(field))]
    if not unshown:
        return form
    first = "Nothing ran yet, and not all that was given is in this form."
    last = "Fill that in here, or it is left out."
    return replace(form, note=" ".join((first, *unshown, last, form.note)).strip())


def _aside(form: Form) -> dict[str, object]:
    """Return what somebody put into fields that don't apply now: they may apply again in a moment."""
    applying = {field.parameter.name for field in form.applying}
    hidden = [field for field in form.fields if field.parameter.name not in applying]
    return {
        field.parameter.name: field.value
        for field in hidden
        if not inputs.is_secret(field) and field.value != field.parameter.default
    }


def values(view: Mapping[str, Any]) -> dict[str, object]:
    """Return the arguments of a submitted form by parameter, as `Door.fill` takes them; blank ones are left out.

    Texts and numbers come as text, lists as lists of texts. For a secret that is to be made stands a mark, so that
    what is kept of a submission holds none: `made` makes it.
    """
    return {block[2:]: given for block, given in _given(view) if block[:2] in (ARGUMENT, LINES, SECRET)}


def held(view: Mapping[str, Any]) -> dict[str, object]:
    """Return what an open form holds by parameter, None for a blank one; marks as those of `values`.

    Slack may leave out of a view's state what nobody has touched yet: that is what the view began with.
    Raises Invalid.
    """
    try:
        blocks = [block for block in view.get("blocks") or () if block.get("type") == "input"]
        begun = {block["block_id"]: {"": inputs.begun(block["element"])} for block in blocks}
        now = {**begun, **((view.get("state") or {}).get("values") or {})}
    except (AttributeError, KeyError, TypeError):
        raise Invalid(_BROKEN) from None
    filled = values({"state": {"values": now}})
    return {name[2:]: filled.get(name[2:]) for name in now if name[:2] in (ARGUMENT, LINES, SECRET)}


def made(values: Mapping[str, object]) -> dict[str, object]:
    """Return arguments with a new secret in place of every mark that `values` left for one."""
    return {
        name: secrets.token_urlsafe(SECRET_BYTES) if given == _TO_MAKE else given for name, given in values.items()
    }


def reason(view: Mapping[str, Any]) -> str:
    """Return the reason given in a submitted form."""
    return next((str(given) for block, given in _given(view) if block == REASON), "")


def comment(view: Mapping[str, Any]) -> str:
    """Return the reason given in a submitted denial."""
    return next((str(given) for block, given in _given(view) if block == COMMENT), "")


def inputs_of(view: Mapping[str, Any]) -> list[str]:
    """Return the block ids of a view's inputs."""
    return [str(block.get("block_id")) for block in view.get("blocks") or () if block.get("type") == "input"]


def errors(form: Form, about: Meta, there: Collection[str]) -> Json:
    """Answer a submission that was not taken: each fault at its field; what is about none, in the form anew.

    `there` are the inputs that were in the form; another may have begun to apply with what was sent.
    """
    faults = {_block_id(one): shorten(one.fault, 500) for one in form.fields if one.fault}
    if faults and not form.note and faults.keys() <= {*there}:
        return {"response_action": "errors", "errors": faults}
    return {"response_action": "update", "view": view(noted(form), about)}


def suggestions(form: Form, named: str, typed: str) -> Json:
    """Answer a block_suggestion of the field whose block and action are `named` so.

    Raises NotFound where the form has no such field.
    """
    for field in form.fields:
        if _block_id(field) == named:
            return {"options": inputs.matching(field.choices, typed)}
    raise NotFound("The form has no such field any more. Open it anew with /deputy.")


def asking_view(verb: Verb, about: Meta, card: Card = NO_CARD) -> Json:
    """Return the modal that asks for the words that belong to a click (one of ASKING) on `about.subject`.

    `card` is the subject's: who asks for what.
    """
    asked = ASKING[verb]
    block = {**_words_asked(COMMENT, "", asked.label, asked.hint), "optional": False}
    block["element"] = {**block["element"], "multiline": not asked.line}
    called = f"{card.title} ({about.subject})" if card.title else about.subject
    facts = [f"{fact.label}: {shorten(fact.value, LONGEST_FACT)}" for fact in card.facts[:MOST_FACTS]]
    told = [words(one) for one in (asked.lead.format(called), *facts)]
    return modal(Callback(verb.value), asked.title, [*told, block], about, submit=asked.title)


def wrong_words(sentence: str) -> Json:
    """Answer a submission of what `asking_view` asked for: the fault is shown at its field."""
    return {"response_action": "errors", "errors": {COMMENT: shorten(sentence, 500)}}


def _given(view: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Return what was put into each input that was filled, with its block id. Raises Invalid."""
    try:
        return list(_read(view))
    except (AttributeError, TypeError, ValueError, OverflowError, OSError):  # OSError: no calendar goes that far
        raise Invalid(_BROKEN) from None


def _read(view: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for block, states in ((view.get("state") or {}).get("values") or {}).items():
        given = next((inputs.value(state) for state in states.values()), None)
        if given in (None, "", []):
            continue
        if block.startswith(LINES) and isinstance(given, str):
            given = given.split("\n")
        elif block.startswith(SECRET):
            given = dict(_TO_MAKE)
        yield block, given


def _block_id(field: Field) -> str:
    if inputs.is_secret(field):
        return f"{SECRET}{field.parameter.name}"
    lines = field.parameter.kind is Kind.LIST and not field.choices
    return f"{LINES if lines else ARGUMENT}{field.parameter.name}"


def _block(field: Field, *, decides: bool) -> Json:
    parameter = field.parameter
    optional = not parameter.required or parameter.default is not None
    element = _secret(field, optional) if inputs.is_secret(field) else inputs.element(field)
    block = {
        "type": "input",
        "block_id": _block_id(field),
        "label": plain(parameter.label, 2000),
        "optional": optional,
        **({"dispatch_action": True} if decides else {}),  # the form is shaped anew at once
        "element": {**element, "action_id": _block_id(field)},
    }
    hint = " ".join(part for part in (field.fault, field.help, _manner(field)) if part)
    return {**block, "hint": plain(hint, 2000)} if hint else block


def _manner(field: Field) -> str:
    """Say how a field is filled in where its input doesn't show it."""
    if inputs.is_secret(field):
        return (
            "It is a secret, and Slack keeps what is typed, so it is not typed here: Deputy makes one of "
            "32 characters, seals it in its vault for this run, and shows it to nobody. One that exists already "
            "is never given here: whoever keeps this action can offer it by its name in the vault."
        )
    if field.parameter.kind is Kind.CREDENTIAL:
        return (
            "Only its name is chosen. Deputy takes it from its vault when the run starts, and shows it to nobody."
        )
    if field.parameter.kind is Kind.LIST and not field.choices:
        return "One a line."
    return ""


def _secret(field: Field, optional: bool) -> Json:
    options = [{"text": plain("Make a new one", 75), "value": MAKE}]
    options += [{"text": plain("Leave it out", 75), "value": inputs.UNSAID}] if optional else []
    return {
        "type": "radio_buttons",
        "options": options,
        "initial_option": options[0 if field.value else -1],
    }


def _warning(form: Form) -> str:
    risk = RISKS.get(form.risk, form.risk)
    return f"Risk: {risk}. {form.approval}".strip()


def _words_asked(block: str, given: str, label: str = "Reason", hint: str = "") -> Json:
    element: Json = {
        "type": "plain_text_input",
        "action_id": block,
        "multiline": True,
        "max_length": LONGEST_REASON,
    }
    if given:
        element["initial_value"] = shorten(visible(given, lines=True), LONGEST_REASON)
    asked = {"type": "input", "block_id": block, "label": plain(label, 2000), "optional": True, "element": element}
    return {**asked, "hint": plain(hint, 2000)} if hint else asked
