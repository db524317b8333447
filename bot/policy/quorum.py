"""In how many ways approvals can come to be enough: so many of them, and of which roles.

Each approver stands for one role at most, whatever others they hold: “one of these and one of
those” is two persons.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

from bot.core.decision import MOST_APPROVALS


@dataclass(frozen=True)
class Way:
    """`count` approvals in all by people who stand for `roles`; `seats` are those of the roles still to come."""

    count: int
    roles: frozenset[str] = frozenset()
    seats: tuple[str, ...] = ()


def ways(counts: Collection[int], given: Sequence[frozenset[str]], named: Collection[str]) -> list[Way]:
    """Return every way worth trying, those that take the fewest approvals first, then those with the fewest seats.

    `counts` are the numbers at which some policy changes its mind, `given` the roles of each approver so far,
    and `named` the roles that policies ask for among the approvers. The first ways take nothing more.
    """
    found: dict[tuple[int, frozenset[str]], Way] = {}
    for standing in _standing(given, frozenset(named)):
        open_seats = sorted(set(named) - standing)
        for size in range(max(0, MOST_APPROVALS - len(given)) + 1):
            for seats in combinations(open_seats, size):
                for count in {max(least, len(given) + size) for least in counts}:
                    way = Way(count, standing.union(seats), seats)
                    known = found.get((count, way.roles), way)
                    found[count, way.roles] = min(way, known, key=_cost)
    return sorted(found.values(), key=_cost)


def _standing(given: Sequence[frozenset[str]], named: frozenset[str]) -> set[frozenset[str]]:
    """Return every set of roles that people can stand for together, one role each."""
    sets = {frozenset[str]()}
    for roles in given:
        sets |= {one | {role} for one in sets for role in roles & named}
    return sets


def _cost(way: Way) -> tuple[int, int, tuple[str, ...], list[str]]:
    return way.count, len(way.seats), way.seats, sorted(way.roles)
