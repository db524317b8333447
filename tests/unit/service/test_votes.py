"""What happens to approvals while a request waits: they become void, somebody stands in, others are asked."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.action import Script
from bot.core.card import Button, Verb
from bot.core.errors import Conflict, Invalid, NotFound, Refused
from bot.service.remind import remind
from bot.service.sweep import expire
from tests.fakes.company import Company


async def waiting(company: Company, action: str = "change") -> str:
    return await company.say("ann", f"{action} alice")


# ---- void -----------------------------------------------------------------------------------------


async def test_P3_a_vote_that_became_void_is_seen_at_the_next_vote() -> None:
    company = Company()
    run = await waiting(company, "wipe")
    await company.say("max", f"approve {run}")
    company.people.roles["max"] = set()
    await company.say("mia", f"approve {run}")
    assert await company.state(run) == "awaiting_approval"
    assert [bool(vote.void) for vote in (await company.run(run)).votes] == [True, False]
    assert (await company.store.entries(subject=run))[-1].facts["void"] == [
        {"approver": "acme/max", "why": "Max may no longer approve it, so their approval no longer counts."}
    ]


async def test_who_lost_the_right_and_got_it_back_may_vote_anew() -> None:
    company = Company()
    run = await waiting(company)
    await company.say("max", f"approve {run}")
    company.people.roles["max"] = set()
    await company.work()
    company.people.roles["max"] = {"boss"}
    await company.say("max", f"approve {run}")
    await company.work()
    assert await company.state(run) == "succeeded"
    assert len((await company.run(run)).votes) == 2


async def test_W8_an_approver_who_left_no_longer_counts() -> None:
    company = Company()
    run = await waiting(company)
    await company.say("max", f"approve {run}")
    del company.people.roles["max"]
    await company.work()
    assert (await company.run(run)).reasons == ("Max has left, so their approval no longer counts.",)


async def test_D4_a_directory_out_of_reach_makes_no_vote_void() -> None:
    company = Company()
    run = await waiting(company)
    await company.say("max", f"approve {run}")
    company.people.down = True
    await company.work()
    ended = await company.run(run)
    assert ended.state == "refused"
    assert not any(vote.void for vote in ended.votes)
    assert "directory can't be reached" in ended.reasons[0]


async def test_a_request_that_needs_more_by_now_waits_again() -> None:
    company = Company()
    run = await company.say("ann", "look")
    company.rules.needs["look"] = 1
    await company.work()
    assert await company.state(run) == "awaiting_approval"
    assert (await company.run(run)).needed == 1
    await company.say("max", f"approve {run}")
    await company.work()
    assert await company.state(run) == "succeeded"


async def test_no_approval_is_taken_for_what_its_requester_may_not_run_now() -> None:
    company = Company()
    run = await waiting(company)
    company.people.roles["ann"] = set()
    with pytest.raises(Refused, match=r"approved now, for Ann may not run it\. Ann holds no role here, and no"):
        await company.say("max", f"approve {run}")
    assert await company.state(run) == "awaiting_approval"
    assert (await company.run(run)).votes == ()


async def test_a_start_refused_for_a_lost_role_names_who_lost_it() -> None:
    company = Company()
    run = await company.say("ann", "look")
    company.people.roles["ann"] = set()
    await company.work()
    assert (await company.run(run)).reasons[0].startswith("Ann holds no role here, and no policy")


async def test_P8_one_byte_changed_before_the_start_refuses_with_the_difference() -> None:
    company = Company()
    before = Script("change.py", b"def main():\n    print('one')\n")
    company.shelf.actions["change"] = replace(company.shelf.actions["change"], script=before)
    run = await waiting(company)
    await company.say("max", f"approve {run}")
    after = Script("change.py", b"def main():\n    print('two')\n")
    company.shelf.actions["change"] = replace(company.shelf.actions["change"], script=after)
    await company.work()
    (post,) = await company.told(run)
    (diff,) = post.card.blocks
    assert "1 line added, 1 removed since it was asked for" in diff.title  # type: ignore[union-attr]
    assert "-    print('one')\n+    print('two')" in diff.text  # type: ignore[union-attr]
    assert [button.label for button in post.card.buttons] == ["Ask again"]


names = st.sampled_from(["ann", "abe", "max", "mia", "zed"])
losses = st.lists(st.sampled_from(["max", "mia"]), max_size=2, unique=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(names, max_size=6), losses)
def test_P1_P2_P3_P4_it_starts_exactly_with_enough_persons_who_may_approve_then(
    votes: list[str], losses: list[str]
) -> None:
    async def story() -> None:
        company = Company()
        run = await waiting(company, "wipe")
        for name in votes:
            try:
                await company.say(name, f"approve {run}")
            except (Refused, Conflict):
                continue
        for name in losses:
            company.people.roles[name] = set()
        await company.work()
        said = {name for name in votes if name in ("max", "mia")}
        assert bool(company.puppets.started) == (len(said) == 2 and not losses)

    asyncio.run(story())


@settings(max_examples=60, deadline=None)
@given(st.text("ab \u202e\u200b", min_size=1, max_size=4), st.text("ab \u202e\u200b", min_size=1, max_size=4))
def test_P7_an_argument_changed_after_approval_starts_nothing(sealed: str, changed: str) -> None:
    async def story() -> None:
        company = Company()
        run = await company.say("ann", f'change account="x{sealed}x"')
        await company.say("max", f"approve {run}")
        stored = await company.run(run)
        forged = replace(stored.request, arguments={"account": f"x{changed}x"})
        company.store.forge(replace(stored, request=forged))
        await company.work()
        same = stored.request.arguments == forged.arguments
        assert (await company.state(run) == "succeeded") == same
        assert bool(company.puppets.started) == same

    asyncio.run(story())


async def test_R5_fifty_parallel_approvals_of_each_request_are_one_start_each() -> None:
    company = Company()
    runs = [await waiting(company) for _ in range(100)]
    clicks = [company.say(who, f"approve {run}") for run in runs for _ in range(25) for who in ("max", "mia")]
    await asyncio.gather(*clicks, return_exceptions=True)
    await company.work()
    assert sorted(work.run for work in company.puppets.started) == sorted(runs)
    tags = await company.tags()
    assert tags.count("request:approved") == tags.count("run:started") == len(runs)


# ---- what the log says ----------------------------------------------------------------------------


async def test_the_log_names_person_roles_policies_their_version_door_and_digest_of_every_vote() -> None:
    company = Company()
    run = await waiting(company, "wipe")
    digest = (await company.run(run)).digest
    await company.say("max", f"approve {run} fine with me")
    await company.say("mia", f"approve {run}")
    await company.work()
    asked, first, second, started, _ = await company.store.entries(subject=run)
    assert (asked.actor, asked.facts["roles"], asked.facts["door"]) == ("ann", ["desk"], "chat")
    assert asked.facts["policies"] == ["desk-asks"]
    for entry, actor, policies in ((first, "max", ["boss-approves", "desk-asks"]), (second, "mia", None)):
        assert (entry.actor, entry.facts["vote"], entry.facts["roles"]) == (actor, "yes", ["boss"])
        assert (entry.facts["digest"], entry.facts["policy_version"]) == (digest, "1")
        assert entry.facts["door"] == "chat"
        assert policies is None or entry.facts["policies"] == policies
    assert first.facts["comment"] == "fine with me"
    assert second.facts["approved_by"] == started.facts["approved_by"] == ["acme/max", "acme/mia"]
    assert started.facts["policies"] == ["desk-runs"]


# ---- while it waits -------------------------------------------------------------------------------


async def test_its_approvers_are_reminded_once_when_half_the_time_is_over() -> None:
    company = Company()
    run = await waiting(company)
    company.clock.pass_(company.ports.approval_ttl * 0.5 - 1)
    assert await remind(company.ports) == 0
    company.clock.pass_(1)
    assert await remind(company.ports) == 1
    assert await remind(company.ports) == 0
    assert [post.card.title for post in await company.told(run)] == ["Change", "Change still waits for a decision"]
    assert "request:approval:reminded" in await company.tags(run)


async def test_a_second_group_may_decide_when_most_of_the_time_is_over() -> None:
    company = Company()
    company.people.roles["zed"] = {"second"}
    run = await waiting(company)
    with pytest.raises(Refused):
        await company.say("zed", f"approve {run}")
    company.clock.pass_(company.ports.approval_ttl * 0.75)
    assert await remind(company.ports) == 1
    notice = (await company.told(run))[-1].card
    assert notice.lead == "Ann asks to run this. It needs 1 approval from the bosses or the others."
    await company.say("zed", f"approve {run}")
    await company.work()
    assert await company.state(run) == "succeeded"


async def test_a_notice_says_when_it_no_longer_waits() -> None:
    company = Company()
    run = await waiting(company)
    company.clock.pass_(company.ports.approval_ttl * 0.5)
    await remind(company.ports)
    await company.say("max", f"deny {run} no")
    notice = (await company.told(run))[-1].card
    assert (notice.title, notice.buttons) == ("Change no longer waits", ())


async def test_what_expires_is_not_reminded_of() -> None:
    company = Company()
    run = await waiting(company)
    company.clock.pass_(company.ports.approval_ttl)
    assert await remind(company.ports) == 0
    assert await expire(company.ports) == 1
    assert await company.state(run) == "expired"


# ---- standing in ----------------------------------------------------------------------------------


async def away(company: Company, who: str, deputy: str) -> None:
    await company.say(who, f"away until 2026-11-24 approvals to @{deputy}")


async def test_P12_who_stands_in_approves_with_the_rights_of_both() -> None:
    company = Company()
    company.people.roles["zed"] = {"deputy"}
    run = await waiting(company)
    with pytest.raises(Refused):
        await company.say("zed", f"approve {run}")
    await away(company, "max", "zed")
    await company.say("zed", f"approve {run}")
    (vote,) = (await company.run(run)).votes
    assert (vote.approver.oid, vote.holder and vote.holder.oid) == ("zed", "max")
    assert (await company.store.entries(subject=run))[-1].facts["in_place_of"] == "acme/max"
    await company.work()
    assert await company.state(run) == "succeeded"


async def test_P12_who_stands_in_finds_what_waits_for_them_and_may_look_at_it() -> None:
    company = Company()
    company.people.roles["zed"] = {"deputy"}
    run = await waiting(company)
    assert (await company.card("zed", "approvals")).lead == "Nothing waits for your decision."
    with pytest.raises(NotFound):
        await company.card("zed", f"status {run}")
    await away(company, "max", "zed")
    assert run in str((await company.card("zed", "approvals")).blocks)
    assert (await company.card("zed", f"status {run}")).run == run


async def test_who_may_decide_since_it_waited_so_long_finds_what_waits_for_them() -> None:
    company = Company()
    company.people.roles["zed"] = {"second"}
    run = await waiting(company)
    assert (await company.card("zed", "approvals")).lead == "Nothing waits for your decision."
    company.clock.pass_(company.ports.approval_ttl * 0.8)
    await remind(company.ports)
    assert run in str((await company.card("zed", "approvals")).blocks)
    assert (await company.card("zed", f"status {run}")).run == run


@pytest.mark.parametrize(("lender", "deputy"), [("zed", "abe"), ("max", "abe")])
async def test_P12_neither_of_the_two_rights_is_enough_alone(lender: str, deputy: str) -> None:
    company = Company()
    company.people.roles["zed"] = {"deputy"}
    run = await waiting(company)
    await away(company, lender, deputy)
    with pytest.raises(Refused):
        await company.say(deputy, f"approve {run}")


async def test_P12_a_right_that_was_lent_is_not_lent_on() -> None:
    company = Company()
    company.people.roles |= {"zed": {"deputy"}, "abe": {"deputy"}}
    run = await waiting(company)
    await away(company, "max", "zed")
    await away(company, "zed", "abe")
    with pytest.raises(Refused):
        await company.say("abe", f"approve {run}")


async def test_P12_P1_nobody_approves_through_somebody_else_what_they_asked_for() -> None:
    company = Company()
    company.people.roles |= {"ann": {"desk", "boss"}, "zed": {"deputy"}}
    run = await waiting(company)
    await away(company, "ann", "zed")
    with pytest.raises(Refused):
        await company.say("zed", f"approve {run}")
    company.people.roles["abe"] = {"desk", "deputy"}
    own = await company.say("abe", "change bob")
    await away(company, "max", "abe")
    with pytest.raises(Refused, match="own request"):
        await company.say("abe", f"approve {own}")


async def test_P12_P2_one_right_counts_once_whoever_uses_it() -> None:
    company = Company()
    company.people.roles["zed"] = {"deputy"}
    run = await waiting(company, "wipe")
    await away(company, "max", "zed")
    await company.say("zed", f"approve {run}")
    with pytest.raises(Conflict, match="What Zed approved in your place counts already"):
        await company.say("max", f"approve {run}")
    await company.say("mia", f"approve {run}")
    assert await company.state(run) == "queued"


async def test_P12_P2_who_stands_in_adds_nothing_to_the_vote_of_who_went_away() -> None:
    company = Company()
    company.people.roles["zed"] = {"deputy"}
    run = await waiting(company, "wipe")
    await company.say("max", f"approve {run}")
    await away(company, "max", "zed")
    with pytest.raises(Conflict, match="Max’s approval counts already"):
        await company.say("zed", f"approve {run}")


async def test_P12_the_vote_of_a_stand_in_is_void_once_the_other_is_back_or_lost_the_right() -> None:
    for ends in ("back", "demoted", "over"):
        company = Company()
        company.people.roles["zed"] = {"deputy"}
        run = await waiting(company)
        await away(company, "max", "zed")
        await company.say("zed", f"approve {run}")
        if ends == "back":
            await company.say("max", "back")
        elif ends == "demoted":
            company.people.roles["max"] = set()
        else:
            stored = next(iter(await company.store.absences(company.clock.now())))
            company.store.end(stored)
        await company.work()
        assert await company.state(run) == "awaiting_approval", ends


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("away", "Say until when"),
        ("away until 2026-11-24", "Say until when"),
        ("away until tomorrow approvals to @mia", "is no date"),
        ("away until 2026-11-22 approvals to @mia", "is over already"),
        ("away until 2027-11-22 approvals to @mia", "more than 90 days"),
        ("away until 2026-11-24 approvals to @max", "That is you"),
        ("back", "You are not away"),
    ],
)
async def test_what_is_wrong_with_an_absence_is_said(text: str, words: str) -> None:
    with pytest.raises((Invalid, Refused), match=words):
        await Company().say("max", text)


async def test_an_absence_is_written_down_and_told_to_who_stands_in() -> None:
    company = Company()
    card = await company.card("max", "away until=2026-11-24T17:00 to=<@mia|Mia>")
    assert card.facts[0].value == "24 Nov 2026, 17:00 UTC"
    (entry,) = await company.store.entries(subject="acme/max")
    assert (entry.tag, entry.facts["deputy"]) == ("approver:away", "acme/mia")
    (post,) = [waiting.post for waiting in await company.store.outbox(company.clock.now())]
    assert (post.only, post.card.title) == ("acme/mia", "Max is away")
    await company.card("max", "back")
    assert await company.store.absences(company.clock.now()) == []


# ---- handing over ---------------------------------------------------------------------------------


async def test_a_refusal_offers_to_ask_those_who_could_and_one_of_them_takes_it_up() -> None:
    company = Company()
    refused = await company.say("zed", "change alice reason=locked")
    (post,) = await company.told(refused)
    (button,) = post.card.buttons
    assert (post.only, button.label) == ("acme/zed", "Ask the desk to run it")
    await company.press("zed", button)
    shown = (await company.told(refused))[-1]
    assert (shown.only, shown.card.title) == ("", "Change: who runs this?")
    again = await company.press("ann", shown.card.buttons[0])
    taken = await company.run(again)
    assert (taken.state, taken.request.requester.oid, taken.rerun_of) == ("awaiting_approval", "ann", refused)
    assert await company.state(refused) == "refused"
    assert {"request:handed_over", "request:taken_up"} <= set(await company.tags(refused))
    told = (await company.told(refused))[-1].card
    assert (told.title, told.buttons) == ("Change: Ann runs this", ())
    assert again in told.lead
    with pytest.raises(Conflict, match="the desk has been asked to run"):
        await company.press("zed", button)


async def test_two_clicks_in_a_moment_run_it_again_once() -> None:
    company = Company()
    company.rules.needs["change"] = 0
    run = await company.say("ann", "change alice")
    await company.work()
    click = company.delivery("click")
    again = await company.say("ann", f"rerun {run}", click)
    assert await company.say("ann", f"rerun {run}", click) == again  # the same click, delivered again
    with pytest.raises(Conflict, match=f"You asked for it again just now: {again}"):
        await company.press("ann", Button("", Verb.RERUN, run))
    await company.work()
    company.clock.pass_(2)
    assert await company.press("ann", Button("", Verb.RERUN, run)) != again


async def test_a_refusal_that_was_not_handed_over_is_seen_by_nobody_else() -> None:
    company = Company()
    refused = await company.say("zed", "change alice")
    with pytest.raises(Exception, match="There is no run"):
        await company.say("ann", f"rerun {refused}")


async def test_a_refusal_says_by_which_rule_and_from_when_on_it_is_possible() -> None:
    company = Company()
    company.rules.open_at = company.clock.now().replace(hour=17)
    refused = await company.say("zed", "change alice")
    (post,) = await company.told(refused)
    assert "You can ask from 23 Nov 2026, 17:00 UTC on." in post.card.lead
    assert [fact.value for fact in post.card.facts if fact.label == "Rule"] == ["default-deny"]
