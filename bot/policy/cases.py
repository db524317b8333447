"""cases.toml: the policies' own tests. Who asks what, and what is to be decided.

    [[case]]
    name = "Helpdesk resets a password with one approval"
    as = "helpdesk"                  # a role, a list of roles, or "nobody"; agent = true for an agent
    action = "reset-password"
    arguments = {account = "alice"}
    expect = "approval"              # "permit", "approval" (count, by) or "deny" (because = a policy's @id)
    count = 1
    by = ["manager"]

With `approve = true` and a `requester` (as in `as`, or "self") it asks who may approve, with `review = true`
who may review an emergency. `door` is "chat" and `at` a Monday morning unless given; nobody is on call, there is
no incident and no emergency unless `on_call = true`, `incident = "…"`, `break_glass = true`, `unreviewed = 1`
say so; nor did it wait for long, nor is who votes there for somebody else, but for `escalated = true` and
`delegated = true`. What an argument needn't be for the case may be left out; `risk`, `category` and `environment`
take the place of the action's own.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bot.core import toml
from bot.core.action import Action, Risk
from bot.core.catalog import Catalog
from bot.core.decision import Decision, Deny, NeedsApproval, Permit
from bot.core.errors import Invalid, gathered, noted
from bot.core.parameter import bind
from bot.core.principal import Principal, PrincipalKind, Who
from bot.core.text import decoded
from bot.core.wording import listed
from bot.policy import judge
from bot.policy.judge import Bench
from bot.ports import Question, Situation

FILE = "cases.toml"
SELF = "self"
NOBODY = "nobody"
At = Callable[..., AbstractContextManager[None]]  # gives a fault the line of the keys it is called with
_HEADER = re.compile(r"\s*\[\[\s*case\s*]]")

# What a case may take to be otherwise of an action, so that rules can be shown that the catalogue doesn't meet.
_OVERRIDES = ("risk", "category", "environment")
_KINDS: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "as": (str, list),
    "action": (str,),
    "expect": (str,),
    "arguments": (dict,),
    "count": (int,),
    "by": (list,),
    "because": (str,),
    "approve": (bool,),
    "review": (bool,),
    "requester": (str, list),
    "agent": (bool,),
    "door": (str,),
    "at": (datetime,),
    "on_call": (bool,),
    "incident": (str,),
    "break_glass": (bool,),
    "unreviewed": (int,),
    "escalated": (bool,),
    "delegated": (bool,),
    **dict.fromkeys(_OVERRIDES, (str,)),
}
_ASKED = ("requester", "approve", "review")
_NEEDED = ("name", "as", "action", "expect")
_EXPECTED: Mapping[str, type] = {"permit": Permit, "approval": NeedsApproval, "deny": Deny}


@dataclass(frozen=True)
class Case:
    """One question and its answer. `where` is `file:line`; where `requester` is set, it asks who approves.

    `otherwise` takes the place of some of the action's own fields.
    """

    name: str
    where: str
    asker: tuple[str, ...]
    action: str
    expect: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    count: int = 1
    by: frozenset[str] | None = None
    because: str = ""
    requester: tuple[str, ...] | None = None
    review: bool = False
    agent: bool = False
    door: str = "chat"
    at: datetime = datetime(2026, 11, 23, 9, tzinfo=UTC)
    on_call: bool = False
    incident: str = ""
    break_glass: bool = False
    unreviewed: int = 0
    escalated: bool = False
    delegated: bool = False
    otherwise: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a case went, in a sentence."""

    name: str
    ok: bool
    sentence: str
    where: str


def read(path: Path) -> tuple[Case, ...]:
    """Read the cases of a file, none where there is no file. Raises Invalid naming line and field."""
    try:
        text = decoded(path.read_bytes(), path.name) if path.exists() else ""
    except OSError as error:
        raise Invalid(f"It can't be read: {error.strerror}.", path.name) from None
    found = toml.read(text, path.name)
    at = partial(toml.at, text, path.name)
    given = found.pop("case", [])
    tables = given if isinstance(given, list) and all(isinstance(one, dict) for one in given) else None
    cases: list[Case] = []
    with gathered() as faults:
        for name in [*found, *(["case"] if tables is None else [])]:
            with noted(faults), at(name):
                raise Invalid(f"It holds tables called [[case]] and nothing else, not “{name}”.")
        for number, (table, line) in enumerate(zip(tables or (), _lines(text, tables or ()), strict=True)):
            with noted(faults):
                cases.append(_case(table, f"{path.name}:{line}", partial(at, "case", number)))
    return tuple(cases)


def _lines(text: str, tables: Sequence[object]) -> list[int]:
    """Return the line of each case; all at once, for there may be many."""
    lines = [number for number, line in enumerate(text.split("\n"), 1) if _HEADER.match(line)]
    if len(lines) == len(tables):
        return lines
    return [toml.line_of(text, ("case", number)) for number in range(len(tables))]


def run_cases(bench: Bench, catalog: Catalog, cases: Iterable[Case]) -> tuple[Result, ...]:
    """Put every case to the policies. A case that can't be asked (no such action, a wrong argument) fails."""
    return tuple(run_case(bench, catalog, case) for case in cases)


