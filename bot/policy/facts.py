"""A question in Cedar's words: the entities it is about, and what is asked of them.

Everything travels as typed JSON, never as Cedar text, so no id and no argument can be read as syntax.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import cedarpy

from bot.core import dn
from bot.core.action import Action
from bot.core.errors import Invalid
from bot.core.parameter import Kind, Value
from bot.core.principal import Principal, PrincipalKind, Who
from bot.policy.calendar import Calendar
from bot.ports import Question

Uid = Mapping[str, str]

# Arguments by the type of their value: the schema has one kind of tagged entity for each.
_TAGS: Mapping[type, str] = {str: "Texts", int: "Numbers", bool: "Flags", tuple: "Lists"}
_GIVEN, _FOLDED = "given", "folded"

# All that policies can know of an action, besides its id and category.
ATTRIBUTES: Mapping[str, Callable[[Action], Any]] = {
    "risk": lambda action: action.risk.value,
    "target": lambda action: action.target,
    "environment": lambda action: action.environment,
    "runner": lambda action: action.runner,
    "private": lambda action: action.private,
    "idempotent": lambda action: action.idempotent,
    "credentials": lambda action: sorted(set(action.credentials.values())),
}


class Holder(Principal):
    """A made-up person who holds one role, to find out what that role is good for."""


@cache
def holder(role: str) -> Holder:
    """Return somebody who holds one role; no tenant has people like that."""
    return Holder(Who("", role), frozenset({role}))


# Somebody who holds no role; the oid is none that a role can have.
NOBODY = Holder(Who("", ""), frozenset())


class Matter:
    """One question with all that is known when it is asked; what doesn't depend on who asks is put down once."""

    def __init__(self, question: Question, calendar: Calendar) -> None:
        """Gather the circumstances. Raises OverflowError for a moment that the calendar's zone can't show."""
        self.question = question
        self.moment = calendar.at(question.now)
        self._common = {**self._circumstances(), "arguments": {"__entity": _uid("Arguments", _GIVEN)}}

    @property
    def key(self) -> Hashable:
        """All that an answer can depend on, but for who asks, the hour, the exact moment, and the arguments."""
        asked, action = self.question, self.question.action
        known = [str(attribute(action)) for attribute in ATTRIBUTES.values()]
        votes = (asked.approvers, asked.escalated, asked.delegated, asked.break_glass, asked.unreviewed)
        moment = (self.moment.business, self.moment.freeze, asked.situation)
        return (action.id, action.category, action.definition, *known, asked.door, votes, moment)

    @property
    def words(self) -> Mapping[str, str]:
        """What may stand in a policy's @reason in braces, as people read it."""
        return {**self.moment.words, "incident": self.question.situation.incident or "no incident"}

    def entities(self, people: Iterable[Principal], schema: cedarpy.Schema) -> cedarpy.Entities:
        """Return the few entities the question is about. Raises ValueError where they don't fit the schema.

        Somebody who is there twice (an approver who is the requester) has the roles they were named with last.
        """
        action = self.question.action
        found = {
            (one.kind, one.who): _entity(subject(one), [_uid("Role", role) for role in sorted(one.roles)])
            for one in people
        }
        known = {name: read(action) for name, read in ATTRIBUTES.items()}
        what = _entity(script(action), [category(action)], known)
        given = _arguments(action, self.question.arguments)
        return cedarpy.Entities.from_json_str(json.dumps([*found.values(), what, *given]), schema)

    def run(self, principal: Principal, approvals: int, by: Iterable[str] = ()) -> dict[str, Any]:
        """Ask whether `principal` may run it once it has so many approvals, by people who stand for some roles."""
        unreviewed = 0 if isinstance(principal, Holder) else self.question.unreviewed
        asked = {"breakGlass": self.question.break_glass, "unreviewed": unreviewed}
        roles = [{"__entity": _uid("Role", role)} for role in sorted(by)]
        return self._request(principal, "run", {"approvals": approvals, "approvedBy": roles, **asked})

    def approve(self, approver: Principal, requester: Principal) -> dict[str, Any]:
        """Ask whether `approver` may approve it for `requester`."""
        return self._look(approver, requester, "approve")

    def review(self, reviewer: Principal, requester: Principal) -> dict[str, Any]:
        """Ask whether `reviewer` may review it after `requester` ran it as an emergency."""
        return self._look(reviewer, requester, "review")

    def _look(self, principal: Principal, requester: Principal, deed: str) -> dict[str, Any]:
        kind = "requester" if requester.kind is PrincipalKind.PERSON else "agent"
        own = principal.who == requester.who and not isinstance(requester, Holder)  # two may hold one role
        facts = {kind: {"__entity": subject(requester)}, "selfRequest": own}
        how = {"escalated": self.question.escalated, "delegated": self.question.delegated}
        return self._request(principal, deed, {**facts, **how})

    def _request(self, principal: Principal, deed: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "principal": subject(principal),
            "action": _uid("Action", deed),
            "resource": script(self.question.action),
            "context": json.dumps({**self._common, **facts, "onCall": self._on_call(principal)}),
        }

    def _on_call(self, principal: Principal) -> bool:
        """Say whether somebody is on call; for a role's made-up holder, whether anybody is."""
        on_call = self.question.situation.on_call
        return bool(on_call) if isinstance(principal, Holder) else principal.who.key in on_call

    def _circumstances(self) -> dict[str, Any]:
        local, incident = self.moment.local, self.question.situation.incident
        return {
            "door": self.question.door,
            "now": {"__extn": {"fn": "datetime", "arg": self.moment.utc}},
            "hour": local.hour,
            "weekday": local.isoweekday(),
            "businessHours": self.moment.business,
            **({"freeze": self.moment.freeze} if self.moment.freeze else {}),
            **({"incident": incident} if incident else {}),
        }


