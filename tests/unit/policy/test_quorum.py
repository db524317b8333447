"""Approvals by people of named roles: one seat a person, the fewest first, and the policies have the last word."""

from collections.abc import Sequence
from datetime import datetime
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.decision import MOST_APPROVALS, Decision, Deny, NeedsApproval, Permit
from bot.core.principal import Principal
from bot.policy.cedar import CedarPolicy
from bot.policy.quorum import ways
from bot.ports import Question
from tests.unit.policy.samples import NOW, about, action, folder, person

RUN = 'action == Deputy::Action::"run", resource'
APPROVE = 'permit (principal in Deputy::Role::"{0}", action == Deputy::Action::"approve", resource){1};'
BOTH = 'context.approvedBy.containsAll([Deputy::Role::"manager", Deputy::Role::"engineer"])'
EITHER = 'context.approvedBy.containsAny([Deputy::Role::"manager", Deputy::Role::"engineer"])'

roles = st.frozensets(st.sampled_from(["manager", "engineer", "oncall"]))
sittings = st.lists(roles, max_size=4)


def policy(path: Path, when: str, approvers: Sequence[str] = ("manager", "engineer", "oncall")) -> CedarPolicy:
    """Return a policy that lets anybody run with approvals, which some roles may give."""
    texts = [f'@id("run") permit (principal, {RUN}) when {{ {when} }};']
    texts += [f'@id("{role}s-approve") {APPROVE.format(role, "")}' for role in approvers]
    return CedarPolicy(folder(path, *texts))


def decided(policy: CedarPolicy, *approvers: frozenset[str], asker: Principal | None = None) -> Decision:
    return policy.decide(Question(asker or person(), action("x"), {}, "chat", NOW, approvers=approvers))


def one(*held: str) -> frozenset[str]:
    return frozenset(held)


def test_one_of_each_role_is_two_persons(tmp_path: Path) -> None:
    both = policy(tmp_path, BOTH)
    asked = decided(both)
    assert isinstance(asked, NeedsApproval)
    assert (asked.count, asked.seats) == (2, ("engineer", "manager"))
    assert decided(both, one("manager")).seats == ("engineer",)  # type: ignore[union-attr]
    assert isinstance(decided(both, one("manager"), one("engineer")), Permit)


def test_somebody_who_holds_both_roles_takes_one_seat(tmp_path: Path) -> None:
    both = policy(tmp_path, BOTH)
    alone = decided(both, one("manager", "engineer"))
    assert isinstance(alone, NeedsApproval)
    assert (alone.count, len(alone.seats)) == (2, 1)
    assert isinstance(decided(both, one("manager", "engineer"), one("manager")), Permit)
    assert isinstance(decided(both, one("manager", "engineer"), one("oncall")), NeedsApproval)


def test_two_of_the_same_role_still_lack_the_other(tmp_path: Path) -> None:
    asked = decided(policy(tmp_path, BOTH), one("manager"), one("manager"))
    assert isinstance(asked, NeedsApproval)
    assert (asked.count, asked.seats) == (3, ("engineer",))


def test_either_of_two_roles_is_enough_whichever_comes(tmp_path: Path) -> None:
    either = policy(tmp_path, EITHER)
    assert decided(either).count == 1  # type: ignore[union-attr]
    assert isinstance(decided(either, one("manager")), Permit)
    assert isinstance(decided(either, one("engineer")), Permit)
    assert isinstance(decided(either, one("oncall")), NeedsApproval)


def test_a_number_and_a_role_go_together(tmp_path: Path) -> None:
    three = policy(tmp_path, f"context.approvals >= 3 && {BOTH}")
    asked = decided(three)
    assert isinstance(asked, NeedsApproval)
    assert (asked.count, asked.seats) == (3, ("engineer", "manager"))
    assert isinstance(decided(three, one("manager"), one("engineer")), NeedsApproval)
    assert isinstance(decided(three, one("manager"), one("engineer"), one("oncall")), Permit)


def test_a_seat_that_nobody_may_take_denies(tmp_path: Path) -> None:
    assert isinstance(decided(policy(tmp_path, BOTH, approvers=["manager"])), Deny)


def test_without_named_roles_only_persons_are_counted(tmp_path: Path) -> None:
    two = policy(tmp_path, "context.approvals >= 2")
    assert decided(two).seats == ()  # type: ignore[union-attr]
    assert isinstance(decided(two, one()), NeedsApproval)
    assert isinstance(decided(two, one(), one()), Permit)


def test_the_menu_knows_of_the_seats(tmp_path: Path) -> None:
    menu = policy(tmp_path, BOTH).menu(about(person()), [action("x")])
    assert menu["x"].count == 2  # type: ignore[union-attr]


def test_who_may_decide_after_most_of_the_time_is_told_only_then(tmp_path: Path) -> None:
    texts = (
        f'@id("run") permit (principal, {RUN}) when {{ context.approvals >= 1 }};',
        f'@id("managers") {APPROVE.format("manager", "")}',
        f'@id("engineers-later") {APPROVE.format("engineer", " when { context.escalated }")}',
    )
    later = CedarPolicy(folder(tmp_path, *texts))
    question = Question(person(), action("x"), {}, "chat", NOW)
    escalated = Question(person(), action("x"), {}, "chat", NOW, escalated=True)
    engineer = person("engineer", oid="eva")
    assert isinstance(later.may_approve(engineer, question), Deny)
    assert isinstance(later.may_approve(engineer, escalated), Permit)
    assert later.decide(question).roles == ("manager",)  # type: ignore[union-attr]
    assert later.decide(escalated).roles == ("manager", "engineer")  # type: ignore[union-attr]


