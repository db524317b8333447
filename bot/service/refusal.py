"""Refusals in words: why, and what would make it possible."""

import asyncio
from dataclasses import replace
from datetime import datetime

from bot.core import wording
from bot.core.decision import DEFAULT, Decision, Deny
from bot.core.principal import Principal
from bot.ports import Ports
from bot.service.authorise import decisions, opens
from bot.service.reply import Caller


def refusal(ports: Ports, decision: Deny, opens: datetime | None = None) -> tuple[str, ...]:
    """Put a refusal into words: why, from when on it is possible, and who could do it."""
    why = [reason.sentence for reason in decision.reasons if reason.sentence] or [
        "No policy allows you to run this."
    ]
    if opens:
        why.append(f"You can ask from {wording.clock(opens)} on.")
    who = [ports.policy.role(role) for role in decision.roles]
    if who:
        people = wording.listed(
            [f"{role.title}{f' ({role.contact})' if role.contact else ''}" for role in who], "or"
        )
        why.append(f"Ask {people}, who may.")
    return tuple(dict.fromkeys(why))


def of_another(decision: Deny, who: Principal) -> Deny:
    """Return a denial as others read it: who holds no role is not “you” to them."""
    if who.roles:
        return decision
    sentence = (
        f"{wording.name(who.who)} holds no role here, and no policy lets people without one run this action."
    )
    reasons = (replace(one, sentence=sentence) if one.policy == DEFAULT else one for one in decision.reasons)
    return replace(decision, reasons=tuple(reasons))


async def closed(ports: Ports, caller: Caller) -> tuple[str, ...]:
    """Say which policy closes now what is open to somebody later, and from when on; nothing where none does."""
    actions = ports.catalog.catalog()
    answers = decisions(ports, caller.principal, actions, caller.door)
    kinds = {(one.category, one.risk, answers[one.id]): one for one in actions if _forbidden(answers[one.id])}
    for (_, _, denial), action in kinds.items():
        await asyncio.sleep(0)  # each takes some milliseconds, and others want to go on meanwhile
        from_when = opens(ports, caller.principal, action, {}, caller.door)
        if from_when:
            return refusal(ports, Deny(denial.reasons), from_when)
    return ()


def _forbidden(decision: Decision) -> bool:
    """Say whether some policy speaks against it, which may pass, not just none for it."""
    return isinstance(decision, Deny) and any(reason.policy != DEFAULT for reason in decision.reasons)
