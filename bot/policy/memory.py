"""Answers that were given before: the same policies answer the same question alike."""

from collections.abc import Hashable

from bot.core import canonical
from bot.core.action import Action
from bot.core.decision import Decision
from bot.core.errors import Invalid
from bot.core.parameter import Kind
from bot.policy.facts import Matter
from bot.policy.judge import DEEDS, Bench, decide
from bot.ports import Question

MOST_KEPT = 1_000
_TIME = {"now", "hour", "weekday"}


class Memory:
    """Decides for one state of the policies, and answers again what was asked before, as every start asks."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._kept: dict[Hashable, Decision] = {}

    def decide(self, question: Question) -> Decision:
        """Say whether it may run; where a policy looks at the time, or an argument is secret, nothing is kept."""
        read = self._attributes(question.action)
        if not _TIME.isdisjoint(read) or question.action.secrets:
            return decide(self._bench, question)
        try:
            key = self._key(question, read)
        except (OverflowError, Invalid):
            return decide(self._bench, question)
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = decide(self._bench, question)
        return self._kept[key]

    def _key(self, question: Question, read: frozenset[str]) -> Hashable:
        """Return all that an answer can depend on. Raises OverflowError, Invalid for what can't be judged."""
        key = Matter(question, self._bench.book.calendar).key
        canonical.encode(dict(question.arguments))
        if "arguments" in read or any(one.kind is Kind.DN for one in question.action.parameters):
            return key, repr(sorted(question.arguments.items()))  # by its looks, for True == 1
        return key

    def _attributes(self, action: Action) -> frozenset[str]:
        """Return what the policies read that can have a say on an action."""
        return frozenset().union(*(self._bench.about(deed, action).reads for deed in DEEDS))
