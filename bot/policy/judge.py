"""Puts questions to Cedar and reads its answers. What isn't clearly allowed is denied."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cedarpy

from bot.core.decision import Decision, Deny, NeedsApproval, Permit, Reason
from bot.core.principal import Principal, PrincipalKind
from bot.core.wording import listed
from bot.policy import facts, tree
from bot.policy.rules import Rulebook, policy_set
from bot.ports import Question

# What stands in the audit log for a policy's name where none of them spoke.
DEFAULT, ERROR, NO_APPROVER, SELF_APPROVAL = "default-deny", "error", "no-approver", "self-approval"

UNFIT = Reason(
    ERROR,
    "This can't be judged, so it is denied: what was filled in doesn't fit what policies can read "
    "(a number too large, or half of a character).",
)

OWN = Reason(SELF_APPROVAL, "Only a person approves, and never what they asked for themselves.")


@dataclass(frozen=True)
class Verdict:
    """Cedar's answer to one request: the policies that brought it about, or the fault that denies it."""

    allowed: bool
    reasons: tuple[Reason, ...] = ()
    fault: Reason | None = None


@dataclass(frozen=True)
class Bench:
    """A rulebook ready to be asked: its policies, and the numbers of approvals worth trying (from 0 up)."""

    book: Rulebook
    policies: cedarpy.PolicySet
    counts: tuple[int, ...]

    @classmethod
    def of(cls, book: Rulebook, trees: Mapping[str, tree.Tree]) -> "Bench":
        """Make a bench of some form of the book's policies."""
        return cls(book, policy_set(trees), tree.counts(trees))

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


def decide(bench: Bench, question: Question) -> Decision:
    """Say whether it may run: at once, with how many approvals, or not and why. Whatever goes wrong denies."""
    try:
        return Hearing(bench, question).decision()
    except Exception:
        return Deny((UNFIT,))


def review(bench: Bench, approver: Principal, question: Question) -> Decision:
    """Say whether `approver` may vote on `question`. Whatever goes wrong denies."""
    try:
        return Hearing(bench, question, approver).review(approver)
    except Exception:
        return Deny((UNFIT,))


class Hearing:
    """One question before the bench."""

    def __init__(self, bench: Bench, question: Question, approver: Principal | None = None) -> None:
        """Gather the facts. Raises ValueError (or TypeError) where Cedar can't take them."""
        self._bench, self._question = bench, question
        self._people = [question.principal, *([approver] if approver else [])]
        self._entities = facts.entities(self._people, question, bench.book.schema)
        self._holders = [facts.holder(role) for role in bench.book.roles]

    @cached_property
    def _with_holders(self) -> cedarpy.Entities:
        """The facts with somebody of every role, to find out who else could: most questions don't need them."""
        return facts.entities([*self._holders, *self._people], self._question, self._bench.book.schema)

    def decision(self) -> Decision:
        """Find the smallest number of approvals with which policy permits the run."""
        principal = self._question.principal
        verdicts = self._tried(principal, self._bench.counts[:1])
        if not verdicts[0].allowed:
            verdicts += self._tried(principal, self._bench.counts[1:])
        fault = next((verdict.fault for verdict in verdicts if verdict.fault), None)
        if fault:
            return Deny((fault,))
        smallest = _smallest(verdicts)
        if smallest is None:
            return Deny(verdicts[-1].reasons or (self._default("run this action", principal),), self._could())
        if smallest == 0:
            return Permit(verdicts[0].reasons)
        why = (*verdicts[smallest - 1].reasons, *verdicts[smallest].reasons)
        return self._approvable(self._bench.counts[smallest], why)

    def review(self, approver: Principal) -> Decision:
        """Say whether `approver` may vote. Whatever the policies say, it is another person than the requester."""
        requester = self._question.principal
        verdict = self._bench.ask([facts.approve(approver, requester, self._question)], self._entities)[0]
        if verdict.fault:
            return Deny((verdict.fault,))
        if verdict.allowed and _independent(approver, requester):
            return Permit(verdict.reasons)
        why = (OWN,) if verdict.allowed else verdict.reasons or (self._default("approve this request", approver),)
        return Deny(why, self._approvers(requester))

    def _tried(self, principal: Principal, counts: Iterable[int]) -> list[Verdict]:
        return self._bench.ask([facts.run(principal, self._question, count) for count in counts], self._entities)

    def _approvable(self, count: int, reasons: tuple[Reason, ...]) -> Decision:
        roles = self._approvers(self._question.principal)
        if roles:
            return NeedsApproval(count, roles, reasons)
        sentence = (
            "It would need an approval, and no role may give it: whoever keeps the policies can change that."
        )
        return Deny((*reasons, Reason(NO_APPROVER, sentence)))

    def _approvers(self, requester: Principal) -> tuple[str, ...]:
        requests = [facts.approve(holder, requester, self._question) for holder in self._holders]
        verdicts = self._bench.ask(requests, self._with_holders)
        return tuple(
            role for role, verdict in zip(self._bench.book.roles, verdicts, strict=True) if verdict.allowed
        )

    def _could(self) -> tuple[str, ...]:
        """Name the roles that could run it, or ask for it with somebody there to approve."""
        counts = self._bench.counts
        asked = [facts.run(holder, self._question, count) for holder in self._holders for count in counts]
        verdicts = self._bench.ask(asked, self._with_holders)
        able = []
        for place, holder in enumerate(self._holders):
            smallest = _smallest(verdicts[place * len(counts) : (place + 1) * len(counts)])
            if smallest == 0 or (smallest is not None and self._approvers(holder)):
                able.append(holder.who.oid)
        return tuple(able)

    def _default(self, deed: str, principal: Principal) -> Reason:
        """Word a denial that no policy brought about: none allows it."""
        titles = [self._bench.title(role) for role in sorted(principal.roles)]
        if not titles:
            return Reason(DEFAULT, f"You hold no role here, and no policy lets people without one {deed}.")
        return Reason(DEFAULT, f"No policy lets {listed(titles, 'or')} {deed}.")


def _smallest(verdicts: Sequence[Verdict]) -> int | None:
    """Return the place of the first permit; None where there is none, or where any of them failed."""
    if any(verdict.fault for verdict in verdicts):
        return None
    return next((place for place, verdict in enumerate(verdicts) if verdict.allowed), None)


def _independent(approver: Principal, requester: Principal) -> bool:
    return approver.kind is PrincipalKind.PERSON and approver.who != requester.who


def _failure(error: str) -> Reason:
    return Reason(ERROR, f"A policy failed on this, so it is denied; whoever keeps the policies mends it: {error}")
