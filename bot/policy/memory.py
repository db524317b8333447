"""Answers that were given before: the same policies answer the same question alike."""

from collections.abc import Hashable, Sequence

from bot.core import canonical
from bot.core.decision import Decision
from bot.core.errors import Invalid
from bot.core.parameter import Kind
from bot.policy import facts
from bot.policy.facts import Matter
from bot.policy.judge import DEEDS, REQUESTER, Bench, decide
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
        benches = [self._bench.about(deed, question.action) for deed in DEEDS]
        if any(not bench.reads.isdisjoint(_TIME) for bench in benches) or question.action.secrets:
            return decide(self._bench, question)
        try:
            key = self._key(question, benches)
        except (OverflowError, Invalid):
            return decide(self._bench, question)
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = decide(self._bench, question)
        return self._kept[key]

    def _key(self, question: Question, benches: Sequence[Bench]) -> Hashable:
        """Return all that an answer can depend on. Raises OverflowError, Invalid for what can't be judged."""
        key = Matter(question, self._bench.book.calendar).key
        canonical.encode(dict(question.arguments))
        facts.check(question.arguments)
        # By their looks, for True == 1.
        arguments = [f"{name}={question.arguments[name]!r}" for name in _read(question, benches)]
        return key, self._who(question, benches), *arguments

    def _who(self, question: Question, benches: Sequence[Bench]) -> Hashable:
        """Return all of who asks that the policies can tell apart: as a rule their roles, not who they are."""
        one, on_call = question.principal, question.situation.on_call
        by_name = any(not bench.reads.isdisjoint(REQUESTER) for bench in benches)
        name = one.who.key if by_name else self._bench.literal(facts.subject(one))
        return one.kind, name, one.roles, one.who.key in on_call


def _read(question: Question, benches: Sequence[Bench]) -> list[str]:
    """Return the names of the arguments that the policies look at; all where that can't be told."""
    given = sorted(question.arguments)
    if any(one.kind is Kind.DN for one in question.action.parameters):
        return given
    read: set[str] = set()
    for bench in benches:
        if bench.arguments is None:
            return given
        read |= bench.arguments
    return [name for name in given if name in read]
