"""Approving and denying, in memory."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.action import Script
from bot.core.card import Verb
from bot.core.cards import run_card
from bot.core.errors import Conflict, Invalid, NotFound, Refused
from bot.service.sweep import expire
from tests.fakes.company import Company


async def test_one_approval_lets_it_run_with_its_credential_given_back() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    assert await company.state(run) == "awaiting_approval"
    await company.say("max", f"approve {run}")
    await company.work()
    assert await company.state(run) == "succeeded"
    assert company.puppets.started[0].credentials["directory"]["password"].reveal() == "correct-horse"
    assert company.safe.leased["vault:directory"] == 0
    assert (await company.tags(run))[:2] == ["request:approval:needed", "request:approved"]


async def test_P1_self_approval_is_refused_with_the_reason_and_audited() -> None:
    company = Company()
    company.people.roles["ann"].add("boss")
    run = await company.say("ann", "change alice")
    with pytest.raises(Refused, match="can't approve your own request"):
        await company.say("ann", f"approve {run}")
    assert await company.state(run) == "awaiting_approval"
    assert "request:approval:refused" in await company.tags(run)


async def test_P4_somebody_without_the_right_is_told_who_has_it() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    with pytest.raises(Refused, match=r"^You may not approve this\. the bosses may\.$"):
        await company.say("zed", f"approve {run}")
    assert await company.state(run) == "awaiting_approval"


async def test_broken_policies_let_nobody_decide_and_name_nobody_who_may() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    company.rules.broken = Invalid("It doesn't parse.", "policies/a.cedar:3")
    assert (await company.card("max", "approvals")).lead.startswith(
        "The policies are broken, so nothing is allowed"
    )
    with pytest.raises(Refused, match=r"It doesn't parse\.$"):
        await company.say("max", f"approve {run}")


async def test_P2_two_approvals_need_two_persons() -> None:
    company = Company()
    run = await company.say("ann", "wipe alice")
    await company.say("max", f"approve {run}")
    with pytest.raises(Conflict, match=r"counts already; R-.* needs 1 more"):
        await company.say("max", f"approve {run}")
    assert await company.state(run) == "awaiting_approval"
    await company.say("mia", f"approve {run}")
    assert await company.state(run) == "queued"


async def test_P5_fifty_parallel_clicks_by_two_people_are_two_votes_and_one_start() -> None:
    company = Company()
    run = await company.say("ann", "wipe alice")
    clicks = [company.say(who, f"approve {run}") for _ in range(25) for who in ("max", "mia")]
    await asyncio.gather(*clicks, return_exceptions=True)
    await company.work()
    assert [vote.approver.oid for vote in (await company.run(run)).votes] in (["max", "mia"], ["mia", "max"])
    assert len(company.puppets.started) == 1


async def test_P5_approve_and_deny_at_once_is_one_transition() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    await asyncio.gather(
        company.say("max", f"approve {run}"), company.say("mia", f"deny {run} no"), return_exceptions=True
    )
    ended = [tag for tag in await company.tags(run) if tag in ("request:approved", "request:approval:denied")]
    assert len(ended) == 1


async def test_a_no_ends_it_with_its_reason() -> None:
    company = Company()
    run = await company.say("ann", "wipe alice")
    await company.say("max", f"approve {run}")
    await company.say("mia", f"deny {run} not today")
    assert await company.state(run) == "denied"
    (post,) = await company.told(run)
    assert post.card.lead == "Mia said no: “not today”. It will not run."


async def test_a_no_without_a_reason_is_asked_for_one_and_is_none_until_then() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    (post,) = await company.told(run)
    (deny,) = [button for button in post.card.buttons if button.verb is Verb.DENY]
    before = await company.tags(run)
    for saying in (company.say("max", f"deny {run}"), company.press("max", deny)):
        with pytest.raises(Invalid, match=rf"Say why not, for who asked will read it: /deputy deny {run} "):
            await saying
    with pytest.raises(Refused):  # who may not decide is told so, and not to give a reason
        await company.say("abe", f"deny {run}")
    assert await company.state(run) == "awaiting_approval"
    assert await company.tags(run) == [*before, "request:approval:refused"]
    await company.say("max", f"deny {run} not today")
    assert await company.state(run) == "denied"


async def test_P6_a_vote_at_the_very_moment_of_expiry_is_too_late() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    company.clock.pass_(company.ports.approval_ttl)
    with pytest.raises(Conflict, match="has expired"):
        await company.say("max", f"approve {run}")
    assert await company.state(run) == "expired"


async def test_P6_a_moment_before_is_in_time_and_a_clock_set_back_revives_nothing() -> None:
    company = Company()
    early, late = await company.say("ann", "change alice"), await company.say("ann", "change bob")
    company.clock.pass_(company.ports.approval_ttl - 0.001)
    await company.say("max", f"approve {early}")
    company.clock.pass_(0.001)
    assert await expire(company.ports) == 1
    company.clock.pass_(-3600)
    with pytest.raises(Conflict, match="has expired already"):
        await company.say("max", f"approve {late}")


async def test_P8_a_script_changed_while_pending_ends_the_request_at_the_vote() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    company.shelf.actions["change"] = replace(company.shelf.actions["change"], script=Script("change.py", b"evil"))
    with pytest.raises(Conflict, match="The script has changed"):
        await company.say("max", f"approve {run}")
    assert await company.state(run) == "refused"


@pytest.mark.parametrize("what", ["script", "library", "interpreter", "policy", "credential", "description"])
async def test_P7_P8_P10_what_changed_between_approval_and_start_does_not_run(what: str) -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    await company.say("max", f"approve {run}")
    change = company.shelf.actions["change"]
    if what == "script":
        company.shelf.actions["change"] = replace(change, script=Script("change.py", b"evil"))
    elif what == "library":
        company.shelf.actions["change"] = replace(change, libraries=(Script("lib.py", b"evil"),))
    elif what == "interpreter":
        company.shelf.running_with = "python 2"
    elif what == "description":
        company.shelf.actions["change"] = replace(change, definition="another")
    elif what == "policy":
        company.rules.text = "2"
    else:
        company.safe.versions["vault:directory"] = 4
    await company.work()
    assert await company.state(run) == "refused"
    assert company.puppets.started == []
    (post,) = await company.told(run)
    assert "changed since it was asked for" in post.card.lead


async def test_P3_an_approver_who_lost_the_right_before_the_start_no_longer_counts() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    await company.say("max", f"approve {run}")
    company.people.roles["max"] = set()
    await company.work()
    assert await company.state(run) == "awaiting_approval"
    assert company.puppets.started == []
    (card, notice) = [post.card for post in await company.told(run)]
    assert card.lead.startswith("Max may no longer approve it, so their approval no longer counts. Ann asks")
    assert notice.title == "Change needs approval again"
    await company.say("mia", f"approve {run}")
    await company.work()
    assert await company.state(run) == "succeeded"


async def test_a_requester_who_lost_the_right_before_the_start_starts_nothing() -> None:
    company = Company()
    run = await company.say("ann", "look")
    company.people.roles["ann"] = set()
    await company.work()
    assert await company.state(run) == "refused"
    assert company.puppets.started == []


async def test_D4_a_directory_out_of_reach_starts_nothing_and_says_so() -> None:
    company = Company()
    run = await company.say("ann", "look")
    company.people.down = True
    await company.work()
    assert "directory can't be reached" in (await company.run(run)).reasons[0]


async def test_P9_running_again_asks_for_a_fresh_approval() -> None:
    company = Company()
    first = await company.say("ann", "change alice")
    await company.say("max", f"approve {first}")
    await company.work()
    again = await company.say("ann", f"rerun {first}")
    assert again != first
    assert await company.state(again) == "awaiting_approval"
    assert (await company.run(again)).rerun_of == first


async def test_P13_somebody_without_rights_cannot_run_again_what_they_cannot_see() -> None:
    company = Company()
    run = await company.say("ann", "look")
    await company.work()
    with pytest.raises(NotFound):
        await company.say("zed", f"rerun {run}")


async def test_a_reader_is_decided_anew_when_they_run_again() -> None:
    company = Company()
    first = await company.say("ann", "change alice")
    await company.say("max", f"approve {first}")
    await company.work()
    again = await company.say("max", f"rerun {first}")
    assert await company.state(again) == "refused"


async def test_a_vote_on_what_has_ended_says_how_it_stands() -> None:
    company = Company()
    run = await company.say("ann", "look")
    await company.work()
    with pytest.raises(Conflict, match="has succeeded already"):
        await company.say("max", f"approve {run}")


async def test_who_approves_a_second_time_hears_that_the_first_one_counted() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    await company.say("max", f"approve {run}")
    with pytest.raises(Conflict, match=f"You have approved {run} already, and it is queued"):
        await company.say("max", f"approve {run}")
    with pytest.raises(Conflict, match=f"{run} is queued already"):
        await company.say("mia", f"approve {run}")


async def test_P1_who_says_no_to_their_own_request_is_told_to_withdraw_it() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    with pytest.raises(Refused, match=f"withdraw it: its button, or /deputy cancel {run}"):
        await company.say("ann", f"deny {run} not any more")
    assert await company.state(run) == "awaiting_approval"


async def test_P3_a_vote_that_makes_another_void_says_why_more_are_needed() -> None:
    company = Company()
    run = await company.say("ann", "wipe alice")
    await company.say("max", f"approve {run}")
    company.people.roles["max"] = set()
    await company.say("mia", f"approve {run}")
    lead = run_card(await company.run(run)).lead
    assert lead.startswith("Max may no longer approve it, so their approval no longer counts. Ann asks")


async def test_who_changes_their_mind_is_not_counted_among_the_approvals() -> None:
    company = Company()
    run = await company.say("ann", "wipe alice")
    await company.say("max", f"approve {run}")
    await company.say("max", f"deny {run} rather not")
    (approvals,) = [fact.value for fact in run_card(await company.run(run)).facts if fact.label == "Approvals"]
    assert approvals == "0 of 2: nobody"


async def test_the_same_click_delivered_twice_is_one_vote() -> None:
    company = Company()
    run = await company.say("ann", "wipe alice")
    click = company.delivery("click")
    for _ in range(2):
        await company.say("max", f"approve {run}", click)
    assert len((await company.run(run)).votes) == 1


async def test_an_action_that_left_the_catalogue_runs_no_more() -> None:
    company = Company()
    run = await company.say("ann", "look")
    del company.shelf.actions["look"]
    await company.work()
    assert await company.state(run) == "refused"
    assert company.puppets.started == []


async def test_only_the_approvers_see_what_waits_for_them() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    assert run in str((await company.card("max", "approvals")).blocks)
    assert (await company.card("ann", "approvals")).lead == "Nothing waits for your decision."