def test_P12_who_stands_in_needs_a_rule_that_says_so(tmp_path: Path) -> None:
    texts = (
        f'@id("managers") {APPROVE.format("manager", "")}',
        f'@id("stand-ins") {APPROVE.format("engineer", " when { context.delegated }")}',
        f'@id("run") permit (principal, {RUN}) when {{ context.approvals >= 1 }};',
    )
    standing_in = CedarPolicy(folder(tmp_path, *texts))
    question = Question(person(), action("x"), {}, "chat", NOW, delegated=True)
    assert isinstance(standing_in.may_approve(person("engineer", oid="eva"), question), Permit)
    assert isinstance(standing_in.may_approve(person("oncall", oid="olu"), question), Deny)


@given(sittings)
def test_both_seats_are_taken_exactly_where_two_persons_can_take_them(sitting: list[frozenset[str]]) -> None:
    seats = {"manager", "engineer"}
    enough = [way for way in ways((0,), sitting, seats) if not way.seats and way.count == len(sitting)]
    taken = any(seats <= set(chosen) for chosen in product(*([*held, ""] for held in sitting)))
    assert (frozenset(seats) in {way.roles for way in enough}) == taken


@given(sittings, st.frozensets(st.integers(0, MOST_APPROVALS), min_size=1))
def test_ways_come_cheapest_first_and_never_take_back_what_was_given(
    sitting: list[frozenset[str]], counts: frozenset[int]
) -> None:
    found = ways(counts | {0}, sitting, {"manager", "engineer"})
    costs = [(way.count, len(way.seats)) for way in found]
    assert costs == sorted(costs)
    assert costs[0] == (len(sitting), 0)
    assert all(way.count >= len(sitting) + len(way.seats) for way in found)
    assert len({(way.count, way.roles) for way in found}) == len(found)


@pytest.mark.parametrize("when", ["context.approvedBy.isEmpty()", "context.approvals >= 1"])
def test_a_policy_that_names_no_role_asks_for_no_seat(tmp_path: Path, when: str) -> None:
    decision = decided(policy(tmp_path, when))
    assert not isinstance(decision, NeedsApproval) or decision.seats == ()


def test_what_is_refused_by_the_hour_says_from_when_on_it_opens(tmp_path: Path) -> None:
    early = CedarPolicy(folder(tmp_path, f'@id("early") permit (principal, {RUN}) when {{ context.hour < 7 }};'))
    question = Question(person(), action("x"), {}, "chat", NOW)
    assert isinstance(early.decide(question), Deny)
    assert early.opens(question) == NOW.replace(day=NOW.day + 1, hour=0)


def test_what_nobody_may_approve_opens_at_no_hour(tmp_path: Path) -> None:
    alone = policy(tmp_path, "context.approvals >= 1", approvers=[])
    question = Question(person(), action("x"), {}, "chat", NOW)
    assert isinstance(alone.decide(question), Deny)
    assert alone.opens(question) is None


def test_what_is_approved_by_the_hour_opens_when_somebody_may_approve_it(tmp_path: Path) -> None:
    run = f'@id("run") permit (principal, {RUN}) when {{ context.approvals >= 1 }};'
    early = APPROVE.format("manager", " when { context.hour < 7 }")
    policy = CedarPolicy(folder(tmp_path, run, f'@id("early") {early}'))
    question = Question(person(), action("x"), {}, "chat", NOW)
    assert policy.opens(question) == NOW.replace(day=NOW.day + 1, hour=0)


@pytest.mark.parametrize(
    ("until", "opens"),
    [
        ("2026-11-24", "2026-11-25T08:00"),
        ("2026-12-30", "2026-12-31T08:00"),
        ("2026-12-30T16:30:00Z", "2026-12-30T16:30"),
    ],
)
def test_what_a_freeze_closes_opens_in_business_hours_after_it_however_long_it_is(
    tmp_path: Path, until: str, opens: str
) -> None:
    calendar = (
        'business_hours = ["08:00", "18:00"]\n[[freeze]]\nname = "Rest"\nfrom = 2026-11-20\nreason = "Rest."\n'
    )
    texts = {"a__cedar": f'@id("a") permit (principal, {RUN}) when {{ context.businessHours }};'}
    texts["b__cedar"] = (
        f'@id("b") @reason("Changes rest.") forbid (principal, {RUN}) when {{ context has freeze }};'
    )
    frozen = CedarPolicy(folder(tmp_path, **texts, calendar__toml=f"{calendar}until = {until}\n"))
    question = Question(person(), action("x"), {}, "chat", NOW)
    assert isinstance(frozen.decide(question), Deny)
    assert frozen.opens(question) == datetime.fromisoformat(f"{opens}+00:00")


def test_what_no_hour_opens_says_none(tmp_path: Path) -> None:
    never = CedarPolicy(folder(tmp_path, f'@id("never") permit (principal in Deputy::Role::"oncall", {RUN});'))
    assert never.opens(Question(person(), action("x"), {}, "chat", NOW)) is None
