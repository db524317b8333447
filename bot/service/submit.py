"""Asking for an action: find it, bind its arguments, decide, seal, and let the run begin."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.core import wording
from bot.core.action import Action
from bot.core.approval import Quorum
from bot.core.catalog import plain
from bot.core.command import LINKING_VERBS, VERBS
from bot.core.decision import Decision, Deny, NeedsApproval, Permit, policies, untold
from bot.core.errors import Busy, Conflict, DeputyError, Invalid, NotFound
from bot.core.form import Form, form_for
from bot.core.lifecycle import Event, Happening, Step, begin
from bot.core.parameter import Bound, Fault, Value, bind
from bot.core.request import Request
from bot.core.run import Run, State
from bot.core.secret import SHORTEST
from bot.core.text import checked_words, visible
from bot.ports import Delivery, NewRun, Ports, SecretRow
from bot.service.authorise import authorise, could, decisions, known, opens, seal
from bot.service.background import background
from bot.service.choices import choices_for, offered
from bot.service.clear import clear_now
from bot.service.emergency import emergency
from bot.service.perform import expect, forget
from bot.service.record import record, secret_name
from bot.service.refusal import refusal
from bot.service.reply import Caller, Reply
from bot.service.votes import quorum

MOMENT = 0.2  # seconds that directory and vault may take for a run to start as soon as it is asked for


@dataclass(frozen=True)
class Asked:
    """What somebody asks: the action as they named it and what they gave for its parameters.

    `typed` says it came as a command, in the open, where no secret belongs; `break_glass` that it is an emergency.
    """

    action: str
    given: Mapping[str, object]
    reason: str = ""
    typed: bool = False
    rerun_of: str = ""
    break_glass: bool = False


async def submit(ports: Ports, caller: Caller, asked: Asked, delivery: Delivery) -> Reply:
    """Find the action that is asked for, and take the request as far as it gets now."""
    return await take(ports, caller, find(ports, caller, asked.action), asked, delivery)


async def take(ports: Ports, caller: Caller, action: Action, asked: Asked, delivery: Delivery) -> Reply:
    """Take a request as far as it gets now: refused, waiting for approval, queued, or back as a form."""
    if asked.break_glass and not asked.reason.strip():
        raise Invalid('Breaking the glass takes a reason that others will read: add reason="…".')
    decision = could(ports, caller.principal, action, caller.door, break_glass=asked.break_glass)
    bound = _bind(action, asked)
    if isinstance(decision, Deny):
        return await _begin(ports, caller, action, bound.arguments, asked, decision, delivery)
    bound = await _check_choices(ports, caller, action, bound)
    if not bound.ok and asked.break_glass:
        raise Invalid(" ".join(fault.sentence for fault in bound.faults))
    if not bound.ok:
        return Reply(form=await form(ports, caller, action, asked.given, bound, decision))
    urgent = await emergency(ports, caller.principal.who) if asked.break_glass else None
    decision = authorise(ports, caller.principal, action, bound.arguments, caller.door, emergency=urgent)
    return await _begin(ports, caller, action, bound.arguments, asked, decision, delivery)


def find(ports: Ports, caller: Caller, name: str) -> Action:
    """Return the action somebody means; raises NotFound with the nearest ones *they* may run."""
    try:
        return ports.catalog.action(name)
    except Invalid as fault:
        raise Invalid(f"“{plain(name)}” can't run until its author mends it. {fault}") from None
    except NotFound:
        catalog = ports.catalog.catalog()
    menu = decisions(ports, caller.principal, catalog, caller.door)
    mine = [one for one, decision in menu.items() if not isinstance(decision, Deny)]
    verbs = VERBS if ports.link_page else VERBS - LINKING_VERBS
    similar = catalog.similar(name, [*mine, *sorted(verbs)])
    hint = f"Did you mean {wording.listed(similar, 'or')}?" if similar else "Type /deputy to see what you may do."
    raise NotFound(f"There is no action “{visible(name[:60])}”. {hint}")


async def form(
    ports: Ports,
    caller: Caller,
    action: Action,
    given: Mapping[str, object],
    bound: Bound | None,
    decision: Decision,
) -> Form:
    """Build the form of an action, with the choices that other actions give."""
    found, missing = await choices_for(ports, caller, action)
    choices, more = offered(action, found)
    needs = ""
    if isinstance(decision, NeedsApproval):
        who = wording.listed([ports.policy.role(role).title for role in decision.roles], "or")
        # What is filled in may make it more: the decision was made before that was known.
        needs = f"It needs at least {wording.count(decision.count, 'approval')}{f' from {who}' if who else ''}."
    return form_for(action, given, bound, choices=choices, note=" ".join([*missing, *more]), approval=needs)


def _bind(action: Action, asked: Asked) -> Bound:
    """Bind what was given; a secret is neither typed in a command nor too short to be redacted."""
    typed = [name for name in action.secrets if asked.typed and asked.given.get(name)]
    bound = bind(action.parameters, {name: value for name, value in asked.given.items() if name not in typed})
    faults = [
        Fault(name, "Secrets are not typed in a command, where others read them: give it here.") for name in typed
    ]
    faults += [fault for fault in bound.faults if fault.field not in typed]
    faults += [
        Fault(
            name, f"A secret needs {SHORTEST} characters or more; a shorter one can't be kept out of the output."
        )
        for name in action.secrets
        if 0 < len(str(bound.arguments.get(name, ""))) < SHORTEST
    ]
    return Bound(bound.arguments, tuple(faults))


async def _check_choices(ports: Ports, caller: Caller, action: Action, bound: Bound) -> Bound:
    """Check arguments whose choices another action gives; where that one fails the script will say."""
    wanted = [one for one in action.parameters if one.choices_from and one.name in bound.arguments]
    if not wanted:
        return bound
    choices, _ = await choices_for(ports, caller, action)
    known = [
        replace(one, choices=choices[one.name], choices_from=None, when=())
        for one in wanted
        if one.name in choices
    ]
    found = bind(tuple(known), {one.name: bound.arguments[one.name] for one in known})
    return Bound(bound.arguments, (*bound.faults, *found.faults))


async def _begin(
    ports: Ports,
    caller: Caller,
    action: Action,
    arguments: Mapping[str, Value],
    asked: Asked,
    decision: Decision,
    delivery: Delivery,
) -> Reply:
    run_id = f"R-{ports.nonce()[:8].upper()}"
    sealed, secrets = _seal_secrets(ports, run_id, action, arguments)
    if isinstance(decision, Deny):
        secrets = ()
    request = await seal(
        ports,
        caller.principal.who,
        replace(action, credentials={}) if isinstance(decision, Deny) else action,
        sealed,
        door=caller.door,
        reason=checked_words(asked.reason, "Reason"),
        nonce=ports.nonce(),
        expires_at=ports.clock.now() + timedelta(seconds=ports.approval_ttl),
        policy_version=_policy_version(ports, decision),
        break_glass=asked.break_glass,
    )
    run = _new_run(ports, run_id, caller, action, request, decision, asked)
    happening = _happening(ports, caller, decision)
    if isinstance(decision, NeedsApproval):
        happening = replace(happening, background=await background(ports, action), reasons=untold(decision))
    if isinstance(decision, Deny):
        urgent = await emergency(ports, caller.principal.who) if asked.break_glass else None
        from_when = opens(ports, caller.principal, action, arguments, caller.door, emergency=urgent)
        happening = replace(happening, reasons=refusal(ports, decision, from_when))
    step = begin(run, happening, ports.clock.now())
    if step.run.state is State.QUEUED and ports.engine.exclusive:
        expect(ports, step.run, action)  # here it will run, as soon as all of it is written down
    try:
        if not await _at_once(ports, step, delivery, secrets):
            await record(ports, step, delivery=delivery, scripts=action.scripts, secrets=secrets)
    except DeputyError as error:
        forget(ports, run_id)
        earlier = await ports.store.delivered_before(delivery) if isinstance(error, Conflict) else None
        if earlier is None:
            raise
        return Reply(run=earlier)
    return Reply(run=run_id)


async def _at_once(ports: Ports, step: Step, delivery: Delivery, secrets: tuple[SecretRow, ...]) -> bool:
    """Let a run be written down together with its start; False where it has to wait its turn like any other.

    An emergency has to: how many of theirs are under way may have changed.
    """
    if step.run.state is not State.QUEUED or step.run.request.break_glass or not ports.engine.exclusive:
        return False
    try:
        async with asyncio.timeout(MOMENT):
            cleared = await clear_now(ports, step.run)
    except (DeputyError, TimeoutError):  # where it is executed it is told what is wrong
        return False
    if cleared is None:
        return False
    new = NewRun(step, cleared.action, cleared.policies, delivery, secrets)
    if not ports.engine.hand_over(new):
        return False
    try:
        await new.written
    except Busy:
        return False
    return True


def _policy_version(ports: Ports, decision: Decision) -> str:
    """Return the policies' version; nothing for a refusal that is due to their being too broken to have one."""
    try:
        return ports.policy.version()
    except Invalid:
        if isinstance(decision, Deny):
            return ""
        raise


