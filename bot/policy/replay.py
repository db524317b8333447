"""Recorded decisions, decided again by other policies: who would gain, who would lose, what would be refused.

What was asked, by whom and with which roles stands in the audit log; the catalogue is that of today. Whom policies
of that day let approve is asked again for every approval that was given.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.core.action import Action
from bot.core.audit import Entry, Tag
from bot.core.canonical import Json
from bot.core.catalog import Catalog
from bot.core.decision import MOST_APPROVALS, Decision, Deny, NeedsApproval, Permit
from bot.core.parameter import Value
from bot.core.principal import Principal, PrincipalKind, Who
from bot.policy import judge
from bot.policy.judge import Bench
from bot.ports import Question, Situation

# How far a request came at once: the number of approvals it needed, or more than anybody can give.
REFUSED = MOST_APPROVALS + 1

_ASKED = (Tag.REQUEST_PERMITTED, Tag.REQUEST_NEEDS_APPROVAL, Tag.REQUEST_REFUSED)
_APPROVED = (Tag.APPROVAL_GRANTED, Tag.REQUEST_APPROVED)


@dataclass(frozen=True)
class Replayed:
    """One decision then and now: on a request the approvals it needs, on an approval (`vote`) 0 or REFUSED."""

    run: str
    at: datetime
    who: Who
    action: str
    before: int
    after: int
    decision: Decision
    vote: bool = False


@dataclass(frozen=True)
class Gone:
    """A decision that can't be made again: the catalogue has no such action any more."""

    run: str
    action: str


def replay(bench: Bench, catalog: Catalog, entries: Iterable[Entry], since: datetime) -> Iterator[Replayed | Gone]:
    """Decide again what was decided from `since` on; `entries` are the whole log, in order."""
    log = _Log(catalog)
    for entry in entries:
        question = log.read(entry)
        action = str(entry.facts.get("action", ""))
        if entry.at < since or entry.tag not in (*_ASKED, *_APPROVED):
            continue
        if question is None:
            yield Gone(entry.subject, action)
        elif entry.tag in _ASKED:
            decision = judge.decide(bench, question)
            who = Who(entry.tenant, entry.actor, entry.actor_name)
            yield Replayed(entry.subject, entry.at, who, action, _before(entry), _rank(decision), decision)
        elif "in_place_of" not in entry.facts:
            approver = _principal(entry)
            decision = judge.approve(bench, approver, question)
            yield Replayed(entry.subject, entry.at, approver.who, action, 0, _rank(decision), decision, vote=True)


class _Log:
    """What the log has told so far: what each run asked, and which emergencies wait for their review."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._asked: dict[str, tuple[Principal, Entry, int]] = {}
        self._unreviewed: dict[str, str] = {}
        self._escalated: set[str] = set()

    def read(self, entry: Entry) -> Question | None:
        """Take an entry in; return what is asked in its run, None where the action is gone."""
        if entry.tag in _ASKED and "request" in entry.facts:
            principal = _principal(entry)
            mine = list(self._unreviewed.values()).count(principal.who.key)
            self._asked[entry.subject] = (principal, entry, mine)
        asked = self._asked.get(entry.subject)
        if asked is None:
            return None
        principal, first, unreviewed = asked
        request: Mapping[str, Any] = _table(first.facts["request"])
        if entry.tag == Tag.RUN_STARTED and request.get("break_glass"):
            self._unreviewed[entry.subject] = principal.who.key
        if entry.tag == Tag.EMERGENCY_REVIEWED:
            self._unreviewed.pop(entry.subject, None)
        action = self._catalog.get(str(request.get("action", "")))
        if entry.tag == Tag.APPROVAL_ESCALATED:
            self._escalated.add(entry.subject)
        question = _question(principal, action, entry, first, request) if action else None
        escalated = entry.subject in self._escalated
        return question and replace(question, unreviewed=unreviewed, escalated=escalated)


def _question(
    principal: Principal, action: Action, entry: Entry, first: Entry, request: Mapping[str, Any]
) -> Question:
    people = ((principal, first), (_principal(entry), entry))
    return Question(
        principal,
        action,
        _arguments(_table(request.get("arguments"))),
        str(request.get("door", "")),
        entry.at,
        Situation(
            frozenset(one.who.key for one, told in people if told.facts.get("on_call")),
            str(entry.facts.get("incident", "")),
            _texts(entry.facts.get("unknown")),
        ),
        break_glass=bool(request.get("break_glass")),
    )


def _principal(entry: Entry) -> Principal:
    roles = entry.facts.get("roles", ())
    names = frozenset(str(role) for role in roles) if isinstance(roles, list | tuple) else frozenset[str]()
    kind = PrincipalKind.AGENT if entry.facts.get("agent") else PrincipalKind.PERSON
    return Principal(Who(entry.tenant, entry.actor, entry.actor_name), names, kind=kind)


def _arguments(given: Mapping[str, Any]) -> dict[str, Value]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def _texts(given: Json) -> tuple[str, ...]:
    return tuple(str(one) for one in given) if isinstance(given, list | tuple) else ()


def _table(given: Json) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}


def _before(entry: Entry) -> int:
    needed = entry.facts.get("approvals_needed", 0)
    return REFUSED if entry.tag == Tag.REQUEST_REFUSED else needed if isinstance(needed, int) else 0


def _rank(decision: Decision) -> int:
    if isinstance(decision, NeedsApproval):
        return decision.count
    return 0 if isinstance(decision, Permit) else REFUSED


def why(decision: Decision) -> str:
    """Return the policies that brought a decision about, with what a refusal says."""
    if isinstance(decision, Deny):
        return "; ".join(f"{reason.policy}: {reason.sentence}" for reason in decision.reasons)
    return ", ".join(reason.policy for reason in decision.reasons)
