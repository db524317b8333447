"""Breaking the glass: at once and with a reason; then somebody else looks before it can be done again."""

from dataclasses import replace

import pytest

from bot.core.card import Verb
from bot.core.errors import Conflict, Invalid, Refused
from bot.ports import Question
from tests.fakes.company import Company

GLASS = 'break-glass change alice reason="everybody waits"'


async def broken() -> tuple[Company, str]:
    """Return a company in which Ann has broken the glass."""
    company = Company()
    run = await company.say("ann", GLASS)
    await company.work()
    return company, run


async def test_an_emergency_runs_at_once_and_calls_for_a_review_in_the_channel() -> None:
    company, run = await broken()
    assert await company.state(run) == "succeeded"
    card = next(post.card for post in await company.told(run) if post.key == f"{run}:emergency")
    assert "Another person has to review it" in card.lead
    assert [button.verb for button in card.buttons] == [Verb.REVIEW]
    assert card.state == ""  # or it would say for ever that it runs
    assert ("Reason", "everybody waits") in [(fact.label, fact.value) for fact in card.facts]


async def test_the_log_and_the_seal_say_that_it_was_one() -> None:
    company, run = await broken()
    first = (await company.store.entries(subject=run))[0]
    assert first.facts["request"]["break_glass"] is True  # type: ignore[index,call-overload]
    assert first.facts["policies"] == ["glass"]
    assert (await company.run(run)).request.break_glass


@pytest.mark.parametrize("text", ["break-glass change alice", 'break-glass change alice reason="  "'])
async def test_without_a_reason_nothing_happens(text: str) -> None:
    company = Company()
    with pytest.raises(Invalid, match="takes a reason that others will read"):
        await company.say("ann", text)
    assert await company.tags() == []


async def test_a_slip_in_an_emergency_is_told_and_opens_no_form_that_would_forget_it() -> None:
    with pytest.raises(Invalid, match="“Account” is needed"):
        await Company().say("ann", 'break-glass change reason="everybody waits"')
    with pytest.raises(Invalid, match="Name the action, and why"):
        await Company().say("ann", "break-glass")


async def test_who_has_not_been_reviewed_cannot_do_it_again_but_everything_else() -> None:
    company, _ = await broken()
    again = await company.say("ann", GLASS)
    assert await company.state(again) == "refused"
    assert (await company.run(again)).reasons[0] == "Not yet."
    assert await company.state(await company.say("ann", "look")) == "queued"
    assert await company.state(await company.say("abe", GLASS)) == "queued"


async def test_a_refused_emergency_can_be_asked_for_in_the_ordinary_way_and_no_hour_is_promised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company, _ = await broken()
    asked: list[Question] = []
    monkeypatch.setattr(company.rules, "opens", lambda question: asked.append(question))

    again = await company.say("ann", GLASS)

    assert [(one.break_glass, one.unreviewed) for one in asked] == [(True, 1)]
    (button,) = (await company.told(again))[-1].card.buttons
    assert button.label == "Ask without breaking the glass"
    plain = await company.run(await company.press("ann", button))
    assert (plain.state.value, plain.request.break_glass) == ("awaiting_approval", False)


async def test_of_two_emergencies_at_once_the_first_one_runs() -> None:
    company = Company()
    first = await company.say("ann", GLASS)
    company.clock.pass_(1)
    second = await company.say("ann", GLASS)
    await company.work()
    assert (await company.state(first), await company.state(second)) == ("succeeded", "refused")


async def test_two_that_were_let_in_together_are_told_apart_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    company = Company()
    first = await company.say("ann", GLASS)
    company.clock.pass_(1)
    decide = company.rules.decide
    monkeypatch.setattr(company.rules, "decide", lambda question: decide(_fresh(question)))
    second = await company.say("ann", GLASS)
    monkeypatch.undo()
    assert (await company.state(first), await company.state(second)) == ("queued", "queued")
    await company.work()
    assert (await company.state(first), await company.state(second)) == ("succeeded", "refused")


def _fresh(question: Question) -> Question:
    return replace(question, unreviewed=0)


async def test_a_review_by_another_person_gives_the_right_back() -> None:
    company, run = await broken()
    await company.say("max", f"review {run} it was needed")
    assert (await company.tags(run))[-1] == "run:emergency:reviewed"
    cards = [post.card for post in await company.told(run) if post.key == f"{run}:emergency"]
    assert cards[-1].lead == "Max reviewed what Ann did: “it was needed”."
    assert cards[-1].buttons == ()
    assert await company.state(await company.say("ann", GLASS)) == "queued"


@pytest.mark.parametrize("reviewer", ["ann", "abe", "zed"])
async def test_P1_P4_who_may_not_review_is_refused_and_it_is_written(reviewer: str) -> None:
    company, run = await broken()
    company.people.roles["ann"] = {"desk", "boss"}
    with pytest.raises(Refused):
        await company.say(reviewer, f"review {run} all fine")
    assert (await company.tags(run))[-1] == "run:emergency:review_refused"
    assert await company.state(await company.say("ann", GLASS)) == "refused"


async def test_what_somebody_did_who_has_left_can_be_reviewed() -> None:
    company, run = await broken()
    del company.people.roles["ann"]
    await company.say("max", f"review {run} it was needed")
    assert (await company.tags(run))[-1] == "run:emergency:reviewed"


async def test_a_review_says_what_was_found_and_happens_once() -> None:
    company, run = await broken()
    with pytest.raises(Invalid, match="Say what you found"):
        await company.say("max", f"review {run}")
    delivery = company.delivery()
    for _ in range(2):
        await company.say("max", f"review {run} it was needed", delivery)
    with pytest.raises(Conflict, match="has been reviewed already"):
        await company.say("mia", f"review {run} so I think too")
    assert (await company.tags(run)).count("run:emergency:reviewed") == 1


async def test_only_an_emergency_that_has_run_is_reviewed() -> None:
    company = Company()
    plain, urgent = await company.say("ann", "look"), await company.say("ann", GLASS)
    with pytest.raises(Conflict, match="was no emergency"):
        await company.say("max", f"review {plain} fine")
    with pytest.raises(Conflict, match="is queued; it can be reviewed once it has run"):
        await company.say("max", f"review {urgent} fine")


async def test_P9_running_an_emergency_again_is_a_plain_request() -> None:
    company, run = await broken()
    again = await company.say("ann", f"rerun {run}")
    assert not (await company.run(again)).request.break_glass
    assert await company.state(again) == "awaiting_approval"
