"""Do the cases show every rule both ways? Each rule is changed a little; some case has to notice.

Four changes are tried: it is left out, and it holds for everybody, for every action, whatever its conditions.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.core.catalog import Catalog
from bot.policy.cases import Case, run_case
from bot.policy.judge import Bench
from bot.policy.rules import Rule
from bot.policy.tree import Tree

_ALL = {"op": "All"}


def uncovered(bench: Bench, catalog: Catalog, cases: Iterable[Case]) -> Iterator[tuple[Rule, str]]:
    """Yield every rule with a change to it, in words, that none of the cases notices; they all hold as it is."""
    kept = tuple(cases)
    for rule in bench.book.rules.values():
        others = {name: tree for name, tree in bench.book.trees.items() if name != rule.id}
        for words, tree in _changed(rule.tree):
            changed = Bench.of(bench.book, {**others, rule.id: tree} if tree else others)
            if all(run_case(changed, catalog, case).ok for case in _likeliest(rule, kept)):
                yield rule, words


def _changed(tree: Tree) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    yield "were left out", None
    if tree["principal"] != _ALL:
        yield "held for everybody", {**tree, "principal": _ALL}
    if tree["resource"] != _ALL:
        yield "held for every action", {**tree, "resource": _ALL}
    if tree["conditions"]:
        yield "held whatever its conditions", {**tree, "conditions": []}


def _likeliest(rule: Rule, cases: tuple[Case, ...]) -> list[Case]:
    """Put the cases that name the rule first, since one that notices is enough."""
    return sorted(cases, key=lambda case: case.because != rule.id)
