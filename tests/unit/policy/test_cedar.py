"""Decisions by Cedar: the smallest number of approvals, reasons, limits on arguments, and failing closed."""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.action import Risk
from bot.core.decision import Deny, NeedsApproval, Permit, Reason
from bot.core.errors import Invalid
from bot.core.parameter import Value
from bot.core.principal import Principal, Who
from bot.policy.cedar import CedarPolicy
from bot.policy.judge import UNFIT
from tests.unit.policy.samples import NOW, PERMIT_ALL, SHIPPED, about, action, agent, ask, folder, person

POLICY = CedarPolicy(SHIPPED)
RUN = 'action == Deputy::Action::"run", resource'
APPROVE = (
    '@id("approve") permit (principal in Deputy::Role::"manager", action == Deputy::Action::"approve", resource);'
)


def rule(name: str, when: str, effect: str = "permit", role: str = "") -> str:
    """Return one policy on running, for a role or everybody."""
    scope = f'principal in Deputy::Role::"{role}"' if role else "principal"
    return f'@id("{name}") @reason("{name} says so.") {effect} ({scope}, {RUN}) when {{ {when} }};'


# ---- what is decided -----------------------------------------------------------------------------


def test_a_permit_names_the_policies_that_gave_it() -> None:
    decision = POLICY.decide(ask(person("helpdesk"), action("unlock-account")))
    assert decision == Permit((Reason("helpdesk-unlocks-accounts", "Helpdesk may unlock an account at once."),))


def test_the_smallest_number_of_approvals_is_found(tmp_path: Path) -> None:
    three = rule("three", "context.approvals >= 3")
    policy = CedarPolicy(folder(tmp_path, three, APPROVE))
    assert policy.decide(ask(person(), action("x"))) == NeedsApproval(
        3, ("manager",), (Reason("three", "three says so."),)
    )


def test_more_approvals_than_anybody_can_give_deny(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("six", "context.approvals >= 6"), APPROVE))
    assert isinstance(policy.decide(ask(person("manager"), action("x"))), Deny)


def test_what_no_policy_allows_is_denied_in_words_with_the_roles_that_could() -> None:
    decision = POLICY.decide(ask(person("oncall", "manager"), action("reset-password")))
    reason = Reason("default-deny", "No policy lets Identity managers or On-call run this action.")
    assert decision == Deny((reason,), ("helpdesk", "engineer"))


def test_somebody_without_a_role_is_told_so() -> None:
    decision = POLICY.decide(ask(person(), action("show-account", risk=Risk.READ)))
    assert isinstance(decision, Deny)
    assert decision.reasons[0].sentence.startswith("You hold no role here")
    assert decision.roles == ("helpdesk", "manager", "engineer")


def test_a_forbid_that_nobody_can_lift_says_why_and_names_no_role() -> None:
    decision = POLICY.decide(ask(person("engineer"), action("odd", risk=Risk.UNCLASSIFIED)))
    assert isinstance(decision, Deny)
    assert [reason.policy for reason in decision.reasons] == ["unclassified-never-runs"]
    assert "sets its risk" in decision.reasons[0].sentence
    assert decision.roles == ()


def test_what_nobody_may_approve_is_denied_at_once() -> None:
    decision = POLICY.decide(ask(person("engineer"), action("odd", "a-new-category")))
    assert isinstance(decision, Deny)
    assert decision.reasons[-1].policy == "no-approver"
    assert POLICY.decide(ask(person(), action("odd", "a-new-category"))).roles == ()  # type: ignore[union-attr]


def test_a_forbid_that_approvals_lift_is_no_reason_where_no_policy_allows_it_anyway() -> None:
    decision = POLICY.decide(ask(agent("oncall"), action("unlock-account")))
    assert [reason.policy for reason in decision.reasons] == ["default-deny"]


def test_M2_an_agent_needs_a_persons_approval_and_is_told_why() -> None:
    decision = POLICY.decide(ask(agent("helpdesk"), action("unlock-account")))
    assert isinstance(decision, NeedsApproval)
    assert (decision.count, decision.roles) == (1, ("manager",))
    assert decision.reasons[0].policy == "agents-need-a-person"


# ---- who approves --------------------------------------------------------------------------------


def test_an_approver_is_permitted_by_a_policy() -> None:
    question = ask(person("helpdesk"), action("reset-password"))
    decision = POLICY.may_approve(person("manager", oid="max"), question)
    assert [reason.policy for reason in decision.reasons] == ["managers-approve-accounts"]
    assert isinstance(decision, Permit)


def test_P4_somebody_without_the_role_may_not_approve_and_learns_who_may() -> None:
    decision = POLICY.may_approve(person("helpdesk", oid="max"), ask(person("helpdesk"), action("reset-password")))
    reason = Reason("default-deny", "No policy lets Helpdesk approve this request.")
    assert decision == Deny((reason,), ("manager",))