def run_case(bench: Bench, catalog: Catalog, case: Case) -> Result:
    """Put one case to the policies."""
    found = catalog.get(case.action)
    faults = list(_faults(bench, found, case))
    if found is None or faults:
        return Result(case.name, False, " ".join(faults), case.where)
    decision = _asked(bench, replace(found, **_typed(case.otherwise)), case)
    ok = _as_expected(decision, case)
    sentence = "As expected." if ok else f"Expected {_expected(case)}, but policy says {_told(decision)}."
    return Result(case.name, ok, sentence, case.where)


def _typed(otherwise: Mapping[str, str]) -> dict[str, Any]:
    return {name: Risk(value) if name == "risk" else value for name, value in otherwise.items()}


def _case(table: Mapping[str, Any], where: str, at: At) -> Case:
    right: dict[str, Any] = {}
    with gathered() as faults:
        for name, value in table.items():
            with noted(faults), at(name):
                _check_field(name, value)
                right[name] = value
        for name in _NEEDED:
            with noted(faults), at():
                if name not in table:
                    raise Invalid(f"“{name}” is missing; a case needs {listed(_NEEDED)}.")
        with noted(faults), at(*[name for name in _ASKED if name in table][:1]):
            if bool(table.get("approve")) + bool(table.get("review")) != ("requester" in table):
                raise Invalid("“approve” or “review” and “requester” come together: whose request is it?")
        with noted(faults), at("expect"):
            if right.get("expect") == "approval" and "requester" in table:
                raise Invalid("“expect” is permit or deny where the case asks who may approve.")
    return _built(right, where)


def _check_field(name: str, value: object) -> None:
    if name not in _KINDS:
        raise Invalid(f"“{name}” is unknown; a case has {', '.join(_KINDS)}.")
    if not isinstance(value, _KINDS[name]) or (isinstance(value, bool) and bool not in _KINDS[name]):
        raise Invalid(f"“{name}” is {value!r}, which is of the wrong kind.")
    if name == "expect" and value not in _EXPECTED:
        raise Invalid(f"“expect” is permit, approval or deny, not “{value}”.")
    if name == "risk" and value not in [*Risk]:
        raise Invalid(f"“risk” is {listed([*Risk], 'or')}, not “{value}”.")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise Invalid("“at” needs its offset from UTC: 2026-11-23T09:00:00Z.")


def _built(table: Mapping[str, Any], where: str) -> Case:
    plain = {
        name: table[name]
        for name in _KINDS
        if name in table and name not in ("as", "by", "approve", "requester", *_OVERRIDES)
    }
    return Case(
        **plain,
        where=where,
        asker=_roles(table["as"]),
        by=frozenset(table["by"]) if "by" in table else None,
        requester=_roles(table["requester"]) if "requester" in table else None,
        otherwise={name: table[name] for name in _OVERRIDES if name in table},
    )


def _roles(given: str | list[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _faults(bench: Bench, action: Action | None, case: Case) -> Iterator[str]:
    """Say why a case can't be asked; parameters it leaves out are no fault."""
    if action is None:
        yield f"There is no action “{case.action}” in the catalogue."
    else:
        faults = bind(action.parameters, case.arguments).faults
        yield from (fault.sentence for fault in faults if fault.field in case.arguments)
    for role in {*case.asker, *(case.requester or ()), *(case.by or ())} - {NOBODY, SELF}:
        if role not in bench.book.roles:
            yield f"There is no role “{role}” in roles.toml."


def _asked(bench: Bench, action: Action, case: Case) -> Decision:
    asker = _principal("asker", case.asker, agent=case.agent)
    own = case.requester is None or case.requester == (SELF,)
    question = Question(
        asker if own else _principal("requester", case.requester or ()),
        action,
        bind(action.parameters, case.arguments).arguments,
        case.door,
        case.at,
        Situation(frozenset({asker.who.key} if case.on_call else ()), case.incident),
        case.break_glass,
        case.unreviewed,
        escalated=case.escalated,
        delegated=case.delegated,
    )
    if case.requester is None:
        return judge.decide(bench, question)
    return (judge.review if case.review else judge.approve)(bench, asker, question)


def _principal(oid: str, roles: tuple[str, ...], *, agent: bool = False) -> Principal:
    kind = PrincipalKind.AGENT if agent else PrincipalKind.PERSON
    return Principal(Who("cases", oid), frozenset(roles) - {NOBODY}, kind=kind)


def _as_expected(decision: Decision, case: Case) -> bool:
    if not isinstance(decision, _EXPECTED[case.expect]):
        return False
    if isinstance(decision, NeedsApproval):
        return decision.count == case.count and case.by in (None, frozenset(decision.roles))
    return not case.because or case.because in {reason.policy for reason in decision.reasons}


def _expected(case: Case) -> str:
    if case.expect == "approval":
        return f"approval ({case.count} by {listed(sorted(case.by), 'or') if case.by else 'anybody'})"
    return f"{case.expect}{f' because of {case.because}' if case.because else ''}"


def _told(decision: Decision) -> str:
    because = listed([reason.policy for reason in decision.reasons])
    if isinstance(decision, NeedsApproval):
        return f"approval ({decision.count} by {listed(sorted(decision.roles), 'or')}) because of {because}"
    return f"{'permit' if isinstance(decision, Permit) else 'deny'} because of {because}"
