"""What somebody may do, over the whole catalogue at once.

Actions that differ in nothing a policy looks at are decided alike, so one of each group is asked about:
the number of questions grows with the policies, not with the catalogue.
"""

from collections.abc import Hashable, Iterable, Mapping
from functools import partial

from bot.core.action import Action
from bot.core.decision import Decision
from bot.policy import facts, tree
from bot.policy.judge import Bench, decide
from bot.policy.rules import Rulebook
from bot.ports import About, Question

MOST_KEPT = 10_000


class Menu:
    """Decides as a rulebook could at best, whatever is filled in; keeps its answers while nothing changes.

    Of the time it knows what the calendar says: business hours and freezes; the hour itself counts as unknown.
    """

    def __init__(self, book: Rulebook) -> None:
        trees = tree.loosened(book.trees)
        named = [literal for one in trees.values() for literal in tree.literals(one)]
        self._bench = Bench.of(book, trees)
        self._named = {kind: {name for other, name in named if other == kind} for kind, _ in named}
        self._read = sorted(
            {name for one in trees.values() for name in tree.attributes(one)} & facts.ATTRIBUTES.keys()
        )
        self._kept: dict[Hashable, Decision] = {}

    def decide(self, about: About, actions: Iterable[Action]) -> Mapping[str, Decision]:
        """Return a decision for every action, by its id."""
        principal, situation = about.principal, about.situation
        moment = self._bench.book.calendar.at(about.now)
        asker = (principal.roles, principal.kind, self._literal(facts.subject(principal)), about.door)
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
        key = (asker, self._group(question.action))
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = decide(self._bench, question)
        return self._kept[key]

    def _group(self, action: Action) -> Hashable:
        """Return all of an action that the policies can tell apart."""
        read = [str(facts.ATTRIBUTES[name](action)) for name in self._read]
        names = [self._literal(uid) for uid in (facts.script(action), facts.category(action))]
        return (*names, *read)

    def _literal(self, uid: facts.Uid) -> str | None:
        return uid["id"] if uid["id"] in self._named.get(uid["type"], ()) else None
