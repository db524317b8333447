"""Policies as trees: what is unknown is taken to go well, and no count of approvals is missed."""

import json
from itertools import pairwise

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy import tree


def parsed(text: str) -> tree.Tree:
    (policy,) = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"].values()
    return dict(policy)


def when(condition: str, effect: str = "permit") -> tree.Tree:
    return parsed(f"{effect} (principal, action, resource) when {{ {condition} }};")


GIVEN = 'context.arguments.numbers.hasTag("days") && context.arguments.numbers.getTag("days") < 9'


def test_entities_named_in_a_policy_are_found() -> None:
    found = parsed(
        'permit (principal in A::"x", action in [B::Action::"run"], resource is C in D::"y") '
        'when { principal in [A::"z\\"", A::"w"] };'
    )
    assert set(tree.literals(found)) == {("A", "x"), ("B::Action", "run"), ("D", "y"), ("A", 'z"'), ("A", "w")}


def test_attributes_read_by_a_policy_are_found() -> None:
    assert set(tree.attributes(when('resource.risk == "read" && context has door'))) == {"risk", "door"}


@pytest.mark.parametrize(
    ("condition", "at_best"),
    [
        (GIVEN, "true && true"),
        (f'resource.risk == "read" && {GIVEN}', '(resource.risk == "read" && true) && true'),
        (f'resource.risk == "read" || ({GIVEN})', "true"),
        (f"!({GIVEN})", "true"),
        ("context.hour > 6 && context.approvals >= 1", "true && context.approvals >= 1"),
        ('context.door == "chat"', 'context.door == "chat"'),
        ("context == resource", "true"),
    ],
)
def test_a_permit_loses_only_what_depends_on_the_unknown(condition: str, at_best: str) -> None:
    assert tree.loosened({"p": when(condition)})["p"] == when(at_best)


@pytest.mark.parametrize(
    ("condition", "demands"),
    [
        ('resource.risk == "read"', {("risk", "read")}),
        (
            'context.approvals >= 1 && "read" == resource.risk && resource.target == "x"',
            {("risk", "read"), ("target", "x")},
        ),
        ('resource.risk == "read" || resource.private', set()),
        ('!(resource.risk == "read")', set()),
        ('resource.risk != "read"', set()),
        ("resource.risk == resource.target", set()),
        ('if resource.private then resource.risk == "read" else true', set()),
        ('context.door == "chat" && "a" == "b"', set()),
        ("resource.private == true", set()),
    ],
)
def test_what_a_policy_demands_of_an_action(condition: str, demands: set[tuple[str, str]]) -> None:
    assert tree.demands(when(condition)) == demands
    assert tree.demands(parsed(f"permit (principal, action, resource) unless {{ {condition} }};")) == set()


def test_an_exception_that_depends_on_the_unknown_is_taken_not_to_apply() -> None:
    permit = parsed("permit (principal, action, resource) unless { context.hour < 6 };")
    assert tree.loosened({"p": permit})["p"] == parsed("permit (principal, action, resource);")


def test_only_a_forbid_that_depends_on_the_unknown_is_left_out() -> None:
    loose = tree.loosened(
        {"hours": when("context.hour < 6", "forbid"), "risk": when("resource.private", "forbid")}
    )
    assert set(loose) == {"risk"}


@pytest.mark.parametrize(
    ("condition", "counts"),
    [
        ("true", (0,)),
        ("context.approvals >= 2", (0, 2)),
        ("context.approvals > 2 || context.approvals == 1", (0, 1, 2, 3)),
        ("context.approvals <= 9", (0,)),
        ("context.approvals + 1 > 2", (0, 1, 2, 3, 4, 5)),
        ("context.approvals >= context.hour", (0, 1, 2, 3, 4, 5)),
        ("context == resource", (0, 1, 2, 3, 4, 5)),
        ('context.door == "chat"', (0,)),
    ],
)
def test_the_counts_worth_trying(condition: str, counts: tuple[int, ...]) -> None:
    assert tree.counts({"p": when(condition)}) == counts


COMPARISONS = st.tuples(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(0, 6))


@given(st.lists(COMPARISONS, min_size=1, max_size=4))
def test_between_two_counts_worth_trying_nothing_changes(comparisons: list[tuple[str, int]]) -> None:
    conditions = [f"context.approvals {operator} {number}" for operator, number in comparisons]
    counts = tree.counts({"p": when(" && ".join(conditions))})
    for first, following in pairwise((*counts, 6)):
        for condition in conditions:
            truths = {eval(condition.replace("context.approvals", str(n))) for n in range(first, following)}
            assert len(truths) == 1
