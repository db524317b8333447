"""Answers are given again only where nothing they depend on is another."""

from pathlib import Path

import pytest

from bot.core.decision import Deny, Permit
from bot.core.parameter import Kind, Parameter
from bot.policy import judge
from bot.policy.cedar import CedarPolicy
from tests.unit.policy.samples import PERMIT_ALL, action, agent, ask, folder, person

FLAG = 'context.arguments.flags.hasTag("now") && context.arguments.flags.getTag("now")'


def rule(when: str) -> str:
    """Return one policy on running, for everybody."""
    head = '@id("rule") @reason("rule") permit (principal, action == Deputy::Action::"run", resource)'
    return f"{head} when {{ {when} }};"


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return a list that grows with every question put to Cedar."""
    heard: list[object] = []

    class Counting(judge.Hearing):
        def decision(self) -> object:  # type: ignore[override]
            heard.append(self)
            return super().decision()

    monkeypatch.setattr(judge, "Hearing", Counting)
    return heard


def test_the_same_question_is_put_once(tmp_path: Path, heard: list[object]) -> None:
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL))
    answers = [policy.decide(ask(person("engineer"), action("x"), {"a": ("1", "2")})) for _ in range(3)]
    assert answers == [Permit(answers[0].reasons)] * 3
    assert len(heard) == 1


def test_a_question_that_differs_in_anything_is_another(tmp_path: Path, heard: list[object]) -> None:
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL))
    questions = [
        ask(person("engineer"), action("x")),
        ask(person("helpdesk"), action("x")),
        ask(agent("engineer", oid="ann"), action("x")),
        ask(person("engineer"), action("y")),
        ask(person("engineer"), action("x", "operations")),
        ask(person("engineer"), action("x", credentials={"a": "vault:b"})),
    ]
    for question in questions:
        policy.decide(question)
    assert len(heard) == len(questions)


NAMED = (
    PERMIT_ALL
    + """
@id("not-bob") @reason("Not bob.")
forbid (principal == Deputy::Person::"acme/bob", action == Deputy::Action::"run", resource);
"""
)
ASKER = (
    PERMIT_ALL
    + """
@id("asker") @reason("asker")
permit (principal, action == Deputy::Action::"approve", resource)
when { context has requester && context.requester == Deputy::Person::"acme/eve" };
"""
)


@pytest.mark.parametrize(("policies", "count"), [(PERMIT_ALL, 1), (NAMED, 2), (ASKER, 3)])
def test_who_asks_makes_another_question_only_where_a_policy_tells_them_apart(
    tmp_path: Path, heard: list[object], policies: str, count: int
) -> None:
    policy = CedarPolicy(folder(tmp_path, policies))
    for who in ("ann", "bob", "cleo"):
        decision = policy.decide(ask(person("engineer", oid=who), action("x")))
        assert isinstance(decision, Deny if (policies, who) == (NAMED, "bob") else Permit)
    assert len(heard) == count


def test_arguments_make_another_question_only_where_a_policy_reads_them(
    tmp_path: Path, heard: list[object]
) -> None:
    values = ({"now": 1}, {"now": True}, {"now": "1"}, {"b": "1"})
    questions = [ask(person(), action("x"), given) for given in values]
    unread = CedarPolicy(folder(tmp_path / "unread", PERMIT_ALL))
    for question in questions:
        unread.decide(question)
    assert len(heard) == 1
    reading = CedarPolicy(folder(tmp_path / "read", rule(FLAG)))
    for question in questions:
        reading.decide(question)
    assert len(heard) == 1 + len(questions)


def test_what_can_not_be_judged_is_denied_though_no_policy_reads_it(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL))
    assert isinstance(policy.decide(ask(person(), action("x"), {"a": 1})), Permit)
    for given in ({"a": 2**70}, {"a": "\ud800"}, {"a": 1.5}, {"a": ("1", 2)}):
        assert isinstance(policy.decide(ask(person(), action("x"), given)), Deny)


def test_true_is_not_taken_for_one(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule(FLAG)))
    assert isinstance(policy.decide(ask(person(), action("x"), {"now": True})), Permit)
    assert isinstance(policy.decide(ask(person(), action("x"), {"now": 1})), Deny)


@pytest.mark.parametrize(
    "when", ["context.hour < 24", "context.weekday > 0", 'context.now > datetime("2020-01-01")']
)
def test_where_a_policy_looks_at_the_time_every_question_is_put(
    tmp_path: Path, heard: list[object], when: str
) -> None:
    policy = CedarPolicy(folder(tmp_path, rule(when)))
    for _ in range(2):
        assert isinstance(policy.decide(ask(person(), action("x"))), Permit)
    assert len(heard) == 2


def test_no_question_with_a_secret_is_kept(tmp_path: Path, heard: list[object]) -> None:
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL))
    secret = action("x", parameters=(Parameter("code", Kind.SECRET, "Code"),))
    for _ in range(2):
        policy.decide(ask(person(), secret, {"code": "hunter2hunter2"}))
    assert len(heard) == 2


DAYS = 'context.arguments.numbers.hasTag("days") && context.arguments.numbers.getTag("days") >= 365'


def test_only_the_arguments_that_a_policy_names_make_another_question(tmp_path: Path, heard: list[object]) -> None:
    policy = CedarPolicy(folder(tmp_path, rule(DAYS)))
    for path in ("/a", "/b", "/c"):
        assert isinstance(policy.decide(ask(person(), action("x"), {"path": path, "days": 400})), Permit)
    assert len(heard) == 1
    assert isinstance(policy.decide(ask(person(), action("x"), {"path": "/a", "days": 300})), Deny)
    assert isinstance(policy.decide(ask(person(), action("x"), {"path": "/a"})), Deny)
    assert len(heard) == 3


@pytest.mark.parametrize(
    "when",
    ["context.arguments.texts.hasTag(resource.target)", "context.arguments.texts != context.arguments.folded"],
)
def test_where_a_policy_may_look_at_any_argument_all_of_them_count(
    tmp_path: Path, heard: list[object], when: str
) -> None:
    policy = CedarPolicy(folder(tmp_path, rule(when)))
    for name in ("a", "b"):
        policy.decide(ask(person(), action("x"), {name: "1"}))
    assert len(heard) == 2
