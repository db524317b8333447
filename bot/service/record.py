"""Writing one step of a run: its state, its audit entry and its cards, in one transaction."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from bot.core import cards, emergency_cards
from bot.core.action import Script
from bot.core.audit import Draft, Entry, Tag
from bot.core.decision import Deny
from bot.core.lifecycle import Event, Step
from bot.core.notices import Notice, given, notice
from bot.core.parameter import Value
from bot.core.run import Run, State
from bot.ports import Change, Delivery, Output, Ports, Post, SecretRow
from bot.service.authorise import decided
from bot.service.reply import Caller

# A card of these states is often overtaken by the next one, which then takes its place in the outbox: one post
# instead of three for a short script, and none is delivered while the script is being started.
_PASSING = (State.QUEUED, State.RUNNING)
SOON = timedelta(seconds=0.15)
NO_LIMITS: Mapping[str, int] = MappingProxyType({})


async def record(
    ports: Ports,
    *steps: Step,
    delivery: Delivery | None = None,
    scripts: tuple[Script, ...] = (),
    secrets: tuple[SecretRow, ...] = (),
    output: Output | None = None,
    locks: tuple[str, ...] = (),
    limits: Mapping[str, int] = NO_LIMITS,
) -> tuple[Entry, ...]:
    """Commit steps that follow each other, and let the workers know of the last one.

    Raises Conflict where somebody was first, Busy, Unavailable.
    """
    step = steps[-1]
    change = Change(
        entries=tuple(each.entry for each in steps),
        run=step.run,
        steps=len(steps),
        posts=posts(step, output),
        scripts=scripts,
        output=output,
        delivery=delivery,
        locks=locks,
        limits=limits,
        secrets=secrets,
        removed_secrets=secret_arguments(step.run) if step.run.state.ended else (),
    )
    entries = await ports.store.commit(change)
    later = SOON.total_seconds() if step.run.state in _PASSING else 0.0
    asyncio.get_running_loop().call_later(later, ports.engine.knock)
    if step.run.state is State.QUEUED:
        await ports.engine.enqueue(step.run.id)
    return entries


async def refused(ports: Ports, caller: Caller, subject: str, reason: str, decision: Deny | None = None) -> None:
    """Write that somebody was refused something, and by which policies where those decided it."""
    by = decided(ports, decision) if decision else {}
    facts = {"reason": reason, "roles": sorted(caller.principal.roles), "door": caller.door, **by}
    await note(ports, Draft(Tag.ACCESS_REFUSED, caller.principal.who, subject, ports.clock.now(), facts))


async def note(ports: Ports, entry: Draft) -> Entry:
    """Write a fact that changes no run."""
    (written,) = await ports.store.commit(Change(entries=(entry,)))
    return written


def posts(step: Step, output: Output | None = None) -> tuple[Post, ...]:
    """Say who is told what about a step: the channel its card, the requester what is theirs alone."""
    run = step.run
    asker = run.request.requester.key
    if run.state is State.REFUSED and step.before is None:
        return (Post(run.place, run.id, cards.run_card(run), only=asker),)
    due = step.entry.at + SOON if run.state in _PASSING else None
    told = [Post(run.place, run.id, cards.run_card(run), due=due)]
    if run.private and output:
        told.append(Post(run.place, f"{run.id}:result", cards.private_result(run), only=asker))
    if run.state is State.INTERRUPTED:
        told.append(Post(run.place, f"{run.id}:interrupted", cards.interrupted_notice(run)))
    if run.request.break_glass and step.happening.event is Event.START:
        told.append(Post(run.place, emergency_cards.key(run), emergency_cards.to_review(run)))
    told += [Post(run.place, f"{run.id}:{kind}", notice(run, kind)) for kind in _notices(step)]
    return tuple(told)


def _notices(step: Step) -> tuple[Notice, ...]:
    """Return the notices that a step gives for the first time, or that it makes untrue."""
    waited = step.before is not None and step.before.state is State.AWAITING_APPROVAL
    return given(step.run) if waited or step.run.state is State.AWAITING_APPROVAL else ()


def secret_name(run: str, parameter: str) -> str:
    """Return the vault's name for a secret argument of one run."""
    return f"run/{run.lower()}/{parameter.replace('_', '-')}"


def secret_reference(value: Value, run: Run) -> str | None:
    """Return the vault's name in a secret argument (`vault:run/…@1`), or None for an ordinary one."""
    start = f"vault:run/{run.id.lower()}/"
    if isinstance(value, str) and value.startswith(start):
        return value.removeprefix("vault:").partition("@")[0]
    return None


def secret_arguments(run: Run) -> tuple[str, ...]:
    """Return the vault's names of all secret arguments of a run; they end with it."""
    found = (secret_reference(value, run) for value in run.request.arguments.values())
    return tuple(name for name in found if name)
