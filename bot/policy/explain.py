"""A decision in sentences, for the people who write policies."""

from bot.core.decision import Decision, Deny, NeedsApproval, Permit
from bot.core.wording import count, listed
from bot.ports import Policy, Question


def explain(policy: Policy, question: Question) -> list[str]:
    """Say what was decided, which policies said so, and who approves or who else could."""
    decision = policy.decide(question)
    held = listed([policy.role(role).title for role in sorted(question.principal.roles)]) or "no role"
    verdict = {Permit: "may run it at once", NeedsApproval: "may ask for it", Deny: "may not run it"}
    lines = [f"{question.action.id}: {question.principal.name} ({held}) {verdict[type(decision)]}."]
    lines += [f"{reason.policy}: {reason.sentence}" for reason in decision.reasons]
    return [*lines, *_others(policy, decision)]


def _others(policy: Policy, decision: Decision) -> list[str]:
    if isinstance(decision, Permit):
        return []
    roles = [policy.role(role) for role in decision.roles]
    people = listed([f"{role.title} ({role.contact})" if role.contact else role.title for role in roles], "or")
    if isinstance(decision, NeedsApproval):
        return [f"It needs {count(decision.count, 'approval')} from {people}."]
    return [f"{people} could."] if people else ["As the policies stand, nobody could."]
