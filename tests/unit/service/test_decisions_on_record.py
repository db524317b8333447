"""What the audit log keeps of every decision: who, with which roles, by which policies, by what door, on what."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.core.card import Verb
from bot.core.decision import Deny, Reason
from bot.core.errors import DeputyError
from bot.core.principal import Account
from bot.service.remind import remind
from tests.fakes.company import PLACE, Company

SAID = {
    "request:approval:needed": ("ann", {"roles": ["desk"], "policies": ["desk-asks"], "approvals_needed": 2}),
    "request:approval:granted": (
        "max",
        {"roles": ["boss"], "policies": ["boss-approves", "desk-asks"], "vote": "yes"},
    ),
    "request:approved": ("mia", {"roles": ["boss"], "policies": ["boss-approves", "desk-runs"], "vote": "yes"}),
    "run:started": ("deputy", {"policies": ["desk-runs"], "approved_by": ["acme/max", "acme/mia"]}),
}


async def facts(company: Company, run: str) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return the entries of a run: who, and the facts, by what they tell of."""
    entries = await company.store.entries(subject=run)
    return {entry.tag: (entry.actor, entry.facts) for entry in entries}


async def test_every_decision_on_the_way_to_a_start_says_by_whom_why_and_on_what() -> None:
    company = Company()
    run = await company.say("ann", "wipe alice")
    await company.say("max", f"approve {run} looks right")
    await company.say("mia", f"approve {run}")
    await company.work()

    found = await facts(company, run)

    digest = (await company.run(run)).digest
    for tag, (who, told) in SAID.items():
        actor, known = found[tag]
        assert actor == who
        assert known.items() >= {**told, "digest": digest, "policy_version": "1"}.items(), tag
        assert known.get("door", "chat") == "chat"
    assert found["request:approval:granted"][1]["comment"] == "looks right"
    assert all("door" in found[tag][1] for tag in SAID if tag != "run:started")


@pytest.mark.parametrize(
    ("who", "roles", "policy"),
    [("ann", ["desk"], "self-approval"), ("zed", [], "default"), ("abe", ["desk"], "default")],
)
async def test_P1_P4_a_vote_that_was_not_taken_is_on_record_with_the_rule(
    who: str, roles: list[str], policy: str
) -> None:
    company = Company()
    run = await company.say("ann", "change alice")

    with pytest.raises(DeputyError):
        await company.say(who, f"approve {run}")

    actor, known = (await facts(company, run))["request:approval:refused"]
    assert actor == who
    told = {"roles": roles, "door": "chat", "policies": [policy], "policy_version": "1", "action": "change"}
    assert known.items() >= {**told, "digest": (await company.run(run)).digest}.items()


async def test_a_denial_a_refusal_and_a_withdrawal_are_on_record() -> None:
    company = Company()
    denied, withdrawn = [await company.say("ann", f"change {name}") for name in ("alice", "bob")]
    await company.say("max", f"deny {denied} not now")
    await company.say("ann", f"cancel {withdrawn}")
    refused = await company.say("zed", "change alice")

    _, told = (await facts(company, denied))["request:approval:denied"]
    assert (told["vote"], told["roles"], told["policies"], told["comment"]) == (
        "no",
        ["boss"],
        ["boss-approves"],
        "not now",
    )
    actor, told = (await facts(company, refused))["request:refused"]
    assert (actor, told["policies"], told["policy_version"], told["roles"]) == ("zed", ["default-deny"], "1", [])
    _, told = (await facts(company, withdrawn))["request:withdrawn"]
    assert (told["door"], told["roles"]) == ("chat", ["desk"])


async def test_what_policy_refuses_at_the_start_names_the_rule_and_not_those_that_had_let_it_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = Company()
    run = await company.say("ann", "look")
    monkeypatch.setattr(company.rules, "decide", lambda question: Deny((Reason("freeze", "Changes rest."),)))
    await company.work()

    _, told = (await facts(company, run))["run:refused"]
    assert (told["policies"], told["policy_version"]) == (["freeze"], "1")
    (post,) = await company.told(run)
    assert [fact.value for fact in post.card.facts if fact.label == "Rule"] == ["freeze"]


async def test_P10_a_broken_seal_is_blamed_on_no_rule() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    company.rules.text = "2"
    with pytest.raises(DeputyError, match="policies have changed"):
        await company.say("max", f"approve {run}")

    card = (await company.told(run))[-1].card
    assert [fact.label for fact in card.facts if fact.label == "Rule"] == []
    assert [button.label for button in card.buttons] == ["Ask again"]


async def test_a_form_that_may_not_be_opened_is_on_record_with_the_rule() -> None:
    company = Company()
    with pytest.raises(DeputyError):
        await company.desk.press(Account("local", "zed"), PLACE, Verb.OPEN, "change", "", company.delivery())
    (entry,) = await company.store.entries()
    assert entry.facts["policies"] == ["default-deny"]
    assert (entry.facts["door"], entry.facts["roles"]) == ("chat", [])


async def test_an_escalation_names_the_policies_that_let_others_decide() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    company.clock.pass_(company.ports.approval_ttl * 0.8)
    await remind(company.ports)
    _, told = (await facts(company, run))["request:approval:escalated"]
    assert (told["policies"], told["policy_version"]) == (["desk-asks"], "1")


async def test_a_review_is_on_record_with_the_rule_that_allows_it() -> None:
    company = Company()
    run = await company.say("ann", 'break-glass change alice reason="everybody waits"')
    await company.work()
    with pytest.raises(DeputyError):
        await company.say("abe", f"review {run} fine")
    await company.say("max", f"review {run} it was needed")
    found = await facts(company, run)
    for tag, policy, roles in (
        ("run:emergency:review_refused", "default", ["desk"]),
        ("run:emergency:reviewed", "boss-approves", ["boss"]),
    ):
        told = found[tag][1]
        assert (told["policies"], told["policy_version"], told["roles"]) == ([policy], "1", roles)
        assert (told["door"], told["digest"]) == ("chat", (await company.run(run)).digest)
