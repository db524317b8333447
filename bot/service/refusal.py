"""Refusals in words: why, and what would make it possible."""

from bot.core import wording
from bot.core.decision import Deny
from bot.ports import Ports


def refusal(ports: Ports, decision: Deny) -> tuple[str, ...]:
    """Put a refusal into words: why, and who could do it."""
    why = [reason.sentence for reason in decision.reasons if reason.sentence] or [
        "No policy allows you to run this."
    ]
    who = [ports.policy.role(role) for role in decision.roles]
    if who:
        people = wording.listed(
            [f"{role.title}{f' ({role.contact})' if role.contact else ''}" for role in who], "or"
        )
        why.append(f"Ask {people}, who may.")
    return tuple(dict.fromkeys(why))
