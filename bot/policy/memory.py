"""Answers that were given before: the same policies answer the same question alike."""

from collections.abc import Hashable

from bot.core.decision import Decision
from bot.policy import tree
from bot.policy.facts import Matter
from bot.policy.judge import Bench, decide
from bot.ports import Question

MOST_KEPT = 1_000
_TIME = {"now", "hour", "weekday"}


class Memory:
    """Decides for one state of the policies, and answers again what was asked before, as every start asks."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._timeless = _TIME.isdisjoint(tree.attributes(list(bench.book.trees.values())))
        self._kept: dict[Hashable, Decision] = {}

    def decide(self, question: Question) -> Decision:
        """Say whether it may run; where a policy looks at the time, or an argument is secret, nothing is kept."""
        if not self._timeless or question.action.secrets:
            return decide(self._bench, question)
        try:
            key = Matter(question, self._bench.book.calendar).key
        except OverflowError:
            return decide(self._bench, question)
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = decide(self._bench, question)
        return self._kept[key]
