"""Forms that could not open: a legal message whatever they hold, and a button that keeps what was given."""

import json

import pytest
from hypothesis import given, settings

from bot.chat.slack import unopened
from bot.core.errors import Invalid
from bot.core.form import Field, Form
from bot.core.parameter import Kind, Parameter
from tests.fakes.slack_limits import message_faults
from tests.unit.slack.cards import FORMS
from tests.unit.slack.test_render import text_in


def kept(form: Form) -> tuple[str, dict[str, object]]:
    return unopened.read(unopened.content(form)["blocks"][-1]["elements"][0]["value"])


def a_form(*fields: Field) -> Form:
    return Form("tail-log", "Tail a log", "Shows its end.", "read", fields)


@given(FORMS)
@settings(deadline=None, max_examples=60)
def test_any_form_gives_a_legal_message_and_its_button_keeps_only_what_is_in_it(form: Form) -> None:
    assert message_faults(unopened.content(form)["blocks"]) == []
    action, values = kept(form)
    assert action == form.action
    held = json.loads(json.dumps({field.parameter.name: field.value for field in form.fields}))
    assert values.keys() <= held.keys()
    assert {name: value for name, value in values.items() if value is not None}.items() <= held.items()


def test_each_fault_is_named_and_what_was_given_is_kept() -> None:
    path = Field(Parameter("path", Kind.STRING, "Path", required=True), "bad", "It has to begin with /.")
    lines = Field(Parameter("lines", Kind.INTEGER, "Lines", default=50), 20)
    form = a_form(path, lines)
    told = text_in(unopened.content(form)["blocks"])
    assert "Nothing was done yet" in told
    assert "Path: It has to begin with /." in told
    assert kept(form) == ("tail-log", {"path": "bad", "lines": 20})


def test_no_secret_is_kept_and_what_is_too_long_for_a_button_is_asked_for_again() -> None:
    token = Field(
        Parameter("token", Kind.SECRET, "Token", required=True), "correct-horse", "It is typed in the open."
    )
    long = Field(Parameter("words", Kind.TEXT, "Words"), "x" * 3_000)
    short = Field(Parameter("path", Kind.STRING, "Path"), "/var/log/syslog")
    form = a_form(token, long, short)
    assert kept(form) == ("tail-log", {"words": None, "path": "/var/log/syslog"})
    assert "all but what is too long to keep: “Words”." in text_in(unopened.content(form)["blocks"])
    again = unopened.filled(form, kept(form)[1])
    assert again.note == "Too long to keep until this form opened: “Words”. Give that again."
    assert [field.value for field in again.fields] == ["correct-horse", None, "/var/log/syslog"]


def test_a_button_that_keeps_all_says_nothing_of_it() -> None:
    form = a_form(Field(Parameter("path", Kind.STRING, "Path"), "/var"))
    assert "too long" not in text_in(unopened.content(form)["blocks"])
    assert unopened.filled(form, {"path": "/tmp"}).note == ""


@pytest.mark.parametrize("value", ["", "tail-log", "[]", '["a", 1]', '{"a": 1}', "null", '["a", {}, 1]'])
def test_a_button_that_is_none_of_these_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="not one of Deputy's"):
        unopened.read(value)
