"""What policies' authors work with: do cases show every rule, what is named in vain, who may do what."""

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from pathlib import Path

import pytest

from bot.core.catalog import Catalog
from bot.core.errors import Invalid
from bot.policy.cases import FILE, Case, read, run_cases
from bot.policy.cedar import CedarPolicy
from bot.policy.coverage import uncovered
from bot.policy.judge import Bench
from bot.policy.strangers import strangers
from bot.policy.tree import Tree, attributes
from bot.policy.who import rights
from tests.unit.policy.samples import NOW, PERMIT_ALL, SHIPPED, action, ask, catalog, folder, person

DESK = (
    '@id("desk") permit (principal in Deputy::Role::"helpdesk", action == Deputy::Action::"run", '
    'resource in Deputy::Category::"accounts") when { resource.risk == "change" };'
)


def case(role: str, name: str, expect: str, **more: object) -> Case:
    """Return one case."""
    return Case(f"{role} {name}", FILE, (role,), name, expect, **more)  # type: ignore[arg-type]


SHOWS = {
    "were left out": case("helpdesk", "unlock-account", "permit"),
    "held for everybody": case("oncall", "unlock-account", "deny"),
    "held for every action": case("helpdesk", "restart-service", "deny"),
    "held whatever its conditions": case("helpdesk", "show-account", "deny"),
}


def test_every_shipped_rule_is_shown_both_ways() -> None:
    assert list(uncovered(CedarPolicy(SHIPPED).bench(), catalog(), read(SHIPPED / FILE))) == []


# A permit of something smaller beside them gives the same where these parts are left out.
NEEDLESS = {
    "engineers-destroy-anything": {"risk"},
    "oncall-destroys-operations": {"risk"},
    "oncall-removes-old-files": {"risk"},
}


def test_every_part_of_a_shipped_rules_condition_is_shown_to_be_needed() -> None:
    bench, cases = CedarPolicy(SHIPPED).bench(), read(SHIPPED / FILE)
    unseen: dict[str, set[str]] = {}
    for rule in bench.book.rules.values():
        for part, tree in loosened_by_one(rule.tree):
            changed = Bench.of(bench.book, {**bench.trees, rule.id: tree})
            if all(result.ok for result in run_cases(changed, catalog(), cases)):
                unseen.setdefault(rule.id, set()).update(attributes(part))
    assert unseen == NEEDLESS


def loosened_by_one(tree: Tree) -> Iterator[tuple[Tree, Tree]]:
    """Yield every part that a policy's conditions are joined of by &&, and the policy without it."""
    for at, condition in enumerate(tree["conditions"]):
        parts = joined(condition["body"])
        for left_out, part in enumerate(parts):
            rest = parts[:left_out] + parts[left_out + 1 :]
            body = reduce(lambda left, right: {"&&": {"left": left, "right": right}}, rest or [{"Value": True}])
            conditions = [*tree["conditions"][:at], {**condition, "body": body}, *tree["conditions"][at + 1 :]]
            yield part, {**tree, "conditions": conditions}


def joined(body: Tree) -> list[Tree]:
    sides = body.get("&&")
    return [*joined(sides["left"]), *joined(sides["right"])] if sides else [body]


@pytest.mark.parametrize("left_out", SHOWS)
def test_a_case_that_is_missing_is_named_by_what_it_would_show(tmp_path: Path, left_out: str) -> None:
    bench = CedarPolicy(folder(tmp_path, DESK)).bench()
    kept = [one for words, one in SHOWS.items() if words != left_out]
    assert [(rule.id, words) for rule, words in uncovered(bench, catalog(), kept)] == [("desk", left_out)]
    assert list(uncovered(bench, catalog(), SHOWS.values())) == []


def test_what_policies_name_in_vain_is_told_with_file_and_line(tmp_path: Path) -> None:
    rules = ['resource == Deputy::Script::"unlok-account"', 'resource in Deputy::Category::"acounts"']
    texts = [PERMIT_ALL.replace("resource", scope).replace("all", str(place)) for place, scope in enumerate(rules)]
    book = CedarPolicy(folder(tmp_path, "\n".join(texts))).bench().book
    assert [str(fault) for fault in strangers(book, catalog())] == [
        "0.cedar:1: “0” speaks of the action “unlok-account”, which there is not.",
        "0.cedar:2: “1” speaks of the category “acounts”, which has no action.",
    ]
    assert list(strangers(CedarPolicy(SHIPPED).bench().book, catalog())) == []


def test_a_broken_action_is_no_stranger(tmp_path: Path) -> None:
    text = PERMIT_ALL.replace("resource", 'resource == Deputy::Script::"broken"')
    book = CedarPolicy(folder(tmp_path, text)).bench().book
    assert list(strangers(book, Catalog({}, {"broken": Invalid("It is broken.")}))) == []


def test_each_role_is_told_what_it_is_good_for() -> None:
    bench = CedarPolicy(SHIPPED).bench()
    found = {one.role: one for one in rights(bench, ask(person(), catalog().actions["clean-old-files"]))}
    assert [vars(one)["runs"] for one in found.values()] == [
        "no",
        "no",
        "2 approvals from Identity managers or Engineers",
        "2 approvals from Identity managers or Engineers",
    ]
    assert found["On-call"].emergency == "at once"
    assert [(one.approves, one.reviews) for one in found.values()] == [
        ("no", "no"),
        ("yes", "yes"),
        ("no", "no"),
        ("yes", "yes"),
    ]


def test_of_two_people_with_one_role_one_can_approve_for_the_other(tmp_path: Path) -> None:
    engineers = PERMIT_ALL.replace("principal,", 'principal in Deputy::Role::"engineer",')
    run = engineers.replace(";", " when { context.approvals >= 1 };")
    approve = engineers.replace('"run"', '"approve"').replace("all", "approve")
    own = (
        '@id("own") @reason("own") forbid (principal, action == Deputy::Action::"approve", resource) '
        "when { context.selfRequest };"
    )
    bench = CedarPolicy(folder(tmp_path, run, approve, own)).bench()
    (only,) = [one for one in rights(bench, ask(person(), action("x"), now=NOW)) if one.role == "Engineers"]
    assert only.runs == "1 approval from Engineers"


def test_a_case_may_take_an_action_to_be_otherwise(tmp_path: Path) -> None:
    bench = CedarPolicy(folder(tmp_path, DESK)).bench()
    odd = replace(SHOWS["were left out"], otherwise={"risk": "read"}, expect="deny")
    assert list(uncovered(bench, catalog(), [odd, *SHOWS.values()])) == []
