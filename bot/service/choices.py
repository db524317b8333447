"""Choices that a query action gives: `choices_from = "list-groups"` in an action's metadata.

The query is decided like anything else, runs with its own credentials, is in the audit log, and is
kept for half a minute so that a form doesn't ask twice.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from bot.core.action import Action
from bot.core.audit import Draft, Tag
from bot.core.canonical import Json
from bot.core.decision import Permit
from bot.core.errors import DeputyError, Refused
from bot.core.parameter import Choice
from bot.ports import Ports
from bot.service.authorise import authorise
from bot.service.perform import Performance, leased, perform
from bot.service.record import note, refused
from bot.service.reply import Caller

KEPT = timedelta(seconds=30)
MOST = 1_000  # choices in a form, and answers that are kept


async def choices_for(
    ports: Ports, caller: Caller, action: Action
) -> tuple[Mapping[str, tuple[Choice, ...]], list[str]]:
    """Return all choices of every parameter that takes them from a query, and why some can't be had."""
    found: dict[str, tuple[Choice, ...]] = {}
    notes: list[str] = []
    for parameter in action.parameters:
        if parameter.choices_from:
            try:
                found[parameter.name] = await _choices(ports, caller, parameter.choices_from)
            except DeputyError as error:
                notes.append(f"The choices for “{parameter.label}” can't be shown now: {error}")
    return found, notes


async def _choices(ports: Ports, caller: Caller, query: str) -> tuple[Choice, ...]:
    key = (query, caller.principal.who.key)
    now = ports.clock.now()
    kept = ports.answers.get(key)
    if kept and now - kept[0] < KEPT:
        return kept[1]
    choices = await _query(ports, caller, query)
    if len(ports.answers) >= MOST:
        ports.answers.clear()
    ports.answers[key] = (now, choices)
    return choices


async def _query(ports: Ports, caller: Caller, query: str) -> tuple[Choice, ...]:
    action = ports.catalog.action(query)
    if not isinstance(authorise(ports, caller.principal, action, {}, caller.door), Permit):
        await refused(ports, caller, query, "They may not run this query.")
        raise Refused(f"you may not run {query}.")
    facts: dict[str, Json] = {"action": query, "script": action.script.sha, "door": caller.door}
    await note(ports, Draft(Tag.QUERY_RAN, caller.principal.who, query, ports.clock.now(), facts))
    sealed = {name: f"{ref}@{await ports.vault.version(ref)}" for name, ref in action.credentials.items()}
    run = f"Q-{ports.nonce()[:8].upper()}"
    async with leased(ports, sealed, run) as credentials:
        performance = Performance(run, action, action.script, {})
        done = await perform(ports, performance, credentials, asyncio.Event(), lambda text: None)
    if done.exit.code != 0:
        raise Refused(done.exit.sentence or f"{query} failed.")
    return as_choices(done.result)


def offered(
    action: Action, found: Mapping[str, tuple[Choice, ...]]
) -> tuple[Mapping[str, tuple[Choice, ...]], list[str]]:
    """Return the choices that a form has room for, and where there are more of them."""
    labels = {one.name: one.label for one in action.parameters}
    notes = [
        f"“{labels[name]}” shows the first {MOST:,} of {len(choices):,} choices. Give any other in a command: "
        f"/deputy {action.id} {name}=…"
        for name, choices in found.items()
        if len(choices) > MOST
    ]
    return {name: choices[:MOST] for name, choices in found.items()}, notes


def as_choices(result: Json) -> tuple[Choice, ...]:
    """Read a query's result: a list of texts, or of tables' rows whose first two columns are value and label."""
    if not isinstance(result, list | tuple):
        return ()
    return tuple(_choice(row) for row in result)


def _choice(row: Json) -> Choice:
    if isinstance(row, Mapping):
        cells = [str(cell) for cell in row.values() if cell is not None]
        value = str(row.get("value", cells[0] if cells else ""))
        return Choice(value, str(row.get("label", " – ".join(dict.fromkeys(cells[:2])))))
    return Choice(str(row), str(row))
