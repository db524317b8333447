"""Conditions of parameters in a .toml: what they may say, and every fault with its line and field."""

from pathlib import Path

import pytest

from bot.core.condition import Condition
from tests.unit.catalog.laying import folder, python, shell, told

MAIN = (
    "def main(how: Literal['lock', 'move'], sure: bool | None = None, days: int = 30, to: str | None = None,"
    " must: str = '', *, late: Literal['a', 'b'] = 'a', needed: str): ...\n"
)


def conditions(root: Path, name: str) -> tuple[Condition, ...]:
    found = folder(root).action("greet").parameter(name)
    assert found is not None
    return found.when


def test_a_parameter_can_hang_on_a_choice_and_on_a_boolean(tmp_path: Path) -> None:
    toml = """
        [parameters.days]
        when = { how = ["lock", "move"], sure = false }
        [parameters.to]
        required = true
        [parameters.to.when]
        how = "move"
    """
    python(tmp_path, toml=toml, main=MAIN)
    assert conditions(tmp_path, "days") == (Condition("how", ("lock", "move")), Condition("sure", (False,)))
    assert conditions(tmp_path, "to") == (Condition("how", ("move",)),)
    to = folder(tmp_path).action("greet").parameter("to")
    assert to is not None
    assert to.required


def test_a_shell_scripts_parameters_hang_on_those_above_them(tmp_path: Path) -> None:
    toml = """
        [parameters.how]
        choices = ["lock", "move"]
        [parameters.to]
        when = { how = "move" }
    """
    shell(tmp_path, toml=toml)
    assert conditions(tmp_path, "to") == (Condition("how", ("move",)),)


@pytest.mark.parametrize(
    ("name", "when", "words"),
    [
        ("to", '"move"', "“when” takes a table like { how = \"move\" }, not 'move'"),
        ("to", "{}", "“when” takes a table like"),
        ("to", '{ hwo = "move" }', "“when” names “hwo”, which is no parameter of this action; “how” may be meant"),
        ("to", '{ zzz = "move" }', "“when” names “zzz”, which is no parameter of this action; name one"),
        ("to", '{ late = "a" }', "“when” names “late”, which is declared after it; put that one first"),
        ("to", '{ to = "a" }', "“when” names “to” itself"),
        ("to", "{ days = 3 }", "“when” names “days”, of kind integer; only a choice or a boolean can decide"),
        ("to", '{ how = "burn" }', "“when” takes lock or move for “how”, not 'burn'"),
        ("to", '{ how = ["move", "burn"] }', "“when” takes lock or move for “how”, not 'burn'"),
        ("to", "{ how = [] }", "“when” names no value for “how”; it takes lock or move"),
        ("to", "{ how = true }", "“when” takes a list of texts"),
        ("to", '{ sure = "yes" }', "“when” takes true or false for “sure”, not 'yes'"),
        ("to", "{ sure = [true] }", "“when” takes true or false for “sure”"),
        (
            "needed",
            '{ how = "move" }',
            "“when” makes it apply only at times, but the script's main has no default",
        ),
    ],
)
def test_a_faulty_condition_is_told_with_its_line_and_name(
    tmp_path: Path, name: str, when: str, words: str
) -> None:
    python(tmp_path, toml=f"[parameters.{name}]\nwhen = {when}\n", main=MAIN)
    (fault,) = told(tmp_path)
    assert fault.startswith("people/greet.toml:4: ")
    assert words in fault


def test_two_that_hang_on_each_other_are_a_fault_at_the_first(tmp_path: Path) -> None:
    toml = """
        [parameters.one]
        kind = "boolean"
        when = { two = true }
        [parameters.two]
        kind = "boolean"
        when = { one = true }
    """
    shell(tmp_path, toml=toml)
    (fault,) = told(tmp_path)
    assert fault.startswith("people/greet.toml:6: “when” names “two”, which is declared after it")


def test_choices_of_a_query_decide_nothing_for_nobody_knows_them_here(tmp_path: Path) -> None:
    toml = """
        [parameters.how]
        choices_from = "other"
        [parameters.to]
        when = { how = "move" }
    """
    shell(tmp_path, toml=toml)
    shell(tmp_path, "other")
    (fault,) = told(tmp_path)
    assert "“when” names “how”, whose choices come from a query" in fault


def test_a_table_that_is_none_is_told_of_once(tmp_path: Path) -> None:
    shell(tmp_path, toml="[parameters]\nhow = 3\n")
    (fault,) = told(tmp_path)
    assert fault.startswith("people/greet.toml:4: “how” takes a table")


def test_on_a_broken_parameter_another_may_hang_without_a_second_fault(tmp_path: Path) -> None:
    python(tmp_path, toml="[parameters.to]\nwhen = { how = 'move' }\n", main="def main(how, to: str = ''): ...\n")
    (fault,) = told(tmp_path)
    assert fault.startswith("people/greet.py:1: “how” has no annotation")


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("locks = ['place:{to}']", "“locks” has 'place:{to}', which names “to”, which doesn't always apply"),
        (
            "verify = 'greet.verify.py'",
            "main takes “to”, which doesn't always apply; give it the default None there",
        ),
    ],
)
def test_what_does_not_always_apply_is_no_lock_and_not_needed_by_a_check(
    tmp_path: Path, toml: str, words: str
) -> None:
    when = "\n[parameters.to]\nrequired = true\nwhen = { how = 'move' }\n"
    python(tmp_path, "greet.verify", main="def main(to: str): ...\n")
    (tmp_path / "people/greet.verify.toml").unlink()
    python(tmp_path, toml=toml + when, main=MAIN)
    (fault,) = told(tmp_path)
    assert words in fault
