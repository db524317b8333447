"""Who may do something with one action, role by role: run it, ask for it, approve it, review an emergency."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.core.decision import Decision, NeedsApproval, Permit
from bot.core.principal import Principal, Who
from bot.core.wording import count, listed
from bot.policy import judge
from bot.policy.facts import holder
from bot.policy.judge import Bench
from bot.ports import Question

# Whose request it is, when it is asked who may approve: somebody else, of whom nothing is known.
SOMEBODY = Principal(Who("", ""), frozenset())


@dataclass(frozen=True)
class Rights:
    """What one role is good for, in words: with what it `runs`, also in an `emergency`, and yes or no."""

    role: str
    runs: str
    emergency: str
    approves: str
    reviews: str


def rights(bench: Bench, question: Question) -> Iterator[Rights]:
    """Yield each role's rights on the action of a question, as of its moment; its principal plays no part."""
    asked = replace(question, principal=SOMEBODY)
    for name in bench.book.roles:
        one = holder(name)
        mine = replace(question, principal=one, break_glass=False)
        yield Rights(
            bench.title(name),
            _told(bench, judge.decide(bench, mine)),
            _told(bench, judge.decide(bench, replace(mine, break_glass=True))),
            _yes(judge.approve(bench, one, asked)),
            _yes(judge.review(bench, one, asked)),
        )


def _told(bench: Bench, decision: Decision) -> str:
    if isinstance(decision, NeedsApproval):
        return f"{count(decision.count, 'approval')} from {listed([*map(bench.title, decision.roles)], 'or')}"
    return "at once" if isinstance(decision, Permit) else "no"


def _yes(decision: Decision) -> str:
    return "yes" if isinstance(decision, Permit) else "no"
