"""Puts questions to Cedar and reads its answers. What isn't clearly allowed is denied."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import product
from typing import Any

import cedarpy

from bot.core.action import Action
from bot.core.decision import DEFAULT, MOST_APPROVALS, UNKNOWN, Decision, Deny, NeedsApproval, Permit, Reason
from bot.core.principal import Principal, PrincipalKind
from bot.core.wording import listed
from bot.policy import facts, rules, tree
from bot.policy.facts import Holder, Matter
from bot.policy.quorum import Way, ways
from bot.policy.rules import Rulebook, policy_set
from bot.ports import Question, Situation

# What stands in the audit log for a policy's name where none of them spoke.
ERROR, NO_APPROVER, SELF_APPROVAL = "error", "no-approver", "self-approval"
_SCOPES = ("action", "resource")
DEEDS = ("run", "approve", "review")
MOST_KEPT = 10_000
# What differs from request to request; and what tells one requester from another.
_VARYING = frozenset({"arguments", "now", "hour", "weekday"})
REQUESTER = frozenset({"requester", "agent"})

UNFIT = Reason(
    ERROR,
    "This can't be judged, so it is denied: what was filled in doesn't fit what policies can read "
    "(a number too large, or half of a character).",
)

OWN = Reason(SELF_APPROVAL, "Only a person decides, and never on what they asked for themselves.")


@dataclass(frozen=True)
class Verdict:
    """Cedar's answer to one request: the policies that brought it about, or the fault that denies it."""

    allowed: bool
    reasons: tuple[Reason, ...] = ()
    fault: Reason | None = None


