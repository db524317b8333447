"""A question in Cedar's words: the entities it is about, and what is asked of them.

Everything travels as typed JSON, never as Cedar text, so no id and no argument can be read as syntax.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import cedarpy

from bot.core.action import Action
from bot.core.parameter import Value
from bot.core.principal import Principal, PrincipalKind, Who
from bot.ports import Question

Uid = Mapping[str, str]

# Arguments by the type of their value: the schema has one kind of tagged entity for each.
_TAGS: Mapping[type, str] = {str: "Texts", int: "Numbers", bool: "Flags", tuple: "Lists"}
_GIVEN = "given"

# All that policies can know of an action, besides its id and category.
ATTRIBUTES: Mapping[str, Callable[[Action], Any]] = {
    "risk": lambda action: action.risk.value,
    "target": lambda action: action.target,
    "runner": lambda action: action.runner,
    "private": lambda action: action.private,
    "idempotent": lambda action: action.idempotent,
    "credentials": lambda action: sorted(set(action.credentials.values())),
}


def holder(role: str) -> Principal:
    """Return a made-up person who holds one role; no tenant has people like that."""
    return Principal(Who("", role), frozenset({role}))


def entities(people: Iterable[Principal], question: Question, schema: cedarpy.Schema) -> cedarpy.Entities:
    """Return the few entities a question is about. Raises ValueError where they don't fit the schema.

    Somebody who is there twice (an approver who is the requester) has the roles they were named with last.
    """
    action = question.action
    found = {
        (one.kind, one.who): _entity(subject(one), [_uid("Role", role) for role in sorted(one.roles)])
        for one in people
    }
    what = _entity(script(action), [category(action)], {name: read(action) for name, read in ATTRIBUTES.items()})
    return cedarpy.Entities.from_json_str(
        json.dumps([*found.values(), what, *_arguments(question.arguments)]), schema
    )


def key(question: Question) -> Hashable:
    """Return all that an answer can depend on, but for the time."""
    one, action = question.principal, question.action
    read = [str(attribute(action)) for attribute in ATTRIBUTES.values()]
    given = repr(sorted(question.arguments.items()))  # by its looks, for True == 1
    return (one.kind, one.who.key, one.roles, action.id, action.category, *read, given, question.door)


def run(principal: Principal, question: Question, approvals: int) -> dict[str, Any]:
    """Ask whether `principal` may run it once it has so many approvals."""
    return _request(principal, "run", question, {"approvals": approvals})


def approve(approver: Principal, requester: Principal, question: Question) -> dict[str, Any]:
    """Ask whether `approver` may approve it for `requester`."""
    kind = "requester" if requester.kind is PrincipalKind.PERSON else "agent"
    facts = {kind: {"__entity": subject(requester)}, "selfRequest": approver.who == requester.who}
    return _request(approver, "approve", question, facts)


def subject(principal: Principal) -> Uid:
    """Return who a principal is to Cedar: by tenant and object id, never by name."""
    return _uid("Person" if principal.kind is PrincipalKind.PERSON else "Agent", principal.who.key)


def _request(principal: Principal, action: str, question: Question, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "principal": subject(principal),
        "action": _uid("Action", action),
        "resource": script(question.action),
        "context": json.dumps({**facts, **_circumstances(question.door, question.now.astimezone(UTC))}),
    }


def _circumstances(door: str, now: datetime) -> dict[str, Any]:
    moment = now.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    return {
        "door": door,
        "now": {"__extn": {"fn": "datetime", "arg": moment}},
        "hour": now.hour,
        "weekday": now.isoweekday(),
        "arguments": {"__entity": _uid("Arguments", _GIVEN)},
    }


def script(action: Action) -> Uid:
    """Return what an action is called by Cedar."""
    return _uid("Script", action.id)


def category(action: Action) -> Uid:
    """Return what an action's category is called by Cedar."""
    return _uid("Category", action.category)


def _arguments(arguments: Mapping[str, Value]) -> list[dict[str, Any]]:
    tags: dict[str, dict[str, Value]] = {kind: {} for kind in _TAGS.values()}
    for name, value in arguments.items():
        tags[_TAGS[type(value)]][name] = value
    refs = {kind.lower(): {"__entity": _uid(kind, _GIVEN)} for kind in tags}
    tagged = [{**_entity(_uid(kind, _GIVEN)), "tags": given} for kind, given in tags.items() if given]
    return [_entity(_uid("Arguments", _GIVEN), attrs=refs), *tagged]


def _entity(uid: Uid, parents: Sequence[Uid] = (), attrs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"uid": uid, "attrs": attrs or {}, "parents": parents}


def _uid(kind: str, name: str) -> Uid:
    return {"type": f"Deputy::{kind}", "id": name}
