"""The one authorisation function for every door, and the sealing of what it decided on."""

from collections.abc import Mapping
from datetime import datetime

from bot.core.action import Action
from bot.core.decision import Decision, Deny, Reason
from bot.core.errors import DeputyError
from bot.core.parameter import Kind, Value
from bot.core.principal import Principal, Who
from bot.core.request import Request, script_hashes
from bot.ports import Ports, Question


def authorise(
    ports: Ports, principal: Principal, action: Action, arguments: Mapping[str, Value], door: str
) -> Decision:
    """Decide whether a principal may run an action; whatever goes wrong denies."""
    try:
        return ports.policy.decide(Question(principal, action, arguments, door, ports.clock.now()))
    except DeputyError as error:
        return Deny((Reason("error", f"The policies could not be asked, so nothing is allowed: {error}"),))


def could(ports: Ports, principal: Principal, action: Action, door: str) -> Decision:
    """Decide whether a principal could run an action at all, before its arguments are known."""
    answers = ports.policy.menu(principal, [action], door)
    return answers.get(action.id, Deny((Reason("error", "The policies gave no answer, so it is not allowed."),)))


def may_approve(
    ports: Ports,
    approver: Principal,
    requester: Principal,
    action: Action,
    arguments: Mapping[str, Value],
    door: str,
) -> Decision:
    """Decide whether `approver` may vote on what `requester` asks; whatever goes wrong denies."""
    try:
        return ports.policy.may_approve(approver, Question(requester, action, arguments, door, ports.clock.now()))
    except DeputyError as error:
        return Deny((Reason("error", f"The policies could not be asked, so nothing is allowed: {error}"),))


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
