"""A decision explained: what, by which policy, and who else."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.core.action import Risk
from bot.policy.cedar import CedarPolicy
from bot.policy.explain import explain
from bot.ports import Situation
from tests.unit.policy.samples import SHIPPED, action, ask, person

POLICY = CedarPolicy(SHIPPED)


def test_a_permit_is_explained_by_its_policy() -> None:
    assert explain(POLICY, ask(person("helpdesk"), action("unlock-account"))) == [
        "unlock-account: Ann (Helpdesk) may run it at once.",
        "helpdesk-unlocks-accounts: Helpdesk may unlock an account at once.",
        "Asked on Monday 23 Nov 2026, 09:00 (UTC); business hours; no freeze; not on call; no incident.",
    ]


def test_an_approval_is_explained_by_who_gives_it() -> None:
    lines = explain(POLICY, ask(person("oncall"), action("clean", "operations", Risk.DESTRUCTIVE)))
    assert lines[0] == "clean: Ann (On-call) may ask for it."
    assert lines[-2] == "It needs 2 approvals from Identity managers (#identity) or Engineers (#engineering)."


def test_a_deny_is_explained_by_who_else_could() -> None:
    lines = explain(POLICY, ask(person(), action("reset-password")))
    assert lines[0] == "reset-password: Ann (no role) may not run it."
    assert lines[-2] == "Helpdesk (#it-helpdesk) or Engineers (#engineering) could."


def test_what_nobody_could_do_is_said_to_be_so() -> None:
    lines = explain(POLICY, ask(person("engineer"), action("odd", risk=Risk.UNCLASSIFIED)))
    assert lines[-2] == "As the policies stand, nobody could."


def test_it_says_what_went_on() -> None:
    question = ask(person("helpdesk"), action("unlock-account"), now=datetime(2025, 12, 24, 22, tzinfo=UTC))
    situation = Situation(frozenset({"acme/ann"}), "Mail is down")
    told = explain(POLICY, replace(question, situation=situation, break_glass=True))[-1]
    assert told.startswith("Asked on Wednesday 24 Dec 2025, 22:00 (UTC); outside business hours; Year-end closing")
    assert told.endswith("; on call; incident “Mail is down”; as an emergency.")
