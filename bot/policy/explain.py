"""A decision in sentences, for the people who write policies."""

from bot.core.decision import Decision, Deny, NeedsApproval, Permit
from bot.core.wording import count, listed
from bot.policy.cedar import CedarPolicy
from bot.ports import Question


def explain(policy: CedarPolicy, question: Question) -> list[str]:
    """Say what was decided, which policies said so, who approves or who else could, and what they looked at."""
    decision = policy.decide(question)
    held = listed([policy.role(role).title for role in sorted(question.principal.roles)]) or "no role"
    verdict = {Permit: "may run it at once", NeedsApproval: "may ask for it", Deny: "may not run it"}
    lines = [f"{question.action.id}: {question.principal.name} ({held}) {verdict[type(decision)]}."]
    lines += [f"{reason.policy}: {reason.sentence}" for reason in decision.reasons]
    return [*lines, *_others(policy, decision), circumstances(policy, question)]


def circumstances(policy: CedarPolicy, question: Question) -> str:
    """Say in one line when it was asked, and what went on then."""
    moment = policy.bench().book.calendar.at(question.now)
    situation = question.situation
    told = [
        f"{moment.local:%A %-d %b %Y, %H:%M} ({moment.local.tzinfo})",
        "business hours" if moment.business else "outside business hours",
        moment.words["freeze"] if moment.freeze else "no freeze",
        "on call" if question.principal.who.key in situation.on_call else "not on call",
        f"incident “{situation.incident}”" if situation.incident else "no incident",
        *(["as an emergency"] if question.break_glass else []),
    ]
    return f"Asked on {'; '.join(told)}."


def _others(policy: CedarPolicy, decision: Decision) -> list[str]:
    if isinstance(decision, Permit):
        return []
    roles = [policy.role(role) for role in decision.roles]
    people = listed([f"{role.title} ({role.contact})" if role.contact else role.title for role in roles], "or")
    if isinstance(decision, NeedsApproval):
        return [f"It needs {count(decision.count, 'approval')} from {people}."]
    return [f"{people} could."] if people else ["As the policies stand, nobody could."]
