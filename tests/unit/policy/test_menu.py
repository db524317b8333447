"""The menu: what somebody could do at best, for many actions at once."""

from pathlib import Path

import pytest

from bot.core.action import Action, Risk
from bot.core.decision import Deny, NeedsApproval, Permit
from bot.core.principal import Principal
from bot.policy import judge
from bot.policy.cedar import CedarPolicy
from tests.unit.policy.samples import PERMIT_ALL, SHIPPED, about, action, agent, ask, folder, person

GIVEN = 'context.arguments.numbers.hasTag("days") && context.arguments.numbers.getTag("days") < 9'


def rule(name: str, when: str, effect: str = "permit") -> str:
    """Return one policy on running, for everybody."""
    head = f'@id("{name}") @reason("{name}") {effect}'
    return f'{head} (principal, action == Deputy::Action::"run", resource) when {{ {when} }};'


def many() -> list[Action]:
    """Return 400 actions that differ in all but a few things policies look at."""
    kinds = [(category, risk) for category in ("accounts", "operations", "other") for risk in Risk]
    return [
        action(f"action-{number}", *kinds[number % len(kinds)], target=f"host-{number}", private=number % 2 == 0)
        for number in range(399)
    ] + [action("unlock-account")]


@pytest.mark.parametrize("who", [person("helpdesk"), person("oncall", "engineer"), person(), agent("engineer")])
def test_the_menu_decides_as_each_question_alone(who: Principal) -> None:
    policy = CedarPolicy(SHIPPED)
    menu = policy.menu(about(who), many())
    for one in many():
        decision = policy.decide(ask(who, one))
        at_best = isinstance(decision, NeedsApproval) and "oncall-removes-old-files" in str(menu[one.id])
        assert menu[one.id] == decision or at_best


def test_alike_actions_are_asked_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[object] = []

    class Counting(judge.Hearing):
        def decision(self) -> object:  # type: ignore[override]
            heard.append(self)
            return super().decision()

    monkeypatch.setattr(judge, "Hearing", Counting)
    policy = CedarPolicy(SHIPPED)
    policy.menu(about(person("helpdesk")), many())
    assert len(heard) == 13  # 3 categories × 4 risks, and unlock-account, which a policy names
    policy.menu(about(person("helpdesk", oid="somebody else")), many())
    assert len(heard) == 13


def test_an_action_that_some_argument_could_allow_is_on_the_menu(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("few", GIVEN)))
    assert isinstance(policy.menu(about(person()), [action("x")])["x"], Permit)
    assert isinstance(policy.decide(ask(person(), action("x"), {"days": 30})), Deny)


def test_an_action_that_only_some_argument_or_hour_forbids_is_on_the_menu(tmp_path: Path) -> None:
    forbids = rule("many", f"!({GIVEN})", "forbid"), rule("night", "context.hour < 24", "forbid")
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL, *forbids))
    assert isinstance(policy.menu(about(person()), [action("x")])["x"], Permit)


def test_what_does_not_depend_on_arguments_still_counts(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("few", f'resource.risk == "read" && {GIVEN}')))
    menu = policy.menu(about(person()), [action("x"), action("y", risk=Risk.READ)])
    assert isinstance(menu["x"], Deny)
    assert isinstance(menu["y"], Permit)


def test_attributes_a_policy_looks_at_tell_actions_apart(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("here", 'resource.target == "here"')))
    menu = policy.menu(about(person()), [action("x", target="here"), action("y", target="there")])
    assert isinstance(menu["x"], Permit)
    assert isinstance(menu["y"], Deny)


def test_people_a_policy_names_are_told_apart(tmp_path: Path) -> None:
    named = rule("ann", 'principal == Deputy::Person::"acme/ann"')
    policy = CedarPolicy(folder(tmp_path, named))
    assert isinstance(policy.menu(about(person(oid="ann")), [action("x")])["x"], Permit)
    assert isinstance(policy.menu(about(person(oid="bob")), [action("x")])["x"], Deny)


def test_doors_are_told_apart(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("chat", 'context.door == "chat"')))
    assert isinstance(policy.menu(about(person()), [action("x")])["x"], Permit)
    assert isinstance(policy.menu(about(person(), "api"), [action("x")])["x"], Deny)


def test_answers_are_not_kept_beyond_an_edit(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL))
    assert isinstance(policy.menu(about(person()), [action("x")])["x"], Permit)
    (tmp_path / "0.cedar").write_text(rule("none", "false"))
    assert isinstance(policy.menu(about(person()), [action("x")])["x"], Deny)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.policy.menu.MOST_KEPT", 3)
    policy = CedarPolicy(SHIPPED)
    for door in ("chat", "cli", "api", "schedule"):
        menu = policy.menu(about(person("helpdesk"), door), [action("x"), action("y", risk=Risk.READ)])
        assert isinstance(menu["x"], NeedsApproval)
        assert isinstance(menu["y"], Permit)
    assert len(policy._loaded().menu._kept) <= 3
