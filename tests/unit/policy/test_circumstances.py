"""What a decision may look at besides who and what: places, who is on call, incidents, emergencies."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.action import Action, Risk
from bot.core.decision import Decision, Deny, NeedsApproval, Permit, untold
from bot.core.errors import Invalid
from bot.core.parameter import Kind, Parameter
from bot.policy import judge
from bot.policy.cedar import CedarPolicy
from bot.policy.judge import Bench
from bot.ports import Situation
from tests.unit.policy.samples import PERMIT_ALL, SHIPPED, about, action, agent, ask, catalog, folder, person

SALES = 'Deputy::OU::"ou=Sales, dc=Example,dc=com"'
UNKNOWN = Situation(unknown=("Who is on call can't be learnt at the moment.",))


def rule(name: str, when: str, effect: str = "permit") -> str:
    """Return one policy on running, for everybody."""
    head = f'@id("{name}") @reason("{name}: {{incident}}") {effect}'
    return f'{head} (principal, action == Deputy::Action::"run", resource) when {{ {when} }};'


def move() -> Action:
    """Return an action that takes a distinguished name."""
    return action("move", parameters=(Parameter("account", Kind.DN, "Account"),))


# ---- places in the directory ---------------------------------------------------------------------

IN_SALES = f'context.arguments.names.hasTag("account") && context.arguments.names.getTag("account") in {SALES}'


@pytest.mark.parametrize(
    ("account", "inside"),
    [
        ("CN=Alice,OU=Sales,DC=example,DC=com", True),
        ("cn=alice , ou=Inside,OU=SALES,dc=example,dc=COM", True),
        ("OU=Sales,DC=example,DC=com", True),
        ("CN=x,2.5.4.11=#0c0553616c6573,DC=example,DC=com", True),
        ("CN=Alice,OU=Finance,DC=example,DC=com", False),
        ("CN=Alice\\,OU\\=Sales,DC=example,DC=com", False),
        ("OU=Sales,DC=example,DC=com,DC=evil", False),
        ("OU=Sales,DC=com,DC=example", False),
        ("CN=OU\\=Sales\\,DC\\=example\\,DC\\=com", False),
        ("DC=example,DC=com", False),
    ],
)
def test_X1_a_limit_to_a_place_holds_in_every_spelling(tmp_path: Path, account: str, inside: bool) -> None:
    permitted = CedarPolicy(folder(tmp_path / "permit", rule("sales", IN_SALES)))
    forbidden = CedarPolicy(folder(tmp_path / "forbid", PERMIT_ALL, rule("sales", IN_SALES, "forbid")))
    question = ask(person(), move(), {"account": account})
    assert isinstance(permitted.decide(question), Permit) is inside
    assert isinstance(forbidden.decide(question), Permit) is not inside


def test_what_is_not_declared_a_name_is_in_no_place(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("sales", IN_SALES)))
    given = {"account": "CN=Alice,OU=Sales,DC=example,DC=com"}
    assert isinstance(policy.decide(ask(person(), action("move"), given)), Deny)


def test_X3_a_name_that_is_none_is_denied(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL))
    assert isinstance(policy.decide(ask(person(), move(), {"account": "alice"})), Deny)


def test_a_place_in_a_policy_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, f"\n{rule('sales', IN_SALES.replace('dc=com', 'com'))}"))
    with pytest.raises(
        Invalid, match=r"0\.cedar:2: A place in the directory's tree here is no distinguished name"
    ):
        policy.version()


def test_a_text_is_limited_in_every_spelling(tmp_path: Path) -> None:
    limit = (
        'context.arguments.folded.hasTag("group") && context.arguments.folded.getTag("group") == "domain admins"'
    )
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL, rule("no", limit, "forbid")))
    for group in ("Domain Admins", " domain\u00a0 ADMINS", "Domain\u200b Admins", "\uff24omain Admins"):
        assert isinstance(policy.decide(ask(person(), action("x"), {"group": group})), Deny), group
    assert isinstance(policy.decide(ask(person(), action("x"), {"group": "Domain Guests"})), Permit)


# ---- what goes on --------------------------------------------------------------------------------


def decided(policy: CedarPolicy, situation: Situation, *, oid: str = "ann") -> Decision:
    """Decide for a person, in a situation."""
    return policy.decide(replace(ask(person("engineer", oid=oid), action("x")), situation=situation))


def test_who_is_on_call_is_a_fact_about_one_person(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("duty", "context.onCall")))
    situation = Situation(frozenset({"acme/ann"}))
    assert isinstance(decided(policy, situation), Permit)
    assert isinstance(decided(policy, situation, oid="bob"), Deny)
    assert isinstance(decided(policy, Situation()), Deny)


def test_an_incident_is_named_in_the_words_of_a_policy(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("calm", "context has incident")))
    decision = decided(policy, Situation(incident="Mail is down {freeze}"))
    assert isinstance(decision, Permit)
    assert decision.reasons[0].sentence == "calm: Mail is down {freeze}"


def test_what_is_unknown_is_not_so_and_a_refusal_says_so(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("duty", "context.onCall")))
    decision = decided(policy, UNKNOWN)
    assert isinstance(decision, Deny)
    assert [reason.policy for reason in decision.reasons] == ["default-deny", "unknown-facts"]
    assert decision.reasons[-1].sentence == UNKNOWN.unknown[0]


@pytest.mark.parametrize(
    "when", ["context has incident", "!context.onCall", "context.onCall && context has incident"]
)
def test_a_forbid_holds_where_what_it_depends_on_is_unknown(tmp_path: Path, when: str) -> None:
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL, rule("no", when, "forbid")))
    decision = decided(policy, UNKNOWN)
    assert isinstance(decision, Deny)
    assert [reason.policy for reason in decision.reasons] == ["no", "unknown-facts"]


def test_more_approvals_are_needed_where_it_is_unknown_whether_fewer_would_do(tmp_path: Path) -> None:
    approve = '@id("approve") permit (principal, action == Deputy::Action::"approve", resource);'
    few, many = rule("few", "context.onCall && context.approvals >= 1"), rule("many", "context.approvals >= 2")
    policy = CedarPolicy(folder(tmp_path, approve, few, many))
    decision = decided(policy, UNKNOWN)
    assert isinstance(decision, NeedsApproval)
    assert (decision.count, untold(decision)) == (2, UNKNOWN.unknown)
    assert untold(decided(policy, Situation())) == ()


def test_the_unknown_is_no_reason_where_it_makes_no_difference(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("never", "false"), rule("no", "context.onCall", "forbid")))
    assert [reason.policy for reason in decided(policy, UNKNOWN).reasons] == ["default-deny"]


def test_an_unknown_word_in_a_reason_is_a_slip(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL.replace(" permit", ' @reason("{thaw}") permit')))
    with pytest.raises(Invalid, match=r"“all” says \{thaw\}, and the words to be filled in are"):
        policy.version()


def test_the_menu_knows_what_goes_on(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, rule("duty", "context.onCall && context has incident")))
    quiet = about(person())
    busy = replace(quiet, situation=Situation(frozenset({"acme/ann"}), "Mail is down"))
    for _ in range(2):
        assert isinstance(policy.menu(quiet, [action("x")])["x"], Deny)
        assert isinstance(policy.menu(busy, [action("x")])["x"], Permit)
        assert isinstance(policy.menu(replace(busy, principal=person(oid="bob")), [action("x")])["x"], Deny)


# ---- emergencies ---------------------------------------------------------------------------------

POLICY = CedarPolicy(SHIPPED)
CLEAN = action("clean-old-files", "operations", Risk.DESTRUCTIVE)


def test_an_emergency_is_permitted_at_once_where_two_approvals_are_needed_otherwise() -> None:
    question = ask(person("oncall"), CLEAN)
    assert isinstance(POLICY.decide(question), NeedsApproval)
    assert isinstance(POLICY.decide(replace(question, break_glass=True)), Permit)
    assert isinstance(POLICY.menu(about(person("oncall")), [CLEAN])[CLEAN.id], NeedsApproval)


def test_an_unreviewed_emergency_takes_the_right_away_and_says_how_to_get_it_back() -> None:
    decision = POLICY.decide(replace(ask(person("oncall"), CLEAN), break_glass=True, unreviewed=1))
    assert isinstance(decision, Deny)
    assert "has not been reviewed yet" in decision.reasons[0].sentence
    assert decision.roles == ("oncall", "engineer")


@pytest.mark.parametrize("reviewer", [person("manager"), person("manager", oid="ANN"), agent("manager")])
def test_P1_M2_an_emergency_is_reviewed_by_another_person_whatever_policies_say(
    tmp_path: Path, reviewer: object
) -> None:
    everybody = '@id("review") permit (principal, action == Deputy::Action::"review", resource);'
    policy = CedarPolicy(folder(tmp_path, everybody))
    question = ask(person("oncall"), CLEAN)
    assert isinstance(policy.may_review(person(oid="max"), question), Permit)
    decision = policy.may_review(reviewer, question)  # type: ignore[arg-type]
    assert [reason.policy for reason in decision.reasons] == ["self-approval"]


# ---- only the policies that can hold are asked ---------------------------------------------------


def test_an_action_is_judged_by_the_policies_whose_scope_can_hold_for_it() -> None:
    bench = POLICY.bench()
    unlock = bench.about("run", action("unlock-account"))
    assert "helpdesk-unlocks-accounts" in unlock.trees
    assert "helpdesk-unlocks-accounts" not in bench.about("run", action("x")).trees
    assert "oncall-changes-operations" not in unlock.trees
    assert "managers-approve-accounts" not in unlock.trees
    assert {"changes-rest-in-a-freeze", "engineers-change-anything"} <= unlock.trees.keys()
    assert "unclassified-never-runs" not in unlock.trees
    assert "unclassified-never-runs" in bench.about("run", action("x", risk=Risk.UNCLASSIFIED)).trees
    assert bench.about("run", action("unlock-account", target="elsewhere")) is unlock


@pytest.mark.parametrize(
    ("scope", "others"),
    [
        ("resource", True),
        ("resource is Deputy::Script", True),
        ('resource in Deputy::Category::"a"', False),
        ('resource is Deputy::Script in Deputy::Category::"a"', False),
        ('resource == Deputy::Script::"x"', False),
    ],
)
@pytest.mark.parametrize(
    "deed", ["action", 'action == Deputy::Action::"run"', 'action in [Deputy::Action::"run"]']
)
def test_every_form_of_a_scope_is_understood(tmp_path: Path, scope: str, others: bool, deed: str) -> None:
    policy = CedarPolicy(
        folder(tmp_path, PERMIT_ALL, f'@id("no") @reason("no") forbid (principal, {deed}, {scope});')
    )
    assert isinstance(policy.decide(ask(person(), action("x", "a"))), Deny)
    assert isinstance(policy.decide(ask(person(), action("y", "b"))), Deny) is others


@dataclass(frozen=True)
class Whole(Bench):
    """A bench that asks every policy, whatever it is asked about."""

    def about(self, deed: str, action: Action) -> Bench:
        return self


@given(
    st.sets(st.sampled_from(["helpdesk", "manager", "oncall", "engineer"])),
    st.sampled_from([*catalog()]),
    st.sampled_from([*Risk]),
    st.booleans(),
)
@settings(deadline=None)
def test_the_policies_that_are_not_asked_would_have_changed_nothing(
    roles: set[str], asked: Action, risk: Risk, break_glass: bool
) -> None:
    bench = POLICY.bench()
    question = replace(ask(person(*roles), replace(asked, risk=risk)), break_glass=break_glass)
    few, all_ = (judge.decide(one, question) for one in (bench, Whole.of(bench.book, bench.trees)))
    assert type(few) is type(all_)
    assert getattr(few, "roles", None) == getattr(all_, "roles", None)
    assert getattr(few, "count", None) == getattr(all_, "count", None)


def test_who_may_approve_is_found_anew_where_the_policies_look_at_what_is_filled_in(tmp_path: Path) -> None:
    small = 'context.arguments.numbers.hasTag("days") && context.arguments.numbers.getTag("days") < 9'
    policy = CedarPolicy(folder(tmp_path, *approved_by({"engineer": small, "manager": "true"})))
    days = action("x", parameters=(Parameter("days", Kind.INTEGER, "Days"),))

    few, many = (policy.decide(ask(person(), days, {"days": number})) for number in (3, 30))

    assert isinstance(few, NeedsApproval)
    assert isinstance(many, NeedsApproval)
    assert (few.roles, many.roles) == (("manager", "engineer"), ("manager",))


def approved_by(conditions: dict[str, str]) -> list[str]:
    """Return policies that let everybody run anything with the approval of roles, each on its condition."""
    head = (
        'permit (principal in Deputy::Role::"{0}", action == Deputy::Action::"approve", resource) when {{ {1} }};'
    )
    run = rule("run", "context.approvals >= 1")
    return [run, *(f'@id("{role}") {head.format(role, when)}' for role, when in conditions.items())]


def test_who_may_approve_follows_the_requester_the_action_and_the_hour(tmp_path: Path) -> None:
    conditions = {
        "manager": "true",
        "engineer": 'context has requester && context.requester == Deputy::Person::"acme/ann"',
        "oncall": "context.businessHours",
        "helpdesk": 'resource.target == "there" || resource == Deputy::Script::"y"',
    }
    hours = 'zone = "UTC"\nbusiness_hours = ["08:00", "18:00"]\nbusiness_days = ["Mon"]\n'
    policy = CedarPolicy(folder(tmp_path, *approved_by(conditions), calendar__toml=hours))

    def approvers(oid: str = "bob", name: str = "x", target: str = "", *, hour: int = 3) -> set[str]:
        asked = ask(person(oid=oid), action(name, target=target), now=datetime(2026, 11, 23, hour, tzinfo=UTC))
        decision = policy.decide(asked)
        assert isinstance(decision, NeedsApproval)
        return set(decision.roles)

    for _ in range(2):
        assert approvers() == {"manager"}
        assert approvers("ann") == {"manager", "engineer"}
        assert approvers(hour=10) == {"manager", "oncall"}
        assert approvers(target="there") == {"manager", "helpdesk"}
        assert approvers(name="y") == {"manager", "helpdesk"}


def test_a_bench_of_nothing_denies() -> None:
    bench = Bench.of(POLICY.bench().book, {})
    assert bench.about("run", CLEAN).trees == {}