def subject(principal: Principal) -> Uid:
    """Return who a principal is to Cedar: by tenant and object id, never by name."""
    return _uid("Person" if principal.kind is PrincipalKind.PERSON else "Agent", principal.who.key)


def script(action: Action) -> Uid:
    """Return what an action is called by Cedar."""
    return _uid("Script", action.id)


def category(action: Action) -> Uid:
    """Return what an action's category is called by Cedar."""
    return _uid("Category", action.category)


def resources(action: Action) -> tuple[Uid, Uid]:
    """Return what policies call an action by: its own name, and its category's."""
    return script(action), category(action)


def check(arguments: Mapping[str, Value]) -> None:
    """Raise Invalid for a value of a type that policies can't read."""
    for value in arguments.values():
        if type(value) not in _TAGS or (isinstance(value, tuple) and {*map(type, value)} - {str}):
            raise Invalid(f"Policies can't read a {type(value).__name__}.")


def _arguments(action: Action, arguments: Mapping[str, Value]) -> list[dict[str, Any]]:
    """Put arguments down by the type of their value; texts also folded, and names as places in their tree."""
    given_names = [one.name for one in action.parameters if one.kind is Kind.DN and one.name in arguments]
    chains = {name: dn.chain(str(arguments[name])) for name in given_names}
    tags: dict[str, dict[str, Any]] = {kind: {} for kind in _TAGS.values()}
    for name, value in arguments.items():
        tags[_TAGS[type(value)]][name] = value
    groups = {kind.lower(): (_uid(kind, _GIVEN), given) for kind, given in tags.items()}
    groups["folded"] = (_uid("Texts", _FOLDED), {name: dn.fold(text) for name, text in tags["Texts"].items()})
    places = {name: {"__entity": _uid("OU", chain[0])} for name, chain in chains.items()}
    groups["names"] = (_uid("Names", _GIVEN), places)
    refs = {name: {"__entity": uid} for name, (uid, _) in groups.items()}
    tagged = [{**_entity(uid), "tags": given} for uid, given in groups.values() if given]
    return [
        _entity(_uid("Arguments", _GIVEN), attrs=refs),
        *tagged,
        *(_place(*chain) for chain in set(chains.values())),
    ]


def _place(name: str, *above: str) -> dict[str, Any]:
    """Return a place with all those above it at once: Cedar need not find its way from each to the next."""
    return _entity(_uid("OU", name), [_uid("OU", place) for place in above])


def _entity(uid: Uid, parents: Sequence[Uid] = (), attrs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"uid": uid, "attrs": attrs or {}, "parents": parents}


def _uid(kind: str, name: str) -> Uid:
    return {"type": f"Deputy::{kind}", "id": name}
