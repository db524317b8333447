"""Forms in Slack: legal whatever they hold, and what was filled in comes back as the argument it is."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.slack import forms
from bot.chat.slack.home import typed_in
from bot.chat.slack.picker import picked, picker, suggestions
from bot.chat.slack.views import Meta, meta
from bot.core.card import Card, Item, Menu, Verb
from bot.core.condition import Condition
from bot.core.errors import Invalid, NotFound
from bot.core.form import Field, Form
from bot.core.parameter import Choice, Kind, Parameter, bind_one
from tests.fakes.slack_limits import options_faults, view_faults
from tests.unit.slack.cards import FORMS, WORDS

HERE = Meta("C1")
COLOURS = (Choice("red", "Red"), Choice("blue", "Blue"))


def form_of(*fields: Field, note: str = "") -> Form:
    return Form("act", "Act", "Does it.", "change", fields, note)


def field(kind: Kind, value: Any = None, *, choices: tuple[str, ...] = (), fault: str = "", **more: Any) -> Field:
    offered = tuple(Choice(one, one.title()) for one in choices)
    return Field(Parameter("it", kind, "It", **more), value, fault, offered)


def blocks_of(form: Form, kind: str = "input") -> list[dict[str, Any]]:
    return [block for block in forms.view(form, HERE)["blocks"] if block["type"] == kind]


def element_of(one: Field) -> dict[str, Any]:
    element: dict[str, Any] = blocks_of(form_of(one))[0]["element"]
    return element


def submitted(form: Form, **state: Any) -> dict[str, Any]:
    """Return the view as Slack submits it, with this state of its first input."""
    view = forms.view(form, HERE)
    block = next(block for block in view["blocks"] if block["type"] == "input")
    values = {block["block_id"]: {block["element"]["action_id"]: {"type": block["element"]["type"], **state}}}
    return {**view, "state": {"values": values}}


@given(FORMS, WORDS)
@settings(deadline=None, max_examples=150)
def test_any_form_is_a_legal_view(form: Form, reason: str) -> None:
    assert view_faults(forms.view(forms.noted(form), Meta("C1", "", "a message " * 900), reason)) == []


@given(FORMS, st.text(max_size=5))
@settings(deadline=None, max_examples=50)
def test_any_search_in_a_form_is_answered_legally(form: Form, typed: str) -> None:
    for block in blocks_of(form):
        if block["element"]["type"].endswith("external_select"):
            assert options_faults(forms.suggestions(form, block["block_id"], typed)) == []


def test_a_form_of_two_hundred_fields_is_legal_and_says_what_it_leaves_out() -> None:
    many = tuple(Field(Parameter(f"field_{n}", Kind.STRING, f"Field {n}")) for n in range(200))
    view = forms.view(form_of(*many), HERE)
    assert view_faults(view) == []
    assert any("more fields can be given by name" in str(block) for block in view["blocks"])


@pytest.mark.parametrize(
    ("one", "kind", "state", "argument"),
    [
        (field(Kind.STRING), "plain_text_input", {"value": "alice"}, "alice"),
        (field(Kind.TEXT), "plain_text_input", {"value": "two\nlines"}, "two\nlines"),
        (field(Kind.INTEGER), "number_input", {"value": "7"}, "7"),
        (field(Kind.NUMBER), "number_input", {"value": "1.5"}, "1.5"),
        (field(Kind.BOOLEAN), "radio_buttons", {"selected_option": {"value": "no"}}, "no"),
        (
            field(Kind.CHOICE, choices=("red", "blue")),
            "static_select",
            {"selected_option": {"value": "red"}},
            "red",
        ),
        (field(Kind.LIST), "plain_text_input", {"value": "a, b\nc"}, ["a, b", "c"]),
        (
            field(Kind.LIST, choices=("a", "b")),
            "multi_static_select",
            {"selected_options": [{"value": "a"}, {"value": "b"}]},
            ["a", "b"],
        ),
        (field(Kind.DATE), "datepicker", {"selected_date": "2026-11-23"}, "2026-11-23"),
        (
            field(Kind.DATETIME),
            "datetimepicker",
            {"selected_date_time": 1795444200},
            "2026-11-23T14:30:00+00:00",
        ),
    ],
)
def test_every_kind_has_its_input_and_comes_back(one: Field, kind: str, state: Any, argument: Any) -> None:
    assert element_of(one)["type"] == kind
    given = forms.values(submitted(form_of(one), **state))
    assert given == {"it": argument}
    assert bind_one(one.parameter if not one.choices else _with_choices(one), argument) is not None


def _with_choices(one: Field) -> Parameter:
    return Parameter("it", one.parameter.kind, "It", choices=one.choices)


@pytest.mark.parametrize(
    ("one", "name", "first"),
    [
        (field(Kind.STRING, "alice"), "initial_value", "alice"),
        (field(Kind.INTEGER, "7"), "initial_value", "7"),
        (field(Kind.LIST, ["a", "b"]), "initial_value", "a\nb"),
        (field(Kind.DATE, "2026-11-23"), "initial_date", "2026-11-23"),
        (field(Kind.DATETIME, "2026-11-23T14:30"), "initial_date_time", 1795444200),
    ],
)
def test_what_was_given_is_there_already(one: Field, name: str, first: Any) -> None:
    assert element_of(one)[name] == first


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (field(Kind.INTEGER, "99", maximum=Decimal(10)), "“It” must be at most 10, not 99."),
        (field(Kind.NUMBER, "1,5", default="2", fault="“It” is no number."), "“It” is no number."),
        (field(Kind.BOOLEAN, "?"), "“It” takes yes or no, not “?”."),
        (field(Kind.DATE, "tomorrow"), "“It” takes a date like 2026-11-23, not “tomorrow”."),
        (field(Kind.DATETIME, "1995-01-01T00:00"), "“It” can't begin with 1995-01-01T00:00"),
        (field(Kind.TEXT, "x" * 3_001), "“It” is longer than the 3,000 characters"),
        (field(Kind.STRING, "a\nb"), "“It” holds the control character"),
        (field(Kind.LIST, ["x" * 2_000, "y" * 2_000]), "“It” is longer than the 3,000 characters"),
        (field(Kind.LIST, ["a", "c"], choices=("a", "b")), "“It” has not all of that among the choices shown."),
        (field(Kind.CHOICE, "c", choices=("a",), choices_from="list"), "“It” has not all of that"),
    ],
)
def test_what_was_given_and_does_not_stand_in_its_field_is_named_at_the_head(one: Field, why: str) -> None:
    noted = forms.noted(form_of(one, note="Look."))
    assert noted.note.startswith(f"Nothing ran yet, and not all that was given is in this form. {why}")
    assert noted.note.endswith("Fill that in here, or it is left out. Look.")


@pytest.mark.parametrize(
    "one",
    [
        field(Kind.INTEGER, 5, default=5, maximum=Decimal(1)),
        field(Kind.INTEGER, "7"),
        field(Kind.TEXT, "x" * 4_000, default="x" * 4_000),
        field(Kind.LIST, ["a", "a"], choices=("a", "b")),
        field(Kind.BOOLEAN, False),
        field(Kind.SECRET, "x"),
        field(Kind.STRING, required=True, fault="“It” is needed."),
    ],
)
def test_what_stands_in_its_field_or_is_its_default_is_not_named(one: Field) -> None:
    assert forms.noted(form_of(one)) == form_of(one)


def test_a_yes_or_no_that_may_be_left_out_has_a_third_answer() -> None:
    element = element_of(field(Kind.BOOLEAN))
    assert [one["value"] for one in element["options"]] == ["yes", "no", "-"]
    assert element["initial_option"]["value"] == "-"
    assert forms.values(submitted(form_of(field(Kind.BOOLEAN)), selected_option={"value": "-"})) == {}
    needed = element_of(field(Kind.BOOLEAN, required=True))
    assert [one["value"] for one in needed["options"]] == ["yes", "no"]
    assert "initial_option" not in needed


def test_a_boolean_with_a_default_begins_with_it() -> None:
    element = element_of(field(Kind.BOOLEAN, False, default=False))
    assert element["initial_option"]["value"] == "no"


def test_two_hundred_choices_and_those_of_a_query_are_searched() -> None:
    choices = tuple(f"group-{n}" for n in range(200))
    many = form_of(field(Kind.CHOICE, choices=choices))
    assert element_of(many.fields[0])["type"] == "external_select"
    assert element_of(field(Kind.CHOICE, choices=("a",), choices_from="list-groups"))["type"] == "external_select"
    (block, *_) = blocks_of(many)
    assert block["block_id"] == block["element"]["action_id"]
    found = forms.suggestions(many, block["block_id"], "group-19")["options"]
    assert [one["value"] for one in found[:3]] == ["group-19", "group-190", "group-191"]
    assert len(forms.suggestions(many, block["block_id"], "")["options"]) == 100
    with pytest.raises(NotFound):
        forms.suggestions(many, "p:other", "")


def test_a_secret_is_not_typed_into_slack_but_made() -> None:
    form = form_of(field(Kind.SECRET, required=True))
    (block, _) = blocks_of(form)
    assert block["element"]["type"] == "radio_buttons"
    assert "Slack keeps what is typed" in block["hint"]["text"]
    kept = forms.values(submitted(form, selected_option={"value": "new"}))
    assert kept == {"it": {"make": "secret"}}  # what is kept of a submission holds none
    one, other = forms.made(kept)["it"], forms.made(kept)["it"]
    assert one != other
    assert len(str(one)) == 32


def test_a_secret_that_may_be_left_out_is() -> None:
    form = form_of(field(Kind.SECRET))
    assert element_of(form.fields[0])["initial_option"]["value"] == "-"
    assert forms.values(submitted(form, selected_option={"value": "-"})) == {}


def test_a_typed_mark_makes_no_secret() -> None:
    typed = forms.values(submitted(form_of(field(Kind.STRING)), value='{"make": "secret"}'))
    assert forms.made(typed) == {"it": '{"make": "secret"}'}


def test_a_hint_says_nothing_twice() -> None:
    one = field(Kind.STRING, "?", help="The name, such as al.", fault="“It” doesn't fit: The name, such as al.")
    (block, _) = blocks_of(form_of(one))
    assert block["hint"]["text"] == "“It” doesn't fit: The name, such as al."


def test_faults_are_told_at_their_fields() -> None:
    form = form_of(field(Kind.INTEGER, "x", fault="“It” takes a whole number."))
    assert forms.errors(form, HERE, ["p:it"]) == {
        "response_action": "errors",
        "errors": {"p:it": "“It” takes a whole number."},
    }


def test_a_fault_of_no_field_opens_the_form_anew() -> None:
    answer = forms.errors(form_of(field(Kind.STRING), note="“x” is not a parameter."), HERE, ["p:it"])
    assert answer["response_action"] == "update"
    assert view_faults(answer["view"]) == []


def test_the_reason_comes_along_and_the_place_is_remembered() -> None:
    view = submitted(form_of())
    assert view["state"]["values"].keys() == {"reason"}
    view = submitted(form_of(), value="she called")
    assert forms.reason(view) == "she called"
    assert forms.values(view) == {}
    assert meta(view) == Meta("C1", "act")


@pytest.mark.parametrize("verb", forms.ASKING)
def test_a_denial_asks_why_as_other_clicks_do(verb: Verb) -> None:
    view = forms.asking_view(verb, Meta("C1", "R-7"))
    assert view["callback_id"] == verb.value
    assert view_faults(view) == []
    assert [block["optional"] for block in view["blocks"] if block["type"] == "input"] == [False]
    state = {"values": {"comment": {"comment": {"type": "plain_text_input", "value": "not today"}}}}
    assert forms.comment({**view, "state": state}) == "not today"
    assert meta(view).subject == "R-7"


@pytest.mark.parametrize(
    "view", [{}, {"private_metadata": "x"}, {"private_metadata": "[]"}, {"private_metadata": '{"a":1}'}]
)
def test_a_view_that_is_not_deputys_is_refused(view: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        meta(view)


@given(st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)))
def test_R6_any_state_of_a_view_is_read_or_refused(state: Any) -> None:
    states = {"p:it": state, "l:x": {"a": state}, "pick:action": state}
    blocks = [{"type": "input", "block_id": "p:y", "element": state}, {"type": "input", "element": state}]
    views = [{"state": {"values": states}}, {"state": {"values": state}}, {"state": state}, {"blocks": state}]
    for view in (*views, {"blocks": blocks[:1]}, {"blocks": blocks}):
        for read in (forms.values, forms.held):
            assert isinstance(_unless_refused(read, view), dict)
        for read_words in (forms.reason, forms.comment, picked, typed_in):
            assert isinstance(_unless_refused(read_words, view), str | dict)


def _unless_refused(read: Callable[[dict[str, Any]], object], view: dict[str, Any]) -> object:
    """Return what is read, nothing where it is refused; any other error is a fault."""
    try:
        return read(view)
    except Invalid:
        return {}


def menu_of(*subjects: str) -> Card:
    items = tuple(Item(one, one.replace("-", " ").title(), f"Does {one}.") for one in subjects)
    return Card("What you may do", lead="Choose.", blocks=(Menu("Most used", items[:1]), Menu("All", items)))


def test_the_picker_groups_and_shows_nothing_twice() -> None:
    view = picker(menu_of("unlock-account", "disk-usage"), HERE)
    assert view_faults(view) == []
    (select,) = [block["element"] for block in view["blocks"] if block["type"] == "input"]
    assert [group["label"]["text"] for group in select["option_groups"]] == ["Most used", "All"]


def test_a_hundred_and_fifty_actions_are_searched() -> None:
    menu = menu_of(*(f"action-{n}" for n in range(150)))
    view = picker(menu, HERE)
    assert view_faults(view) == []
    assert [block["element"]["type"] for block in view["blocks"] if block["type"] == "input"] == [
        "external_select"
    ]
    answer = suggestions(menu, "action 149")
    assert [one["value"] for one in answer["options"]] == ["action-149"]
    assert options_faults(suggestions(menu, "")) == []


def test_what_was_picked_comes_back() -> None:
    state = {"values": {"pick:action": {"pick:action": {"selected_option": {"value": "unlock-account"}}}}}
    assert picked({"state": state}) == "unlock-account"
    with pytest.raises(Invalid):
        picked({"state": {"values": {}}})


def test_somebody_without_rights_is_told_so() -> None:
    view = picker(Card("Nothing you may do yet", lead="None of your groups gives you a role."), HERE)
    assert view_faults(view) == []
    assert "submit" not in view


HOW = Parameter("how", Kind.CHOICE, "How", choices=(Choice("lock", "Lock"), Choice("move", "Move")))
SURE = Parameter("sure", Kind.BOOLEAN, "Sure")
TO = Parameter("to", Kind.STRING, "Where to", required=True, when=(Condition("how", ("move",)),))
WHY = Parameter("why", Kind.SECRET, "Why", when=(Condition("sure", (True,)),))


def conditional(**values: Any) -> Form:
    held = [Field(one, values.get(one.name), choices=one.choices) for one in (HOW, SURE, TO, WHY)]
    return form_of(*held)


def ids(form: Form) -> list[str]:
    return [block["block_id"] for block in blocks_of(form)]


def test_a_form_shows_what_applies_and_tells_at_once_when_that_may_change() -> None:
    assert ids(conditional()) == ["p:how", "p:sure", "reason"]
    assert ids(conditional(how="move", sure=True)) == ["p:how", "p:sure", "p:to", "s:why", "reason"]
    told = {block["block_id"]: block.get("dispatch_action", False) for block in blocks_of(conditional(how="move"))}
    assert told == {"p:how": True, "p:sure": True, "p:to": False, "reason": False}
    assert view_faults(forms.view(conditional(how="move", sure=True), HERE)) == []


def test_what_an_open_form_holds_is_read_with_what_nobody_has_touched_yet() -> None:
    view = forms.view(conditional(how="move", sure=True, to="Berlin"), HERE)
    assert forms.held(view) == {"how": "move", "sure": "yes", "to": "Berlin", "why": None}
    chosen = {"type": "static_select", "selected_option": {"value": "lock"}}
    emptied = {"type": "plain_text_input", "value": None}
    make = {"type": "radio_buttons", "selected_option": {"value": "new"}}
    states = {"p:how": {"p:how": chosen}, "p:to": {"p:to": emptied}, "s:why": {"s:why": make}}
    given = forms.held({**view, "state": {"values": states}})
    assert given == {"how": "lock", "sure": "yes", "to": None, "why": {"make": "secret"}}
    again = blocks_of(conditional(sure=True).holding(given))
    assert [block["block_id"] for block in again] == ["p:how", "p:sure", "s:why", "reason"]
    assert again[2]["element"]["initial_option"]["value"] == forms.MAKE


def test_a_fault_of_a_field_that_was_not_there_opens_the_form_anew() -> None:
    form = form_of(Field(HOW, "move", choices=HOW.choices), Field(TO, fault="“Where to” is needed."))
    answer = forms.errors(form, HERE, ["p:how", "reason"])
    assert answer["response_action"] == "update"
    assert "“Where to” is needed." in str(answer["view"])
    assert forms.errors(form, HERE, ["p:how", "p:to"])["response_action"] == "errors"


def shaped(view: dict[str, Any], **chosen: str) -> dict[str, Any]:
    """Return the form as `_shape` shows it anew after a choice in it, read from what Slack then delivers."""
    options = {
        name: {"": {"type": "static_select", "selected_option": {"value": value}}}
        for name, value in chosen.items()
    }
    states = {f"p:{name}": state for name, state in options.items()}
    values = {**meta(view).aside, **forms.held({**view, "state": {"values": states}})}
    return forms.view(conditional().holding(values), meta(view))


def test_what_was_typed_into_a_field_is_there_again_when_the_field_is() -> None:
    begun = forms.view(conditional(how="move", to="Berlin"))
    hidden = shaped(begun, how="lock")
    assert "p:to" not in blocks_of_view(hidden)
    back = shaped(hidden, how="move")
    assert blocks_of_view(back)["p:to"]["element"]["initial_value"] == "Berlin"


def test_what_is_hidden_is_kept_as_far_as_slack_has_room_and_no_secret_is() -> None:
    form = conditional(how="lock", to="x" * 2_900, why="secret")
    kept = forms.view(form, Meta("C1", words="é" * 10))["private_metadata"]
    assert len(kept) <= 3_000
    assert meta({"private_metadata": kept}).aside == {"to": "x" * 2_900}
    long = forms.view(conditional(how="lock", to="x" * 3_000))
    assert meta(long).aside == {}
    assert "secret" not in kept


def blocks_of_view(view: dict[str, Any]) -> dict[str, Any]:
    return {block["block_id"]: block for block in view["blocks"] if "block_id" in block}