@dataclass(frozen=True)
class Bench:
    """A rulebook ready to be asked: its policies, the numbers of approvals worth trying (from 0 up), the roles
    that some policy asks for among the approvers, and those that some policy names at all.
    """

    book: Rulebook
    trees: Mapping[str, tree.Tree]
    policies: cedarpy.PolicySet
    counts: tuple[int, ...]
    seats: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    _kept: dict[frozenset[tuple[str, str]], "Bench"] = field(default_factory=dict, compare=False, repr=False)
    _approvers: dict[Hashable, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, book: Rulebook, trees: Mapping[str, tree.Tree]) -> "Bench":
        """Make a bench of some form of the book's policies."""
        named = frozenset(
            name for one in trees.values() for kind, name in tree.literals(one) if kind == rules.ROLE
        )
        return cls(book, trees, policy_set(trees), tree.counts(trees), tree.seats(trees), named)

    def about(self, deed: str, action: Action) -> "Bench":
        """Return the bench with those policies alone that can hold for a deed (`run`, `approve`, `review`) on an
        action: Cedar goes through every policy it has.
        """
        uids = [("Deputy::Action", deed), *((uid["type"], uid["id"]) for uid in facts.resources(action))]
        looks = [(name, str(facts.ATTRIBUTES[name](action))) for name in self._demanded]
        known = frozenset(self._scoped.intersection(uids).union(looks))
        if known not in self._kept:
            chosen = {name: one for name, one in self.trees.items() if _holds(one, known)}
            self._kept[known] = Bench.of(self.book, chosen)
        return self._kept[known]

    def group(self, action: Action) -> Hashable:
        """Return all of an action that the policies can tell apart."""
        read = [str(facts.ATTRIBUTES[name](action)) for name in self._told_apart_by]
        return (*(self.literal(uid) for uid in facts.resources(action)), *read)

    def literal(self, uid: facts.Uid) -> str | None:
        """Return an entity's id where some policy names it; to the others all of them are one."""
        return uid["id"] if (uid["type"], uid["id"]) in self._literals else None

    def approvers(self, key: Hashable, find: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
        """Return the roles that may approve what is alike by `key`: those found before, while there is room."""
        if key not in self._approvers:
            if len(self._approvers) >= MOST_KEPT:
                self._approvers.clear()
            self._approvers[key] = find()
        return self._approvers[key]

    @cached_property
    def reads(self) -> frozenset[str]:
        """Every attribute that some policy reads."""
        return frozenset(tree.attributes(list(self.trees.values())))

    @cached_property
    def arguments(self) -> frozenset[str] | None:
        """The names of the arguments that some policy looks at; None where it may be any of them."""
        return tree.arguments(self.trees)

    @cached_property
    def _told_apart_by(self) -> list[str]:
        """The attributes of an action that some policy reads."""
        return sorted(self.reads & facts.ATTRIBUTES.keys())

    @cached_property
    def _literals(self) -> frozenset[tuple[str, str]]:
        return frozenset(tree.literals(list(self.trees.values())))

    @cached_property
    def _scoped(self) -> frozenset[tuple[str, str]]:
        """Every deed, action and category in the scope of some policy: those that make a difference."""
        return frozenset().union(*(tree.scope(one, part) for one in self.trees.values() for part in _SCOPES))

    @cached_property
    def _demanded(self) -> frozenset[str]:
        """Every attribute of an action that some policy demands to be so."""
        return frozenset(name for one in self.trees.values() for name, _ in tree.demands(one))

    def ask(self, requests: Sequence[dict[str, Any]], entities: cedarpy.Entities) -> list[Verdict]:
        """Answer requests in their order."""
        answers = cedarpy.is_authorized_batch(list(requests), self.policies, entities, self.book.schema)
        return [self._verdict(answer) for answer in answers]

    def title(self, role: str) -> str:
        """Return what people call a role."""
        return self.book.roles[role].title if role in self.book.roles else role

    def _verdict(self, answer: cedarpy.AuthzResult) -> Verdict:
        """Read an answer. A policy that failed was skipped, a forbid too: so any failure denies."""
        reasons = tuple(self._reason(policy) for policy in sorted(answer.diagnostics.reasons))
        if answer.decision is cedarpy.Decision.NoDecision:
            return Verdict(False, fault=UNFIT)
        if answer.diagnostics.errors:
            return Verdict(False, fault=_failure(answer.diagnostics.errors[0]))
        return Verdict(answer.decision is cedarpy.Decision.Allow, reasons)

    def _reason(self, policy: str) -> Reason:
        return Reason(policy, self.book.rules[policy].reason)


def _holds(one: tree.Tree, known: frozenset[tuple[str, str]]) -> bool:
    scopes = (tree.scope(one, part) for part in _SCOPES)
    return all(not named or named & known for named in scopes) and tree.demands(one) <= known


def decide(bench: Bench, question: Question) -> Decision:
    """Say whether it may run: at once, with how many approvals, or not and why. Whatever goes wrong denies."""
    return _heard(bench, question, Hearing.decision)


def approve(bench: Bench, approver: Principal, question: Question) -> Decision:
    """Say whether `approver` may vote on `question`. Whatever goes wrong denies."""
    return _heard(bench, question, lambda hearing: hearing.approval(approver), approver)


def review(bench: Bench, reviewer: Principal, question: Question) -> Decision:
    """Say whether `reviewer` may review `question` after it ran as an emergency. Whatever goes wrong denies."""
    return _heard(bench, question, lambda hearing: hearing.afterwards(reviewer), reviewer)


def opens(bench: Bench, question: Question) -> datetime | None:
    """Return the first hour, of the coming week or after a freeze that is on, at which asking is allowed."""
    try:
        hopeful = Hearing(bench, question).hopeful(list(bench.book.calendar.ahead(question.now)))
    except Exception:
        return None
    answers = ((moment, decide(bench, replace(question, now=moment))) for moment in hopeful)
    return next((moment for moment, answer in answers if not isinstance(answer, Deny)), None)


def _heard(
    bench: Bench, question: Question, hear: Callable[["Hearing"], Decision], *people: Principal
) -> Decision:
    """Decide with what is known; where not everything is, the strictest that may be so holds, and says why."""
    try:
        decision, *others = (
            _worded(hear(hearing), hearing.words)
            for hearing in (Hearing(bench, one, *people) for one in _possible(question, *people))
        )
        strictest = max(decision, *others, key=_strictness) if others else decision
        if all(_strictness(one) == _strictness(strictest) for one in (decision, *others)):
            return decision
        return replace(strictest, reasons=(*strictest.reasons, *_untold(question.situation)))
    except Exception:
        return Deny((UNFIT,))


def _possible(question: Question, *people: Principal) -> Iterator[Question]:
    """Yield the question as far as is known, then with everything that isn't known and may be so."""
    yield question
    known = question.situation
    if known.unknown:
        everybody = known.on_call | {one.who.key for one in (question.principal, *people)}
        for on_call, incident in product(
            (known.on_call, everybody), (known.incident, known.incident or "unknown")
        ):
            yield replace(question, situation=Situation(on_call, incident))


def _strictness(decision: Decision) -> int:
    if isinstance(decision, NeedsApproval):
        return decision.count
    return 0 if isinstance(decision, Permit) else MOST_APPROVALS + 1


def _untold(situation: Situation) -> Iterator[Reason]:
    for sentence in situation.unknown:
        yield Reason(UNKNOWN, sentence)


def _worded(decision: Decision, words: Mapping[str, str]) -> Decision:
    """Fill the placeholders in reasons, like {freeze}, with what goes on."""
    reasons = tuple(replace(one, sentence=rules.filled(one.sentence, words)) for one in decision.reasons)
    return replace(decision, reasons=reasons)


class Hearing:
    """One question before the bench."""

    def __init__(self, bench: Bench, question: Question, *others: Principal) -> None:
        """Gather the facts. Raises ValueError (or TypeError) where Cedar can't take them."""
        self._whole, self._question = bench, question
        self._bench, self._approving = (bench.about(deed, question.action) for deed in ("run", "approve"))
        self._matter = Matter(question, bench.book.calendar)
        self._people = [*self._worth_asking(self._approving), question.principal, *others]
        self._entities = self._matter.entities(self._people, bench.book.schema)

    @cached_property
    def _with_holders(self) -> cedarpy.Entities:
        """The facts with somebody of each role that may run it, too: most questions don't need them."""
        return self._matter.entities([*self._worth_asking(self._bench), *self._people], self._bench.book.schema)

    @property
    def words(self) -> Mapping[str, str]:
        """What goes on, in the words that may stand in a policy's @reason."""
        return self._matter.words

    def decision(self) -> Decision:
        """Find the smallest number of approvals with which policy permits the run."""
        principal = self._question.principal
        tried = self._ways(principal, self._question.approvers)
        enough = [way for way in tried if not _adds(way, self._question)]
        verdicts = self._tried(principal, enough)
        if not any(verdict.allowed for verdict in verdicts):
            verdicts += self._tried(principal, tried[len(enough) :])
        fault = next((verdict.fault for verdict in verdicts if verdict.fault), None)
        if fault:
            return Deny((fault,))
        smallest = _smallest(verdicts)
        if smallest is None:
            return Deny(verdicts[-1].reasons or (self._default("run this action", principal),), self._could())
        if smallest < len(enough):
            return Permit(verdicts[smallest].reasons)
        why = (*verdicts[smallest - 1].reasons, *verdicts[smallest].reasons)
        return self._approvable(tried[smallest], why)

    def hopeful(self, moments: Sequence[datetime]) -> list[datetime]:
        """Return those moments, of each kind the first, at which approvals would be enough if they can be had."""
        principal = self._question.principal
        last = self._ways(principal, self._question.approvers)[-1]
        # Moments that no policy tells apart are one: of a week there are three or four.
        matters = {
            self._when(matter): matter
            for moment in sorted(moments, reverse=True)
            for matter in [Matter(replace(self._question, now=moment), self._bench.book.calendar)]
        }
        firsts = sorted(matters.values(), key=lambda matter: matter.question.now)
        asked = [matter.run(principal, last.count, last.roles) for matter in firsts]
        verdicts = zip(firsts, self._bench.ask(asked, self._entities), strict=True)
        return [matter.question.now for matter, verdict in verdicts if verdict.allowed]

    def _when(self, matter: Matter) -> Hashable:
        """Return all of a moment that the policies can tell apart."""
        reads, moment = self._bench.reads | self._approving.reads, matter.moment
        return (
            moment.business,
            moment.freeze,
            moment.local.hour if "hour" in reads else None,
            moment.local.isoweekday() if "weekday" in reads else None,
            matter.question.now if "now" in reads else None,
        )

    def approval(self, approver: Principal) -> Decision:
        """Say whether `approver` may vote. Whatever the policies say, it is another person than the requester."""
        requester = self._question.principal
        verdict = self._approving.ask([self._matter.approve(approver, requester)], self._entities)[0]
        decision = self._other_persons(verdict, approver, "approve this request")
        return replace(decision, roles=self._approvers(requester)) if isinstance(decision, Deny) else decision

    def afterwards(self, reviewer: Principal) -> Decision:
        """Say whether `reviewer` may review an emergency: another person's, whatever the policies say."""
        reviewing = self._whole.about("review", self._question.action)
        verdict = reviewing.ask([self._matter.review(reviewer, self._question.principal)], self._entities)[0]
        return self._other_persons(verdict, reviewer, "review this")

    def _other_persons(self, verdict: Verdict, other: Principal, deed: str) -> Permit | Deny:
        if verdict.fault:
            return Deny((verdict.fault,))
        if verdict.allowed and _independent(other, self._question.principal):
            return Permit(verdict.reasons)
        return Deny((OWN,) if verdict.allowed else verdict.reasons or (self._default(deed, other),))

    def _ways(self, requester: Principal, given: Sequence[frozenset[str]] = ()) -> list[Way]:
        """Return the ways to enough approvals; a seat that nobody may take leads nowhere."""
        seats = self._bench.seats and set(self._bench.seats).intersection(self._approvers(requester))
        return ways(self._bench.counts, given, seats)

    def _tried(self, principal: Principal, tried: Iterable[Way]) -> list[Verdict]:
        asked = [self._matter.run(principal, way.count, way.roles) for way in tried]
        entities = self._with_holders if isinstance(principal, Holder) else self._entities
        return self._bench.ask(asked, entities)

    def _approvable(self, way: Way, reasons: tuple[Reason, ...]) -> Decision:
        roles = self._approvers(self._question.principal)
        if roles:
            return NeedsApproval(way.count, roles, tuple(dict.fromkeys(reasons)), way.seats)
        sentence = (
            "It would need an approval, and no role may give it: whoever keeps the policies can change that."
        )
        return Deny((*reasons, Reason(NO_APPROVER, sentence)))

    def _approvers(self, requester: Principal) -> tuple[str, ...]:
        """Name the roles that may approve it for `requester`; where nothing that varies is read, found once."""
        reads, asked, moment = self._approving.reads, self._question, self._matter.moment
        if reads & _VARYING:
            return self._found_approvers(requester)
        who = (requester.who.key, requester.roles) if reads & REQUESTER else ()
        now = (moment.business, moment.freeze, asked.situation, asked.door, asked.escalated, asked.delegated)
        key = (self._approving.group(asked.action), requester.kind, who, now)
        return self._approving.approvers(key, lambda: self._found_approvers(requester))

    def _found_approvers(self, requester: Principal) -> tuple[str, ...]:
        holders = self._worth_asking(self._approving)
        requests = [self._matter.approve(holder, requester) for holder in holders]
        entities = self._with_holders if isinstance(requester, Holder) else self._entities
        verdicts = self._approving.ask(requests, entities)
        able = [holder for holder, verdict in zip(holders, verdicts, strict=True) if verdict.allowed]
        return self._roles(self._approving, able)

    def _could(self) -> tuple[str, ...]:
        """Name the roles that could run it, or ask for it with somebody there to approve."""
        able = []
        for holder in self._worth_asking(self._bench):
            smallest = _smallest(self._tried(holder, self._ways(holder)))
            if smallest == 0 or (smallest is not None and self._approvers(holder)):
                able.append(holder)
        return self._roles(self._bench, able)

    def _worth_asking(self, bench: Bench) -> list[Holder]:
        """Return a holder of each role that some policy names; somebody without a role stands for all others."""
        return [*(facts.holder(role) for role in bench.book.roles if role in bench.named), facts.NOBODY]

    def _roles(self, bench: Bench, able: Iterable[Holder]) -> tuple[str, ...]:
        names = {holder.who.oid for holder in able}
        others = facts.NOBODY.who.oid in names
        return tuple(role for role in bench.book.roles if (role in names if role in bench.named else others))

    def _default(self, deed: str, principal: Principal) -> Reason:
        """Word a denial that no policy brought about: none allows it."""
        titles = [self._bench.title(role) for role in sorted(principal.roles)]
        if not titles:
            return Reason(DEFAULT, f"You hold no role here, and no policy lets people without one {deed}.")
        return Reason(DEFAULT, f"No policy lets {listed(titles, 'or')} {deed}.")


def _adds(way: Way, question: Question) -> bool:
    """Say whether a way takes more approvals than there are."""
    return way.count > len(question.approvers) or bool(way.seats)


def _smallest(verdicts: Sequence[Verdict]) -> int | None:
    """Return the place of the first permit; None where there is none, or where any of them failed."""
    if any(verdict.fault for verdict in verdicts):
        return None
    return next((place for place, verdict in enumerate(verdicts) if verdict.allowed), None)


def _independent(approver: Principal, requester: Principal) -> bool:
    return approver.kind is PrincipalKind.PERSON and approver.who != requester.who


def _failure(error: str) -> Reason:
    return Reason(ERROR, f"A policy failed on this, so it is denied; whoever keeps the policies mends it: {error}")
