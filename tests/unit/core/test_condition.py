"""Parameters that apply only where another one has a certain value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import canonical
from bot.core.condition import Condition
from bot.core.parameter import Choice, Fault, Kind, Parameter, applying, bind, condition_in_words

HOW = (Choice("lock", "Lock it"), Choice("move", "Move it"), Choice("copy", "Copy it"))
PARAMETERS = (
    Parameter("how", Kind.CHOICE, "How", required=True, choices=HOW),
    Parameter("to", Kind.STRING, "Where to", required=True, when=(Condition("how", ("move", "copy")),)),
    Parameter("keep", Kind.BOOLEAN, "Keep it", default=True, when=(Condition("how", ("move",)),)),
    Parameter("days", Kind.INTEGER, "Days", default=30, when=(Condition("keep", (True,)),)),
    Parameter("note", Kind.STRING, "Note", when=(Condition("how", ("move",)), Condition("keep", (False,)))),
)
BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}


def faults(**given: Any) -> list[str]:
    return [fault.sentence for fault in bind(PARAMETERS, given).faults]


def test_what_does_not_apply_is_neither_needed_nor_given_its_default() -> None:
    assert bind(PARAMETERS, {"how": "lock"}).arguments == {"how": "lock"}
    assert bind(PARAMETERS, {"how": "lock"}).ok


def test_what_applies_is_needed_and_has_its_default() -> None:
    assert faults(how="copy") == ["“Where to” is needed."]
    assert bind(PARAMETERS, {"how": "move", "to": "x"}).arguments == {
        "how": "move",
        "to": "x",
        "keep": True,
        "days": 30,
    }


def test_what_hangs_on_a_parameter_that_does_not_apply_does_not_apply_either() -> None:
    assert bind(PARAMETERS, {"how": "copy", "to": "x"}).arguments == {"how": "copy", "to": "x"}
    assert faults(how="copy", to="x", days=3) == ["“Days” applies only when “Keep it” is yes."]


def test_every_condition_has_to_hold() -> None:
    assert faults(how="move", to="x", note="n") == ["“Note” applies only when “How” is move and “Keep it” is no."]
    assert faults(how="move", to="x", keep="no", note="n") == []


def test_X6_what_does_not_apply_must_not_be_given() -> None:
    found = bind(PARAMETERS, {"how": "lock", "to": "x"})
    assert found.faults == (Fault("to", "“Where to” applies only when “How” is move or copy."),)
    assert found.arguments == {"how": "lock"}


@pytest.mark.parametrize("blank", [None, "", "  ", [], ()])
def test_a_blank_one_is_no_fault_where_it_does_not_apply(blank: object) -> None:
    assert bind(PARAMETERS, {"how": "lock", "to": blank}).ok


def test_while_the_deciding_one_is_wrong_nothing_is_said_of_what_hangs_on_it() -> None:
    (fault,) = bind(PARAMETERS, {"how": "burn", "to": "x", "keep": "perhaps", "days": "x"}).faults
    assert fault.field == "how"


def test_where_the_deciding_one_is_missing_what_hangs_on_it_is_told_of() -> None:
    assert faults(to="x") == ["“How” is needed.", "“Where to” applies only when “How” is move or copy."]


def test_a_form_asks_for_what_applies_with_what_is_given_so_far() -> None:
    assert [one.name for one in applying(PARAMETERS, {})] == ["how"]
    assert [one.name for one in applying(PARAMETERS, {"how": "copy"})] == ["how", "to"]
    assert [one.name for one in applying(PARAMETERS, {"how": "move", "keep": "no"})] == [
        "how",
        "to",
        "keep",
        "note",
    ]
    assert [one.name for one in applying(PARAMETERS, {"how": "burn"})] == ["how"]


def test_a_condition_is_said_in_the_labels_people_know() -> None:
    assert condition_in_words(BY_NAME["to"], PARAMETERS) == "“How” is move or copy"
    assert condition_in_words(BY_NAME["how"], PARAMETERS) == ""


VALUES = st.sampled_from([None, "", "lock", "move", "copy", "burn", "yes", "no", True, False, 1, "7", "x"])


@given(st.dictionaries(st.sampled_from([*BY_NAME, "stranger"]), VALUES))
def test_whatever_is_given_only_what_applies_is_bound_and_binding_it_again_changes_nothing(
    given: dict[str, object],
) -> None:
    found = bind(PARAMETERS, given)
    assert all(BY_NAME[name].applies(found.arguments) for name in found.arguments)
    canonical.encode(dict(found.arguments))
    if found.ok:
        assert bind(PARAMETERS, found.arguments) == found
        needed = {one.name for one in PARAMETERS if one.required and one.applies(found.arguments)}
        assert needed <= found.arguments.keys()
        sent = {name for name, value in given.items() if value not in (None, "")}
        assert sent <= found.arguments.keys()
