"""Policies as trees (Cedar's JSON form): what they name, and how they read while much is unknown."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.core.decision import MOST_APPROVALS

Tree = Mapping[str, Any]

# What is known of a context before anything is filled in. All else, the hour too, counts as unknown.
_KNOWN = frozenset({"approvals", "door", "requester", "agent", "selfRequest", "breakGlass"}) | {
    *("businessHours", "freeze", "onCall", "incident"),
    *("approvedBy", "escalated", "delegated"),
}
_CONTEXT = {"Var": "context"}
_RESOURCE = {"Var": "resource"}
_APPROVALS = {".": {"left": _CONTEXT, "attr": "approvals"}}
_APPROVED_BY = {".": {"left": _CONTEXT, "attr": "approvedBy"}}
_ARGUMENTS = {".": {"left": _CONTEXT, "attr": "arguments"}}
_LOOKS = ("hasTag", "getTag")
_ROLE = "Deputy::Role"

# Where a comparison with a number turns: `>= 2` between 1 and 2, `> 2` between 2 and 3, `== 2` at both.
_STEPS: Mapping[str, tuple[int, ...]] = {">=": (0,), "<": (0,), ">": (1,), "<=": (1,), "==": (0, 1), "!=": (0, 1)}
_TRUE = {"Value": True}


def literals(tree: object) -> Iterator[tuple[str, str]]:
    """Yield every entity a policy names literally, as (type, id)."""
    for node in _nodes(tree):
        if node.keys() == {"type", "id"} and isinstance(node["id"], str):
            yield node["type"], node["id"]


def scope(tree: Tree, part: str) -> frozenset[tuple[str, str]]:
    """Return the entities, as (type, id), that a policy's scope names for a `part` of it; none is any."""
    return frozenset(literals(tree[part]))


def demands(tree: Tree) -> frozenset[tuple[str, str]]:
    """Return what a resource has to be for a policy to hold, whatever else is so: ("risk", "read").

    These are the equations with a text that its `when` conditions are joined of by `&&`.
    """
    bodies = [one["body"] for one in tree["conditions"] if one["kind"] == "when"]
    return frozenset(found for body in bodies for found in _demanded(body))


def attributes(tree: object) -> Iterator[str]:
    """Yield the name of every attribute a policy reads."""
    return (node["attr"] for node in _nodes(tree) if isinstance(node.get("attr"), str))


def arguments(trees: Mapping[str, Tree]) -> frozenset[str] | None:
    """Return the names of the arguments that policies look at; None where it may be any of them.

    Each look is a `hasTag("days")` or `getTag("days")` on a group such as `context.arguments.numbers`.
    """
    nodes = list(_nodes(list(trees.values())))
    looks = [sides for node in nodes for operator, sides in node.items() if operator in _LOOKS]
    named = [sides["right"]["Value"] for sides in looks if _named(sides)]
    return frozenset(named) if len(named) == sum(node == _ARGUMENTS for node in nodes) else None


def renamed(tree: Any, kind: str, name: Callable[[str], str]) -> Any:
    """Return a tree in which every entity of type `kind` has the name that `name` makes of its own."""
    if isinstance(tree, Mapping):
        if tree.keys() == {"type", "id"} and tree["type"] == kind:
            return {"type": kind, "id": name(tree["id"])}
        return {key: renamed(part, kind, name) for key, part in tree.items()}
    return [renamed(part, kind, name) for part in tree] if isinstance(tree, list) else tree


def loosened(trees: Mapping[str, Tree]) -> Mapping[str, Tree]:
    """Return the policies as they could hold at best, whatever is filled in and whenever it is asked.

    What depends on the unknown is taken to go well: such a forbid is left out, such a part of a permit's
    conditions counts as met. So a menu may show what is denied later, but never hides what is allowed.
    """
    return {
        name: {**tree, "conditions": list(_conditions(tree["conditions"]))}
        for name, tree in trees.items()
        if tree["effect"] == "permit" or not _unknown(tree["conditions"])
    }


def counts(trees: Mapping[str, Tree]) -> tuple[int, ...]:
    """Return the numbers of approvals worth trying, from 0 up: those at which some policy can change its mind.

    They stand in comparisons like `context.approvals >= 2`; where approvals are used otherwise, all are tried.
    """
    nodes = list(_nodes(list(trees.values())))
    steps = [step for node in nodes for step in _steps(node)]
    elsewhere = sum(node.get("left") == _CONTEXT and node.get("attr") not in (None, "approvals") for node in nodes)
    if len(steps) + elsewhere < sum(node == _CONTEXT for node in nodes):
        return tuple(range(MOST_APPROVALS + 1))
    return tuple(sorted({0, *(count for step in steps for count in step if 0 <= count <= MOST_APPROVALS)}))


def seats(trees: Mapping[str, Tree]) -> tuple[str, ...]:
    """Return the roles that policies ask for among approvers: `context.approvedBy.contains(…)` and the like."""
    nodes = _nodes(list(trees.values()))
    asked = [node for node in nodes if _APPROVED_BY in (node.get("left"), node.get("right"))]
    return tuple(sorted({name for node in asked for kind, name in literals(node) if kind == _ROLE}))


def _steps(node: Mapping[str, Any]) -> Iterator[tuple[int, ...]]:
    for operator, sides in node.items():
        if operator in _STEPS and sides.get("left") == _APPROVALS and "Value" in sides.get("right", {}):
            yield tuple(sides["right"]["Value"] + more for more in _STEPS[operator])


def _named(sides: Mapping[str, Any]) -> bool:
    """Say whether a look at a tag is at an argument, by a name that stands there."""
    group = sides["left"].get(".", {})
    return group.get("left") == _ARGUMENTS and isinstance(sides["right"].get("Value"), str)


def _demanded(body: Tree) -> Iterator[tuple[str, str]]:
    if "&&" in body:
        for part in body["&&"].values():
            yield from _demanded(part)
    sides = body.get("==", {}).values()
    values = [side["Value"] for side in sides if isinstance(side.get("Value"), str)]
    names = [side["."]["attr"] for side in sides if side.get(".", {}).get("left") == _RESOURCE]
    yield from zip(names, values, strict=False)


def _conditions(conditions: list[Tree]) -> Iterator[Tree]:
    for condition in conditions:
        if not _unknown(condition):
            yield condition
        elif condition["kind"] == "when":
            yield {"kind": "when", "body": _at_best(condition["body"])}


def _at_best(body: Tree) -> Tree:
    if not _unknown(body):
        return body
    if "&&" in body:
        return {"&&": {side: _at_best(part) for side, part in body["&&"].items()}}
    return _TRUE


def _unknown(tree: object) -> bool:
    if isinstance(tree, list):
        return any(_unknown(part) for part in tree)
    if not isinstance(tree, Mapping):
        return False
    if tree.get("left") == _CONTEXT and tree.get("attr") in _KNOWN:
        return False
    return tree == _CONTEXT or any(_unknown(part) for part in tree.values())


def _nodes(tree: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(tree, Mapping):
        yield tree
        for part in tree.values():
            yield from _nodes(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _nodes(part)
