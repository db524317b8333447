"""A question as it is put on the command line: who asks, with what, when, and what goes on."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bot.core.action import Action
from bot.core.errors import Invalid
from bot.core.parameter import Value, bind
from bot.core.principal import Principal, PrincipalKind, Who
from bot.policy.cedar import CedarPolicy

NOBODY = "nobody"


def opened(folder: Path) -> CedarPolicy:
    """Return the policies of a folder. Raises Invalid where they are broken."""
    policy = CedarPolicy(folder)
    policy.version()
    return policy


def holding(policy: CedarPolicy, names: str, *, agent: bool = False) -> Principal:
    """Return somebody with the roles named, with commas between. Raises Invalid for one that isn't known."""
    known = policy.bench().book.roles
    roles = frozenset(name.strip() for name in names.split(",")) - {NOBODY}
    for name in sorted(roles - known.keys()):
        raise Invalid(f"There is no such role. The roles are {', '.join(known)}, or {NOBODY}.", name)
    kind = PrincipalKind.AGENT if agent else PrincipalKind.PERSON
    return Principal(Who("cli", "asker", "An agent" if agent else "A person"), roles, kind=kind)


def arguments(action: Action, words: Iterable[str]) -> dict[str, Value]:
    """Bind what is given as name=value; what isn't is left out of the question. Raises Invalid."""
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise Invalid("Give arguments as name=value.", word)
        given[name] = value
    bound = bind(action.parameters, given)
    for fault in bound.faults:
        if fault.field in given:
            raise Invalid(fault.sentence, fault.field)
    return dict(bound.arguments)


def moment(text: str, now: datetime) -> datetime:
    """Read a moment like 2026-12-24T22:00+01:00 (UTC where it names no offset), `now` for none. Raises Invalid."""
    if not text:
        return now
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("It takes a moment like 2026-12-24T22:00+01:00.", "--at") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)