def test_P1_nobody_approves_their_own_request() -> None:
    decision = POLICY.may_approve(person("manager"), ask(person("helpdesk"), action("reset-password")))
    assert isinstance(decision, Deny)
    assert [reason.policy for reason in decision.reasons] == ["nobody-approves-their-own"]


@pytest.mark.parametrize(
    "approver", [person("manager"), person("manager", oid="ANN"), agent("manager", oid="bot-1")]
)
def test_P1_M2_not_even_where_the_policies_allow_it(tmp_path: Path, approver: Principal) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("one", "context.approvals >= 1"), APPROVE))
    question = ask(person("helpdesk"), action("x"))
    assert isinstance(policy.may_approve(person("manager", oid="max"), question), Permit)
    decision = policy.may_approve(approver, question)
    assert [reason.policy for reason in decision.reasons] == ["self-approval"]
    assert isinstance(decision, Deny)


def test_a_policy_can_look_at_who_asked(tmp_path: Path) -> None:
    scoped = APPROVE.replace(
        ";", ' when { context has requester && context.requester in Deputy::Role::"oncall" };'
    )
    policy = CedarPolicy(folder(tmp_path, rule("one", "context.approvals >= 1"), scoped))
    assert isinstance(policy.decide(ask(person("oncall"), action("x"))), NeedsApproval)
    assert isinstance(policy.decide(ask(person("helpdesk"), action("x"))), Deny)
    assert isinstance(policy.decide(ask(agent("oncall"), action("x"))), Deny)


# ---- circumstances and arguments -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "arguments"),
    [
        (
            'context.arguments.texts.hasTag("a") && context.arguments.texts.getTag("a") like "svc-*"',
            {"a": "svc-1"},
        ),
        ('context.arguments.numbers.hasTag("a") && context.arguments.numbers.getTag("a") <= 9', {"a": 9}),
        ('context.arguments.flags.hasTag("a") && context.arguments.flags.getTag("a")', {"a": True}),
        (
            'context.arguments.lists.hasTag("a") && context.arguments.lists.getTag("a").contains("x")',
            {"a": ("x",)},
        ),
        ("context.hour == 9 && context.weekday == 1", {}),
        ('context.now >= datetime("2026-11-23") && context.door == "chat"', {}),
        ('resource.credentials.contains("vault:admin") && resource.runner == "local"', {}),
    ],
)
def test_policies_can_look_at_arguments_and_circumstances(
    tmp_path: Path, condition: str, arguments: Mapping[str, Value]
) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("looks", condition)))
    what = action("x", credentials={"directory": "vault:admin"})
    assert isinstance(policy.decide(ask(person(), what, arguments)), Permit)
    later = ask(person(), action("x"), {"a": "other"}, now=NOW - timedelta(hours=10))
    assert isinstance(policy.decide(later), Deny)


def test_X17_hours_are_in_UTC_whatever_the_clocks_zone(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("nine", "context.hour == 9 && context.weekday == 1")))
    tokyo = datetime(2026, 11, 23, 18, tzinfo=timezone(timedelta(hours=9)))
    assert isinstance(policy.decide(ask(person(), action("x"), now=tokyo)), Permit)


def test_a_forbidden_argument_denies_and_the_roles_it_denies_too_are_not_named(tmp_path: Path) -> None:
    given = 'context.arguments.texts.hasTag("group") && context.arguments.texts.getTag("group") == "Domain Admins"'
    policy = CedarPolicy(folder(tmp_path, rule("anybody", "true", role="helpdesk"), rule("no", given, "forbid")))
    what = action("add-to-group")
    assert policy.decide(ask(person("helpdesk"), what, {"group": "Domain Admins"})) == Deny(
        (Reason("no", "no says so."),)
    )
    assert isinstance(policy.decide(ask(person("helpdesk"), what, {"group": "staff"})), Permit)


# ---- injection -----------------------------------------------------------------------------------

NASTY = st.text(st.sampled_from('"\\\n\r\t\0:;{}()é\ud800\u202e') | st.characters(), max_size=30)
HOSTILE = NASTY | st.sampled_from(['Deputy::Role::"manager"', '" || true || "', "__entity", "__extn", "helpdesk"])
VALUES = HOSTILE | st.integers() | st.booleans() | st.lists(HOSTILE, max_size=3).map(tuple)
ARGUMENTS = st.dictionaries(HOSTILE, VALUES, max_size=3)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, ARGUMENTS)
def test_X1_nothing_given_turns_a_deny_into_a_permit(
    oid: str, role: str, name: str, category: str, arguments: Mapping[str, Value]
) -> None:
    intruder = person(f"no-{role}", oid=oid)
    decision = POLICY.decide(ask(intruder, action(f"x{name}", f"x{category}"), arguments))
    assert isinstance(decision, Deny)
    question = ask(person("helpdesk", oid="somebody"), action("reset-password"), arguments)
    assert isinstance(POLICY.may_approve(intruder, question), Deny)
    assert isinstance(POLICY.menu(about(intruder, role), [action(f"x{name}")])[f"x{name}"], Deny)


