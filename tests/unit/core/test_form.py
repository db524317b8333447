"""Forms: an action's parameters, what was given, and what is wrong with that."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.core.action import Action, Risk, Script
from bot.core.condition import Condition
from bot.core.form import Field, Form, form_for, to_json
from bot.core.parameter import Choice, Kind, Parameter, bind

COLOURS = (Choice("red", "Red"), Choice("green", "Green"))
PARAMETERS = (
    Parameter(
        "account", Kind.STRING, "Account", "Whose", required=True, pattern="[a-z]+", min_length=1, max_length=9
    ),
    Parameter("tries", Kind.INTEGER, "Tries", default=3, minimum=Decimal(1), maximum=Decimal("9.5")),
    Parameter("colour", Kind.CHOICE, "Colour", choices=COLOURS),
    Parameter("groups", Kind.LIST, "Groups", default=("staff", "vpn")),
    Parameter("token", Kind.SECRET, "Token"),
)
ACTION = Action(
    "unlock-account",
    "accounts",
    "accounts/unlock-account.toml",
    "Unlock an account",
    "Unlocks it.",
    Risk.CHANGE,
    Script("unlock.py", b"pass"),
    parameters=PARAMETERS,
)


def filled(form: Form, name: str) -> Field:
    (field,) = [field for field in form.fields if field.parameter.name == name]
    return field


def test_an_untouched_form_shows_every_parameter_with_its_default() -> None:
    form = form_for(ACTION, {})
    assert tuple(field.parameter for field in form.fields) == PARAMETERS
    assert [field.value for field in form.fields] == [None, 3, None, ["staff", "vpn"], None]
    assert {field.fault for field in form.fields} == {""}
    assert (form.action, form.title, form.summary, form.risk) == (
        "unlock-account",
        "Unlock an account",
        "Unlocks it.",
        "change",
    )


def test_what_was_given_stays_and_its_fault_stands_beside_it() -> None:
    given = {"account": "Alice!", "tries": "many", "colour": "green"}
    form = form_for(ACTION, given, bind(PARAMETERS, given))
    assert {name: filled(form, name).value for name in given} == given
    assert filled(form, "account").fault == "“Account” doesn't fit: Whose."
    assert filled(form, "tries").fault == "“Tries” takes a whole number, not “many”."
    assert filled(form, "colour").fault == ""


def test_what_a_fault_says_already_is_not_said_again_by_the_help_beside_it() -> None:
    given = {"account": "Alice!"}
    form = form_for(ACTION, given, bind(PARAMETERS, given))
    assert filled(form, "account").help == ""
    assert json.dumps(to_json(form)).count("Whose") == 1
    missing = filled(form_for(ACTION, {}, bind(PARAMETERS, {})), "account")
    assert (missing.fault, missing.help) == ("“Account” is needed.", "Whose")


def test_a_blanked_field_stays_blank_whatever_its_default() -> None:
    assert filled(form_for(ACTION, {"tries": ""}), "tries").value == ""


def test_V3_a_secret_is_never_filled_in() -> None:
    given = {"account": "alice", "token": "s3cret\0"}
    form = form_for(ACTION, given, bind(PARAMETERS, given))
    assert filled(form, "token").value is None
    assert "control character" in filled(form, "token").fault
    assert "s3cret" not in json.dumps(to_json(form))


def test_X6_an_undeclared_argument_is_named_in_the_note() -> None:
    given = {"account": "alice", "PATH": "/tmp"}
    form = form_for(ACTION, given, bind(PARAMETERS, given), note="Look again.")
    assert form.note == "“PATH” is not a parameter of this action. Look again."


@pytest.mark.parametrize("given", ["a, b,c", "a\nb\n\nc ", ["a", "b", "c"]])
def test_a_list_is_held_by_its_items_however_it_was_given(given: object) -> None:
    form = form_for(ACTION, {"groups": given}, bind(PARAMETERS, {"groups": given}))
    assert filled(form, "groups").value == ["a", "b", "c"]
    assert filled(form_for(ACTION, {}).holding({"groups": given}), "groups").value == ["a", "b", "c"]


def test_what_inputs_take_in_one_spelling_alone_is_held_in_that() -> None:
    parameters = (Parameter("day", Kind.DATE, "Day"), Parameter("at", Kind.DATETIME, "At"))
    given = {"day": "20261123", "at": "2026-11-23T14:30"}
    form = form_for(replace(ACTION, parameters=parameters), given, bind(parameters, given))
    assert [field.value for field in form.fields] == ["2026-11-23", "2026-11-23T14:30:00+00:00"]


def test_a_field_knows_what_was_given_for_it_and_whether_that_fits() -> None:
    form = form_for(ACTION, {"tries": "99", "groups": ["staff", "vpn"], "account": "alice"})
    assert [field.parameter.name for field in form.fields if field.given] == ["account", "tries"]
    assert [field.misfit for field in form.fields if field.misfit] == ["“Tries” must be at most 9.5, not 99."]


def test_choices_from_a_query_take_the_place_of_the_declared_ones() -> None:
    blue = (Choice("blue", "Blue"),)
    assert filled(form_for(ACTION, {}), "colour").choices == COLOURS
    assert filled(form_for(ACTION, {}, choices={"colour": blue}), "colour").choices == blue


@pytest.mark.parametrize(
    ("given", "shown"),
    [(Decimal("1.5"), "1.5"), (("a", 2), ["a", "2"]), ({"a": 1}, "{'a': 1}"), (True, True), (0, 0), (None, None)],
)
def test_whatever_was_given_can_be_shown(given: object, shown: object) -> None:
    assert filled(form_for(ACTION, {"account": given}), "account").value == shown


def test_a_form_in_json_says_all_that_a_door_needs() -> None:
    form = form_for(ACTION, {"account": "alice"}, note="Look again.", approval="It needs one approval.")
    data = json.loads(json.dumps(to_json(form)))
    account, tries, colour, *_ = data.pop("fields")
    assert data == {
        "action": "unlock-account",
        "title": "Unlock an account",
        "summary": "Unlocks it.",
        "risk": "change",
        "note": "Look again.",
        "approval": "It needs one approval.",
    }
    assert account == {
        "name": "account",
        "kind": "string",
        "label": "Account",
        "help": "Whose",
        "required": True,
        "value": "alice",
        "default": None,
        "applies": True,
        "when": [],
        "fault": "",
        "pattern": "[a-z]+",
        "minimum": None,
        "maximum": None,
        "min_length": 1,
        "max_length": 9,
        "choices": [],
    }
    assert (tries["minimum"], tries["maximum"], tries["value"]) == ("1", "9.5", 3)
    assert colour["choices"] == [{"value": "red", "label": "Red"}, {"value": "green", "label": "Green"}]


HOW = (Choice("lock", "Lock it"), Choice("move", "Move it"))
CONDITIONAL = replace(
    ACTION,
    parameters=(
        Parameter("how", Kind.CHOICE, "How", choices=HOW, default="lock"),
        Parameter("again", Kind.BOOLEAN, "Again"),
        Parameter("to", Kind.STRING, "Where to", required=True, when=(Condition("how", ("move",)),)),
        Parameter("times", Kind.INTEGER, "Times", default=2, when=(Condition("again", (True,)),)),
    ),
)


def applying(form: Form) -> list[str]:
    return [field.parameter.name for field in form.applying]


def test_a_form_knows_which_fields_apply_with_what_it_holds() -> None:
    assert applying(form_for(CONDITIONAL, {})) == ["how", "again"]
    assert applying(form_for(CONDITIONAL, {"how": "move"})) == ["how", "again", "to"]
    assert form_for(CONDITIONAL, {}).deciding == {"how", "again"}


def test_a_form_takes_up_what_somebody_put_into_its_fields() -> None:
    form = form_for(CONDITIONAL, {"how": "move", "to": "Berlin"})
    assert applying(form.holding({"how": None, "again": "yes"})) == ["how", "again", "times"]
    assert filled(form.holding({"how": "lock"}), "to").value == "Berlin"


def test_what_is_wrong_with_a_field_that_does_not_apply_is_told_in_the_note() -> None:
    given = {"to": "Berlin", "again": "on"}
    form = form_for(CONDITIONAL, given, bind(CONDITIONAL.parameters, given))
    assert form.note == "“Where to” applies only when “How” is move."
    assert filled(form, "again").value is True


def test_a_form_in_json_says_what_applies_and_on_what_it_hangs() -> None:
    how, again, to, times = json.loads(json.dumps(to_json(form_for(CONDITIONAL, {"again": True}))))["fields"]
    assert [field["applies"] for field in (how, again, to, times)] == [True, True, False, True]
    assert (how["default"], how["when"]) == ("lock", [])
    assert to["when"] == [{"name": "how", "values": ["move"]}]
    assert times["when"] == [{"name": "again", "values": [True]}]
