"""Finding an action by what people type."""

from typing import Any

import pytest

from bot.core.action import Action, Risk, Script
from bot.core.catalog import Catalog
from bot.core.errors import Invalid
from bot.core.parameter import Kind, Parameter


def action(name: str, **more: Any) -> Action:
    script = Script(f"{name}.py", b"pass")
    return Action(name, "things", f"things/{name}.toml", name, "", Risk.READ, script, **more)


NAMES = ["unlock-account", "lock-account", "restart-service", "disk-usage"]
CATALOG = Catalog(
    {name: action(name) for name in NAMES}, {"broken": Invalid("It is empty.", "things/broken.toml")}
)


@pytest.mark.parametrize("typed", ["unlock-account", "Unlock_Account", " UNLOCK-ACCOUNT "])
def test_case_and_underscores_make_no_difference(typed: str) -> None:
    assert CATALOG.get(typed) is CATALOG.actions["unlock-account"]


@pytest.mark.parametrize("typed", ["", "unlock", "unlock account", "broken", "../unlock-account"])
def test_what_is_no_action_is_none(typed: str) -> None:
    assert CATALOG.get(typed) is None


def test_a_catalogue_lists_what_loaded_and_not_what_is_broken() -> None:
    assert [one.id for one in CATALOG] == NAMES
    assert len(CATALOG) == 4


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("unlock-acount", "unlock-account"),
        ("Unlock_Acc", "unlock-account"),
        ("restart", "restart-service"),
        ("usage", "disk-usage"),
    ],
)
def test_what_somebody_may_have_meant_comes_first(typed: str, first: str) -> None:
    assert CATALOG.similar(typed, NAMES)[0] == first


@pytest.mark.parametrize("typed", ["unlock", "unlok", "unl"])
def test_an_action_that_is_begun_comes_before_a_verb_that_is_like_it(typed: str) -> None:
    assert CATALOG.similar(typed, [*NAMES, "unlink"])[0] == "unlock-account"


def test_only_what_somebody_may_see_is_suggested() -> None:
    assert CATALOG.similar("unlock-acount", ["lock-account"]) == ["lock-account"]
    assert CATALOG.similar("unlock-acount", []) == []
    assert CATALOG.similar("zzzz", NAMES) == []


def test_three_are_suggested_at_most_and_each_once() -> None:
    names = [f"unlock-{number}" for number in range(9)]
    found = CATALOG.similar("unlock", names)
    assert len(found) == len(set(found)) == 3


def test_an_action_knows_its_parameters_and_which_are_secret() -> None:
    parameters = (Parameter("account", Kind.STRING, "Account"), Parameter("token", Kind.SECRET, "Token"))
    one = action("one", parameters=parameters)
    assert one.parameter("account") is parameters[0]
    assert one.parameter("Account") is None
    assert one.secrets == {"token"}