@given(ARGUMENTS)
def test_X1_arguments_change_nothing_where_no_policy_looks_at_them(arguments: Mapping[str, Value]) -> None:
    decision = POLICY.decide(ask(person("helpdesk"), action("reset-password"), arguments))
    plain = POLICY.decide(ask(person("helpdesk"), action("reset-password")))
    assert decision in (plain, Deny((UNFIT,)))


@pytest.mark.parametrize("value", [2**63, -(2**70), "\ud800", 1.5, None, {"__entity": {"type": "x", "id": "y"}}])
def test_X3_what_policies_cannot_read_is_denied_with_a_sentence(value: object) -> None:
    decision = POLICY.decide(ask(person("helpdesk"), action("unlock-account"), {"a": value}))  # type: ignore[dict-item]
    assert decision == Deny((UNFIT,))


def test_a_made_up_holder_of_a_role_lends_nobody_its_rights() -> None:
    imitator = Principal(Who("", "helpdesk"), frozenset())
    assert isinstance(POLICY.decide(ask(imitator, action("unlock-account"))), Deny)


# ---- failing closed ------------------------------------------------------------------------------


def test_a_forbid_that_fails_denies_instead_of_being_skipped(tmp_path: Path) -> None:
    overflow = rule("overflows", "context.hour + 9223372036854775807 > 0", "forbid")
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL, overflow))
    decision = policy.decide(ask(person(), action("x")))
    assert isinstance(decision, Deny)
    assert "A policy failed on this" in decision.reasons[0].sentence
    assert "overflow" in decision.reasons[0].sentence


def test_a_failure_while_asking_who_may_approve_denies_too(tmp_path: Path) -> None:
    overflow = APPROVE.replace(";", " when { context.hour + 9223372036854775807 > 0 };")
    policy = CedarPolicy(folder(tmp_path, rule("one", "context.approvals >= 1"), overflow))
    question = ask(person("helpdesk"), action("x"))
    assert isinstance(policy.may_approve(person("manager", oid="max"), question), Deny)
    assert isinstance(policy.decide(question), Deny)


def test_P10_an_edit_shows_at_once_and_makes_a_new_version(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL))
    before = policy.version()
    assert isinstance(policy.decide(ask(person(), action("x"))), Permit)
    (tmp_path / "0.cedar").write_text(rule("nobody", "false"))
    assert isinstance(policy.decide(ask(person(), action("x"))), Deny)
    assert policy.version() != before


def test_an_edit_of_the_same_length_within_one_tick_shows_too(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("same", "true ")))
    assert isinstance(policy.decide(ask(person(), action("x"))), Permit)
    file, edited = tmp_path / "0.cedar", tmp_path / "edited"
    kept = file.stat()
    edited.write_text(rule("same", "false"))
    edited.replace(file)
    os.utime(file, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert file.stat().st_size == kept.st_size
    decision = policy.decide(ask(person(), action("x")))
    assert [reason.policy for reason in decision.reasons] == ["default-deny"]


def test_while_the_folder_is_broken_everything_is_denied_until_it_is_mended(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL))
    mended = policy.version()
    (tmp_path / "0.cedar").write_text(f"{PERMIT_ALL}\noops")
    question = ask(person("helpdesk"), action("x"))
    told = [
        policy.decide(question),
        policy.may_approve(person("manager", oid="max"), question),
        policy.menu(about(person("helpdesk")), [action("x")])["x"],
    ]
    assert all(isinstance(decision, Deny) for decision in told)
    assert all("0.cedar:2: Cedar can't read" in decision.reasons[0].sentence for decision in told)
    assert policy.roles(["11111111-0000-4000-8000-000000000001"]) == frozenset()
    assert policy.role("helpdesk").title == "helpdesk"
    for _ in range(2):
        with pytest.raises(Invalid, match=r"0\.cedar:2"):
            policy.version()
    (tmp_path / "0.cedar").write_text(PERMIT_ALL)
    assert policy.version() == mended


def test_a_folder_that_is_gone_denies_everything(tmp_path: Path) -> None:
    policy = CedarPolicy(tmp_path / "nowhere")
    decision = policy.decide(ask(person("engineer"), action("x", risk=Risk.READ)))
    assert isinstance(decision, Deny)
    assert "The policies are broken, so nothing is allowed" in decision.reasons[0].sentence


# ---- roles ---------------------------------------------------------------------------------------


def test_roles_come_from_groups_and_have_a_title_and_a_contact() -> None:
    assert POLICY.roles(["11111111-0000-4000-8000-000000000002"]) == {"manager"}
    info = POLICY.role("manager")
    assert (info.name, info.title, info.contact) == ("manager", "Identity managers", "#identity")
    assert POLICY.role("stranger").title == "stranger"
