"""What somebody may do, over the whole catalogue at once.

Actions that differ in nothing a policy looks at are decided alike, so one of each group is asked about:
the number of questions grows with the policies, not with the catalogue.
"""

from collections.abc import Hashable, Iterable, Mapping
from functools import partial

from bot.core.action import Action
from bot.core.decision import Decision
from bot.policy import facts, tree
from bot.policy.judge import MOST_KEPT, Bench, decide
from bot.policy.rules import Rulebook
from bot.ports import About, Question


class Menu:
    """Decides as a rulebook could at best, whatever is filled in; keeps its answers while nothing changes.

    Of the time it knows what the calendar says: business hours and freezes; the hour itself counts as unknown.
    """

    def __init__(self, book: Rulebook) -> None:
        trees = tree.loosened(book.trees)
        self._bench = Bench.of(book, trees)
        self._kept: dict[Hashable, Decision] = {}

    def decide(self, about: About, actions: Iterable[Action]) -> Mapping[str, Decision]:
        """Return a decision for every action, by its id."""
        principal, situation = about.principal, about.situation
        moment = self._bench.book.calendar.at(about.now)
        asker = (principal.roles, principal.kind, self._bench.literal(facts.subject(principal)), about.door)
        on_call = (principal.who.key in situation.on_call, bool(situation.on_call))
        known = (
            *on_call,
            situation.incident,
            situation.unknown,
            moment.business,
            moment.freeze,
            about.break_glass,
        )
        ask = partial(Question, arguments={}, **vars(about))
        return {action.id: self._one((asker, known), ask(action=action)) for action in actions}

    def _one(self, asker: Hashable, question: Question) -> Decision:
        key = (asker, self._bench.group(question.action))
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = decide(self._bench, question)
        return self._kept[key]
