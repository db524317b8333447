"""The one authorisation function for every door, and the sealing of what it decided on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.action import Action
from bot.core.canonical import Json
from bot.core.decision import Decision, Deny, Reason, policies
from bot.core.errors import DeputyError
from bot.core.parameter import Kind, Value
from bot.core.principal import Principal, PrincipalKind, Who
from bot.core.request import Request, script_hashes
from bot.ports import About, Ports, Question


@dataclass(frozen=True)
class Emergency:
    """An emergency that is asked for; `unreviewed` counts the asker's own earlier ones, not reviewed yet."""

    unreviewed: int = 0


def authorise(
    ports: Ports,
    principal: Principal,
    action: Action,
    arguments: Mapping[str, Value],
    door: str,
    *,
    approvers: tuple[frozenset[str], ...] = (),
    escalated: bool = False,
    emergency: Emergency | None = None,
) -> Decision:
    """Decide whether a principal may run an action; whatever goes wrong denies.

    `approvers` are the roles of each person whose approval counts so far.
    """
    question = _urgent(_question(ports, principal, action, arguments, door), emergency)
    try:
        return ports.policy.decide(replace(question, approvers=approvers, escalated=escalated))
    except DeputyError as error:
        return Deny((Reason("error", f"The policies could not be asked, so nothing is allowed: {error}"),))


def could(ports: Ports, principal: Principal, action: Action, door: str, *, break_glass: bool = False) -> Decision:
    """Decide whether a principal could run an action at all, before its arguments are known."""
    answers = decisions(ports, principal, [action], door, break_glass=break_glass)
    return answers.get(action.id, Deny((Reason("error", "The policies gave no answer, so it is not allowed."),)))


def decisions(
    ports: Ports, principal: Principal, actions: Iterable[Action], door: str, *, break_glass: bool = False
) -> Mapping[str, Decision]:
    """Decide many actions at once, by their ids, before any arguments are known."""
    now = ports.clock.now()
    return ports.policy.menu(About(principal, door, now, ports.situation(now), break_glass), actions)


def may_approve(
    ports: Ports,
    approver: Principal,
    requester: Principal,
    action: Action,
    arguments: Mapping[str, Value],
    door: str,
    *,
    escalated: bool = False,
    delegated: bool = False,
) -> Decision:
    """Decide whether `approver` may vote on what `requester` asks; whatever goes wrong denies."""
    question = _question(ports, requester, action, arguments, door)
    try:
        return ports.policy.may_approve(approver, replace(question, escalated=escalated, delegated=delegated))
    except DeputyError as error:
        return Deny((Reason("error", f"The policies could not be asked, so nothing is allowed: {error}"),))


def opens(
    ports: Ports,
    principal: Principal,
    action: Action,
    arguments: Mapping[str, Value],
    door: str,
    *,
    emergency: Emergency | None = None,
) -> datetime | None:
    """Say from when on what is refused now could run or be asked for; None where no hour is known."""
    question = _urgent(_question(ports, principal, action, arguments, door), emergency)
    try:
        return ports.policy.opens(question)
    except DeputyError:
        return None


def may_review(
    ports: Ports,
    reviewer: Principal,
    requester: Principal,
    action: Action,
    arguments: Mapping[str, Value],
    door: str,
) -> Decision:
    """Decide whether `reviewer` may review what `requester` ran as an emergency; whatever goes wrong denies."""
    try:
        return ports.policy.may_review(reviewer, _question(ports, requester, action, arguments, door))
    except DeputyError as error:
        return Deny((Reason("error", f"The policies could not be asked, so nothing is allowed: {error}"),))


def known(ports: Ports, principal: Principal) -> Mapping[str, Json]:
    """Return what policy knew of the moment and of who asks, for the audit log: decisions are replayed by it."""
    situation = ports.situation(ports.clock.now())
    facts: dict[str, Json] = {
        "agent": principal.kind is PrincipalKind.AGENT,
        "on_call": principal.who.key in situation.on_call,
        "incident": situation.incident,
        "unknown": situation.unknown,
    }
    return {name: value for name, value in facts.items() if value}


def _question(
    ports: Ports, principal: Principal, action: Action, arguments: Mapping[str, Value], door: str
) -> Question:
    now = ports.clock.now()
    return Question(principal, action, arguments, door, now, ports.situation(now))


def _urgent(question: Question, emergency: Emergency | None) -> Question:
    return replace(question, break_glass=True, unreviewed=emergency.unreviewed) if emergency else question


def decided(ports: Ports, decision: Decision) -> Mapping[str, Json]:
    """Return which policies brought a decision about, and their version, for the audit log."""
    try:
        version = ports.policy.version()
    except DeputyError:
        version = ""  # too broken to have one, which the policies' name then says
    return {"policies": policies(decision), "policy_version": version}


async def seal(
    ports: Ports,
    requester: Who,
    action: Action,
    arguments: Mapping[str, Value],
    *,
    door: str,
    reason: str,
    nonce: str,
    expires_at: datetime,
    policy_version: str,
    break_glass: bool = False,
) -> Request:
    """Build the sealed request from what lies there now. Raises where a part of it can't be named exactly."""
    script, libraries, verify = script_hashes(action)
    return Request(
        requester=requester,
        action=action.id,
        arguments=dict(arguments),
        target=action.target,
        script=script,
        libraries=libraries,
        verify=verify,
        definition=action.definition,
        interpreter=ports.catalog.interpreter(action),
        credentials=await _credentials(ports, action, arguments),
        policy_version=policy_version,
        expires_at=expires_at,
        nonce=nonce,
        door=door,
        reason=reason,
        break_glass=break_glass,
    )


async def _credentials(ports: Ports, action: Action, arguments: Mapping[str, Value]) -> dict[str, str]:
    """Name every credential with the version that will be used: `vault:directory@3`."""
    chosen = {
        one.name: str(arguments[one.name])
        for one in action.parameters
        if one.kind is Kind.CREDENTIAL and one.name in arguments
    }
    references = {**action.credentials, **chosen}
    return {name: f"{reference}@{await ports.vault.version(reference)}" for name, reference in references.items()}