def _seal_secrets(
    ports: Ports, run_id: str, action: Action, arguments: Mapping[str, Value]
) -> tuple[dict[str, Value], tuple[SecretRow, ...]]:
    """Put secret arguments into the vault; what is sealed, stored and shown is their reference."""
    rows: list[SecretRow] = []
    sealed = dict(arguments)
    for name in action.secrets & arguments.keys():
        key = secret_name(run_id, name)
        rows.append(ports.vault.seal(key, 1, {"value": str(arguments[name])}, ports.clock.now()))
        sealed[name] = f"vault:{key}@1"
    return sealed, tuple(rows)


def _new_run(
    ports: Ports, run_id: str, caller: Caller, action: Action, request: Request, decision: Decision, asked: Asked
) -> Run:
    needs = quorum(ports, decision) if isinstance(decision, NeedsApproval) else Quorum(0)
    who = decision.roles if isinstance(decision, Deny) else ()
    return Run(
        id=run_id,
        request=request,
        digest=request.digest,
        title=action.title,
        risk=action.risk.value,
        place=caller.place,
        state=State.QUEUED,
        created=ports.clock.now(),
        private=action.private,
        idempotent=action.idempotent,
        needed=needs.needed,
        approver_roles=needs.roles,
        seats=needs.seats,
        could=tuple(ports.policy.role(role).title for role in who),
        rerun_of=asked.rerun_of,
        labels={
            one.name: one.label
            for one in action.parameters
            if one.name in request.arguments and one.label != wording.label(one.name)
        },
    )


def _happening(ports: Ports, caller: Caller, decision: Decision) -> Happening:
    facts = {"door": caller.door, "roles": sorted(caller.principal.roles), **known(ports, caller.principal)}
    happening = Happening(Event.PERMIT, by=caller.principal.who, policies=policies(decision), facts=facts)
    if isinstance(decision, Permit):
        return happening
    if isinstance(decision, NeedsApproval):
        return replace(happening, event=Event.ASK, facts={**facts, "approvals_needed": decision.count})
    return replace(happening, event=Event.REFUSE)
