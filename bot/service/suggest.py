"""Completion of a command while it is being typed: actions first, then their parameters and choices."""

from collections.abc import Collection, Mapping, Sequence

from bot.core.action import Action
from bot.core.command import LINKING_VERBS, VERBS, parse
from bot.core.errors import Invalid
from bot.core.parameter import Kind, Parameter, applying
from bot.ports import Ports
from bot.service.door import Suggestion
from bot.service.menu import may_do
from bot.service.reply import Caller

MOST = 12
_NAMING = frozenset({"help", "favourite", "unfavourite"})  # verbs that an action's name follows
_VERBS = {
    "help": "how to ask, or all about one action",
    "mine": "your latest runs",
    "approvals": "what waits for your decision",
    "status": "a run, with everything that was sealed",
    "compare": "what differs between a run and the one before",
    "cancel": "stop a run",
    "rerun": "ask for a run again",
    "approve": "say yes to a request",
    "deny": "say no to a request",
    "audit": "an entry of the audit log",
    "away": "let somebody approve in your place meanwhile",
    "back": "you are no longer away",
    "favourite": "have an action before all others",
    "unfavourite": "no longer have it there",
    "whoami": "who you are here, and why",
    "link": "say who you are: link your chat account",
    "unlink": "take that link back",
}


async def suggest(ports: Ports, caller: Caller, text: str) -> Sequence[Suggestion]:
    """Return up to a dozen ways to go on with `text` (the command without its `/deputy`)."""
    head, blank, rest = text.lstrip().partition(" ")
    mine = may_do(ports, caller).keys()
    if not blank:
        return (*_actions(ports, mine, head), *_verbs(ports, head))[:MOST]
    if head in _NAMING:
        return (await _named_after(ports, caller, head, rest.lstrip()))[:MOST]
    action = ports.catalog.catalog().get(head)
    if action is None or action.id not in mine:
        return ()
    return _parameters(action, head, rest)[:MOST]


async def _named_after(ports: Ports, caller: Caller, verb: str, start: str) -> tuple[Suggestion, ...]:
    """Suggest the actions that a verb may be followed by: to take a favourite back there has to be one."""
    names: Collection[str] = may_do(ports, caller).keys()
    if verb != "help":
        marked = await ports.store.favourites(caller.principal.who)
        names = [name for name in names if (name in marked) == (verb == "unfavourite")]
    return _actions(ports, names, start, f"{verb} ")


def _actions(ports: Ports, names: Collection[str], start: str, before: str = "") -> tuple[Suggestion, ...]:
    catalog = ports.catalog.catalog()
    wanted = start.lower()
    found = sorted(name for name in names if wanted in name)
    found.sort(key=lambda name: not name.startswith(wanted))
    return tuple(Suggestion(f"{before}{name} ", name, catalog.actions[name].summary) for name in found)


def _verbs(ports: Ports, start: str) -> tuple[Suggestion, ...]:
    wanted = start.lower()
    known = sorted((VERBS & _VERBS.keys()) - (set() if ports.link_page else LINKING_VERBS))
    return tuple(
        Suggestion(f"{verb} ", verb, _VERBS[verb]) for verb in known if wanted and verb.startswith(wanted)
    )


def _parameters(action: Action, head: str, rest: str) -> tuple[Suggestion, ...]:
    """Suggest the parameters not yet given, or the choices of the one being given."""
    before, _, last = rest.rpartition(" ")
    kept = f"{head} {before} ".replace("  ", " ")
    name, equals, start = last.partition("=")
    if equals:
        parameter = action.parameter(name)
        return _values(parameter, kept, start) if parameter else ()
    return tuple(
        Suggestion(f"{kept}{one.name}=", f"{one.name}=", one.help or one.label)
        for one in applying(action.parameters, _named(kept))
        if f"{one.name}=" not in before and one.name.startswith(last) and one.kind is not Kind.SECRET
    )


def _named(typed: str) -> Mapping[str, str]:
    """Return what is given by name so far; nothing while a quote is open."""
    try:
        return parse(typed).named
    except Invalid:
        return {}


def _values(parameter: Parameter, kept: str, start: str) -> tuple[Suggestion, ...]:
    options = [(choice.value, choice.label) for choice in parameter.choices]
    if parameter.kind is Kind.BOOLEAN:
        options = [("yes", ""), ("no", "")]
    return tuple(
        Suggestion(f"{kept}{parameter.name}={_quoted(value)} ", value, label if label != value else "")
        for value, label in options
        if value.lower().startswith(start.strip('"').lower())
    )


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value
