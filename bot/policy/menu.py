"""What somebody may do, over the whole catalogue at once.

Actions that differ in nothing a policy looks at are decided alike, so one of each group is asked about:
the number of questions grows with the policies, not with the catalogue.
"""

from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime

from bot.core.action import Action
from bot.core.decision import Decision
from bot.core.principal import Principal
from bot.policy import facts, tree
from bot.policy.judge import Bench, decide
from bot.policy.rules import Rulebook
from bot.ports import Question

MOST_KEPT = 10_000

# Loosened policies don't look at the time; a question has one all the same.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class Menu:
    """Decides as a rulebook could at best, whatever is filled in and whenever; keeps its answers."""

    def __init__(self, book: Rulebook) -> None:
        trees = tree.loosened(book.trees)
        named = [literal for one in trees.values() for literal in tree.literals(one)]
        self._bench = Bench.of(book, trees)
        self._named = {kind: {name for other, name in named if other == kind} for kind, _ in named}
        self._read = sorted(
            {name for one in trees.values() for name in tree.attributes(one)} & facts.ATTRIBUTES.keys()
        )
        self._kept: dict[Hashable, Decision] = {}

    def decide(self, principal: Principal, actions: Iterable[Action], door: str) -> Mapping[str, Decision]:
        """Return a decision for every action, by its id."""
        asker = (principal.roles, principal.kind, self._literal(facts.subject(principal)), door)
        return {action.id: self._one(asker, principal, action, door) for action in actions}

    def _one(self, asker: Hashable, principal: Principal, action: Action, door: str) -> Decision:
        key = (asker, self._group(action))
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = decide(self._bench, Question(principal, action, {}, door, _ANY_TIME))
        return self._kept[key]

    def _group(self, action: Action) -> Hashable:
        """Return all of an action that the policies can tell apart."""
        read = [str(facts.ATTRIBUTES[name](action)) for name in self._read]
        names = [self._literal(uid) for uid in (facts.script(action), facts.category(action))]
        return (*names, *read)

    def _literal(self, uid: facts.Uid) -> str | None:
        return uid["id"] if uid["id"] in self._named.get(uid["type"], ()) else None
