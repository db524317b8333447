"""What every policy promises: a new one is one more factory in POLICIES."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.core.action import Risk
from bot.core.decision import MOST_APPROVALS, Deny, NeedsApproval, Permit
from bot.core.errors import Invalid
from bot.policy.cedar import CedarPolicy
from bot.ports import Policy
from tests.unit.policy.samples import SHIPPED, about, action, agent, ask, catalog, person

POLICIES: dict[str, Callable[[Path], Policy]] = {"cedar": CedarPolicy}
ROLES = ("helpdesk", "manager", "oncall", "engineer")


@pytest.fixture(params=POLICIES.values(), ids=list(POLICIES))
def make(request: pytest.FixtureRequest) -> Callable[[Path], Policy]:
    """Return what makes a policy of a folder."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def policy(make: Callable[[Path], Policy]) -> Policy:
    """Return a policy over the shipped rules."""
    return make(SHIPPED)


def test_the_version_is_a_hash_that_stays(policy: Policy, make: Callable[[Path], Policy]) -> None:
    assert len(bytes.fromhex(policy.version())) == 32
    assert make(SHIPPED).version() == policy.version()


def test_every_decision_has_a_reason_in_words(policy: Policy) -> None:
    for role in ROLES:
        for one in catalog():
            decision = policy.decide(ask(person(role), one))
            assert decision.reasons
            assert all(reason.policy and reason.sentence for reason in decision.reasons)


def test_approvals_asked_for_can_be_given_by_somebody_else(policy: Policy) -> None:
    asked = [ask(person(role), one) for role in ROLES for one in catalog()]
    found = [(question, policy.decide(question)) for question in asked]
    needing = [(question, decision) for question, decision in found if isinstance(decision, NeedsApproval)]
    assert needing
    for question, decision in needing:
        assert 1 <= decision.count <= MOST_APPROVALS
        for role in decision.roles:
            assert isinstance(policy.may_approve(person(role, oid="other"), question), Permit)


def test_roles_a_deny_names_could_do_it(policy: Policy) -> None:
    for one in catalog():
        decision = policy.decide(ask(person(), one))
        assert isinstance(decision, Deny)
        assert decision.roles
        for role in ROLES:
            could = not isinstance(policy.decide(ask(person(role), one)), Deny)
            assert could == (role in decision.roles)


@pytest.mark.parametrize("role", ROLES)
def test_P1_nobody_approves_their_own(policy: Policy, role: str) -> None:
    for one in catalog():
        assert isinstance(policy.may_approve(person(role), ask(person(role), one)), Deny)


@pytest.mark.parametrize("role", ROLES)
def test_M2_an_agent_never_runs_alone_and_never_approves(policy: Policy, role: str) -> None:
    for one in catalog():
        assert not isinstance(policy.decide(ask(agent(role), one)), Permit)
        assert isinstance(policy.may_approve(agent(role), ask(person("helpdesk"), one)), Deny)


@pytest.mark.parametrize("role", ROLES)
def test_what_is_not_classified_never_runs(policy: Policy, role: str) -> None:
    for category in ("accounts", "operations"):
        odd = action("odd", category, Risk.UNCLASSIFIED)
        assert isinstance(policy.decide(ask(person(role), odd)), Deny)


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_never_hides_what_is_allowed(policy: Policy, role: str) -> None:
    menu = policy.menu(about(person(role)), catalog())
    for one in catalog():
        allowed = not isinstance(policy.decide(ask(person(role), one, {"account": "alice"})), Deny)
        assert not allowed or not isinstance(menu[one.id], Deny)


def test_groups_give_roles(policy: Policy) -> None:
    assert policy.roles([]) == frozenset()
    assert policy.roles(["11111111-0000-4000-8000-000000000004"]) == {"engineer"}
    assert policy.role("engineer").title == "Engineers"


def test_D4_a_folder_that_cannot_be_read_denies_and_has_no_version(
    make: Callable[[Path], Policy], tmp_path: Path
) -> None:
    policy = make(tmp_path / "nowhere")
    question = ask(person("helpdesk"), action("unlock-account"))
    assert isinstance(policy.decide(question), Deny)
    assert isinstance(policy.may_approve(person("manager", oid="other"), question), Deny)
    assert isinstance(policy.menu(about(person("helpdesk")), [question.action])["unlock-account"], Deny)
    with pytest.raises(Invalid):
        policy.version()
