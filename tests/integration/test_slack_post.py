"""Posting into Slack, against the fake over HTTP: in place, once, in order, to the right people, not for ever."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest

from bot.chat.slack.client import Lost, SlackClient, SlackRefused
from bot.chat.slack.post import SlackChat
from bot.chat.slack.routes import Routes
from bot.core.audit import Tag
from bot.core.card import Card, Fact
from bot.core.cards import interrupted_notice, run_card
from bot.core.errors import Unavailable
from bot.core.run import Outcome, Place, Run, State
from bot.ports import Change, Output, Post
from bot.service.postman import Postman
from bot.service.posts import Posts, PostsAlone
from bot.service.undelivered import TRIES
from bot.store.database import SqlStore
from tests.fakes.company import Company, StillClock
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import Message
from tests.unit.store.values import OLGA, a_change, a_draft, a_run

OPS = Place("slack", "C0OPS")
HANNA = "U0HANNA"  # she is who asks; her principal is Olga of the store's values


@dataclass
class Side:
    """Deputy's side: what posts, the clock it goes by, and whose account in Slack is whose.

    `alone`: each chat is a process's after the last one has ended, and not one of several.
    """

    slack: SlackServer
    store: SqlStore
    session: aiohttp.ClientSession
    clock: StillClock = field(default_factory=StillClock)
    people: dict[str, str] = field(default_factory=lambda: {OLGA.key: HANNA})
    alone: bool = False

    async def chat(self, routes: Routes | None = None) -> SlackChat:
        """Return a chat as a process has it that has just started."""
        client = SlackClient(self.session, self.slack.bot_token, self.slack.api_url)
        posts: Posts = self.store
        if self.alone:
            posts = PostsAlone(self.store)
            await posts.start("slack")
        return SlackChat(client, self.store, posts, self.clock, self._person, routes)

    async def _person(self, key: str) -> str:
        return self.people.get(key, "")

    async def run(self, **changed: Any) -> Run:
        """Keep a run that was asked for in the channel, or what has become of it."""
        run = a_run(place=changed.pop("place", OPS), **changed)
        await self.store.commit(a_change(run))
        return run

    def shown(self, channel: str = "C0OPS") -> list[Message]:
        return self.slack.shown(channel)

    @property
    def failed(self) -> list[str]:
        return [str(call.answer["error"]) for call in self.slack.calls if not call.answer["ok"]]


@pytest.fixture(params=[True, False], ids=["alone", "one of several"])
async def side(http: SlackServer, slack_store: SqlStore, request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    async with aiohttp.ClientSession() as session:
        yield Side(http, slack_store, session, alone=request.param)


@pytest.fixture
async def chat(side: Side) -> AsyncIterator[SlackChat]:
    chat = await side.chat()
    yield chat
    await chat.close()


def a_post(text: str, key: str = "R-1", place: Place = OPS) -> Post:
    """Return a post whose notification reads `text`, a sentence."""
    return Post(place, key, Card(text.removesuffix(".")))


async def losing_its_answer(side: Side, chat: SlackChat, post: Post) -> None:
    """Post so that the message arrives and Slack's answer to that doesn't; it waits in the outbox then."""
    await side.store.commit(Change((a_draft(),), posts=(post,)))
    answered = side.slack._answered

    def lossy(method: str, *given: Any, **more: Any) -> Any:
        answer = answered(method, *given, **more)
        taken = method == "chat.postMessage" and json.loads(answer.text)["ok"]
        return aiohttp.web.Response(status=500) if taken else answer

    side.slack._answered = lossy  # type: ignore[method-assign]
    with pytest.raises(Lost):
        await chat.post(post)
    side.slack._answered = answered  # type: ignore[method-assign]
    side.clock.pass_(60)


# ---- in place ---------------------------------------------------------------------------------------


async def test_a_post_is_updated_in_place_and_the_same_again_is_not_sent(side: Side, chat: SlackChat) -> None:
    for title in ("It waits.", "It runs.", "It runs.", "It is done."):
        await chat.post(a_post(title))
    (message,) = side.shown()
    assert [text for text, _ in message.edits] == ["It waits.", "It runs."]
    assert message.text == "It is done."
    assert len(side.slack.calls) == 3


async def test_another_process_updates_the_same_message(side: Side, chat: SlackChat) -> None:
    await chat.post(a_post("It waits."))
    await (await side.chat()).post(a_post("It is done."))
    assert [message.text for message in side.shown()] == ["It is done."]


@pytest.mark.parametrize("gone", ["deleted", "another's"])
async def test_where_the_message_is_gone_a_new_one_takes_its_place(side: Side, chat: SlackChat, gone: str) -> None:
    await chat.post(a_post("It waits."))
    (message,) = side.shown()
    if gone == "deleted":
        message.deleted = True
    else:
        message.author = HANNA
    await chat.post(a_post("It runs."))
    await chat.post(a_post("It is done."))
    shown = [one for one in side.shown() if one is not message]
    assert [(one.text, len(one.edits)) for one in shown] == [("It is done.", 1)]


async def test_what_slack_finds_illegal_is_shown_as_its_text(
    side: Side, chat: SlackChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fakes.slack_api.too_long", bool)  # Slack has become stricter: no blocks at all
    await chat.post(a_post("It waits."))
    await chat.post(a_post("It is done."))
    assert [(one.text, one.blocks, len(one.edits)) for one in side.shown()] == [("It is done.", [], 1)]


async def test_a_running_script_tells_its_last_lines_in_its_one_message(side: Side, chat: SlackChat) -> None:
    run = await side.run(state=State.RUNNING)
    await chat.post(Post(OPS, run.id, run_card(run)))
    chat.progress(OPS, run.id, "copied 40 of 90\n<!channel>")
    await side.slack.until(lambda: "copied 40 of 90" in json.dumps(side.shown()[0].blocks))
    await chat.post(Post(OPS, run.id, run_card(replace(run, state=State.SUCCEEDED))))
    chat.progress(OPS, run.id, "copied 41 of 90")
    (message,) = side.shown()
    assert "copied" not in json.dumps(message.blocks)
    assert len(message.edits) == 2
    assert "<!" not in "".join(text for text, _ in message.edits)


# ---- once -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", ["at once", "a restart"])
async def test_a_message_whose_answer_was_lost_is_found_again_and_not_doubled(
    side: Side, chat: SlackChat, after: str
) -> None:
    await losing_its_answer(side, chat, a_post("It waits."))
    assert [one.text for one in side.shown()] == ["It waits."]
    await (chat if after == "at once" else await side.chat()).post(a_post("It is done."))
    assert [(one.text, len(one.edits)) for one in side.shown()] == [("It is done.", 1)]


async def test_a_message_to_the_requester_in_place_of_a_closed_channel_is_found_again_too(
    side: Side, chat: SlackChat
) -> None:
    run = await side.run(place=Place("slack", "C0CLOSED"))
    await losing_its_answer(side, chat, Post(run.place, run.id, run_card(run)))
    done = replace(run, state=State.SUCCEEDED, revision=2)
    await chat.post(Post(run.place, run.id, run_card(done)))
    (told,) = side.slack.hanna.directs
    assert len(told.edits) == 1


async def test_the_message_of_another_run_is_not_taken_for_the_lost_one(side: Side, chat: SlackChat) -> None:
    await chat.post(a_post("Another.", key="R-2"))
    await losing_its_answer(side, chat, a_post("It waits."))
    await chat.post(a_post("It is done."))
    assert [one.text for one in side.shown()] == ["Another.", "It is done."]


async def test_a_new_message_in_the_place_of_one_that_is_gone_is_not_doubled_either(
    side: Side, chat: SlackChat
) -> None:
    await chat.post(a_post("It waits."))
    side.shown()[0].deleted = True
    await losing_its_answer(side, chat, a_post("It runs."))
    await chat.post(a_post("It is done."))
    assert [one.text for one in side.shown()] == ["It is done."]


@pytest.mark.parametrize("outage", ["down", "500", "reset"])
async def test_an_outage_loses_nothing_and_doubles_nothing(side: Side, chat: SlackChat, outage: str) -> None:
    if outage == "down":
        await side.slack.down()
    else:
        side.slack.fails = outage
    with pytest.raises(Unavailable):
        await chat.post(a_post("It waits."))
    side.slack.fails = ""
    if outage == "down":
        await side.slack.up()
    side.clock.pass_(60)
    await chat.post(a_post("It is done."))
    assert [one.text for one in side.shown()] == ["It is done."]


# ---- at Slack's pace --------------------------------------------------------------------------------


async def test_a_conversation_that_is_too_fast_waits_and_the_others_do_not(side: Side, chat: SlackChat) -> None:
    side.slack.throttle("chat.postMessage", retry_after=30)
    with pytest.raises(Unavailable) as asked:
        await chat.post(a_post("One."))
    assert asked.value.pause == 30
    await chat.post(a_post("Elsewhere.", key="R-2", place=Place("slack", "C0APPROVE")))
    assert [one.text for one in side.shown("C0APPROVE")] == ["Elsewhere."]

    before = len(side.slack.calls)
    side.clock.pass_(10)
    with pytest.raises(Unavailable) as left:
        await chat.post(a_post("Two.", key="R-3"))
    assert left.value.pause == pytest.approx(20)
    assert len(side.slack.calls) == before, "Slack is not asked before its time is over"

    side.clock.pass_(21)
    await chat.post(a_post("One."))
    await chat.post(a_post("Two.", key="R-3"))
    assert [one.text for one in side.shown()] == ["One.", "Two."]


async def test_what_waits_behind_a_post_that_is_too_fast_is_not_even_tried_and_keeps_its_order(
    side: Side, chat: SlackChat
) -> None:
    side.slack.throttle("chat.postMessage", retry_after=30)
    posts = [a_post(f"Number {number}.", key=f"R-{number}") for number in range(8)]
    tried = await asyncio.gather(*map(chat.post, posts), return_exceptions=True)
    assert all(isinstance(one, Unavailable) for one in tried)
    assert len(side.slack.made("chat.postMessage")) == 1

    side.clock.pass_(31)
    await asyncio.gather(*map(chat.post, posts))
    assert [one.text for one in side.shown()] == [f"Number {number}." for number in range(8)]


# ---- to the right people ----------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["C0CLOSED", "C0OLD", "C0NOWHERE"])
async def test_where_deputy_cannot_speak_the_requester_is_told(side: Side, chat: SlackChat, channel: str) -> None:
    run = await side.run(place=Place("slack", channel))
    await chat.post(Post(run.place, run.id, run_card(run)))
    (told,) = side.slack.hanna.directs
    assert "Unlock an account" in told.text
    assert "can't speak in the channel where you asked" in str(told.blocks)
    done = replace(run, state=State.SUCCEEDED, revision=2)
    await chat.post(Post(run.place, run.id, run_card(done)))
    assert len(side.slack.hanna.directs) == 1
    assert len(told.edits) == 1


@pytest.mark.parametrize(("channel", "alone"), [("C0CLOSED", True), (HANNA, True), ("C0OPS", False)])
async def test_a_request_that_nobody_is_shown_who_may_decide_says_so(
    side: Side, chat: SlackChat, channel: str, alone: bool
) -> None:
    waits = await side.run(place=Place("slack", channel), state=State.AWAITING_APPROVAL, needed=1)
    await chat.post(Post(waits.place, waits.id, run_card(waits)))
    (asked,) = side.slack.hanna.directs if alone else side.shown()
    assert ("Nobody but you is shown this" in str(asked.blocks)) is alone
    voted = replace(waits, needed=2, revision=2)
    await chat.post(Post(waits.place, waits.id, run_card(voted)))
    assert len(asked.edits) == 1
    assert ("Nobody but you is shown this" in str(asked.blocks)) is alone, "nobody else is shown it now either"
    await chat.post(Post(waits.place, waits.id, run_card(replace(voted, state=State.QUEUED, revision=3))))
    assert "Nobody but you is shown this" not in str(asked.blocks), "nothing is to be decided any more"


async def test_a_channel_that_is_archived_meanwhile_still_gets_its_result_to_the_requester(
    side: Side, chat: SlackChat
) -> None:
    run = await side.run()
    await chat.post(Post(OPS, run.id, run_card(run)))
    side.slack.workspace.channels["C0OPS"].archived = True
    side.slack.workspace.messages[0].deleted = True
    await chat.post(Post(OPS, run.id, run_card(replace(run, state=State.SUCCEEDED))))
    assert len(side.slack.hanna.directs) == 1


async def test_without_anybody_to_tell_it_is_refused(side: Side, chat: SlackChat) -> None:
    side.people.clear()
    run = await side.run(place=Place("slack", "C0CLOSED"))
    with pytest.raises(SlackRefused, match="not_in_channel"):
        await chat.post(Post(run.place, run.id, run_card(run)))


async def test_P1_a_private_result_is_seen_by_its_requester_alone_and_once(side: Side, chat: SlackChat) -> None:
    post = replace(a_post("Only for you.", key="R-1:result"), only=OLGA.key)
    side.slack.workspace.inactive.add(HANNA)  # she asked hours ago
    await chat.post(post)
    await chat.post(post)
    await (await side.chat()).post(post)
    assert [one.text for one in side.slack.hanna.directs] == ["Only for you."]
    assert side.shown() == side.slack.hanna.whispers == []
    assert side.slack.maya.directs == side.slack.maya.whispers == []


async def test_what_is_refused_is_said_to_its_requester_alone_where_they_asked(
    side: Side, chat: SlackChat
) -> None:
    run = await side.run(state=State.REFUSED)
    post = Post(OPS, run.id, run_card(run), only=OLGA.key)
    for again in (chat, chat, await side.chat()):
        await again.post(post)
    assert len(side.slack.hanna.whispers) == 1
    assert side.shown() == side.slack.hanna.directs == []


async def test_a_refusal_reaches_who_asked_where_they_were_not_in_the_channel(side: Side, chat: SlackChat) -> None:
    run = await side.run(state=State.REFUSED, place=Place("slack", "C0APPROVE"))
    await chat.post(Post(run.place, run.id, run_card(run), only=OLGA.key))
    assert len(side.slack.hanna.directs) == 1


@pytest.mark.parametrize("channel", ["C0APPROVE", "C0CLOSED", "D0HANNA"])
async def test_P1_who_is_not_in_the_channel_gets_a_private_result_directly(
    side: Side, chat: SlackChat, channel: str
) -> None:
    side.slack.workspace.direct(HANNA)
    await chat.post(replace(a_post("Only for you.", place=Place("slack", channel)), only=OLGA.key))
    assert [one.text for one in side.slack.hanna.directs] == ["Only for you."]
    assert side.slack.hanna.whispers == []


async def test_P1_what_is_for_somebody_without_an_account_is_shown_to_nobody(side: Side, chat: SlackChat) -> None:
    await chat.post(replace(a_post("Only for you."), only="contoso/nobody"))
    assert side.slack.calls == []


# ---- what is long -----------------------------------------------------------------------------------


async def test_a_long_output_goes_whole_into_the_thread_as_a_file_and_once(side: Side, chat: SlackChat) -> None:
    output = "".join(f"line {number:05d} é\n" for number in range(4_000))
    run = await _ended(side, output)
    for again in (chat, chat, await side.chat()):
        await again.post(Post(OPS, run.id, run_card(run)))
    (message,) = side.shown()
    (reply,) = side.slack.replies("C0OPS", message.ts)
    (file,) = reply.files
    assert file.content == output.encode()
    assert file.name == f"{run.id}-output.txt"


async def test_O3_an_argument_too_long_for_the_card_is_whole_in_the_thread_for_who_decides(
    side: Side, chat: SlackChat
) -> None:
    long = "x" * 700 + "/../../etc/shadow"
    request = replace(a_run().request, arguments={"path": long})
    run = await side.run(state=State.AWAITING_APPROVAL, needed=1, request=request)
    for again in (chat, await side.chat()):
        await again.post(Post(OPS, run.id, run_card(run)))
    (message,) = side.shown()
    assert "etc/shadow" not in json.dumps(message.blocks)
    ((file,),) = [one.files for one in side.slack.replies("C0OPS", message.ts)]
    assert (file.name, long in (file.content or b"").decode()) == (f"{run.id}-request.txt", True)
    done = replace(run, state=State.SUCCEEDED, outcome=Outcome("Done.", 0, output="ok"), revision=2)
    await side.store.commit(a_change(done, output=Output(run.id, "ok")))
    await chat.post(Post(OPS, run.id, run_card(done)))
    assert len(side.slack.replies("C0OPS", message.ts)) == 1, "what it said is whole on the card"


async def test_where_slack_takes_no_file_the_thread_says_how_to_read_it(side: Side, chat: SlackChat) -> None:
    side.slack.workspace.scopes.remove("files:write")
    run = await _ended(side, "x\n" * 20_000)
    await chat.post(Post(OPS, run.id, run_card(run)))
    (reply,) = side.slack.replies("C0OPS", side.shown()[0].ts)
    assert f"/deputy status {run.id}" in reply.text
    assert "missing_scope" in side.failed


async def test_P1_what_is_private_goes_into_no_thread(side: Side, chat: SlackChat) -> None:
    run = await _ended(side, "secret\n" * 20_000, private=True)
    long = Card("It ran", facts=(Fact("Said", "y" * 20_000),), run=run.id)
    await chat.post(Post(OPS, run.id, long))
    (message,) = side.shown()
    assert side.slack.replies("C0OPS", message.ts) == []


async def _ended(side: Side, output: str, **more: Any) -> Run:
    run = await side.run(state=State.SUCCEEDED, outcome=Outcome("Done.", 0, output=output), **more)
    await side.store.commit(Change((a_draft(run.id),), output=Output(run.id, output)))
    return run


# ---- routes -----------------------------------------------------------------------------------------


async def test_what_was_approved_elsewhere_tells_its_last_lines_where_it_was_asked(side: Side) -> None:
    chat = await side.chat(Routes(approvals="C0APPROVE"))
    run = await side.run(state=State.RUNNING, needed=1)
    await chat.post(Post(OPS, run.id, run_card(run)))
    chat.progress(OPS, run.id, "line 7")
    await side.slack.until(lambda: "line 7" in str(side.shown()[0].blocks))
    assert "line 7" not in str(side.shown("C0APPROVE")[0].blocks)
    await chat.close()


async def test_approvals_go_to_their_channel_as_well_and_call_whom_they_need_once(side: Side) -> None:
    chat = await side.chat(Routes(approvals="C0APPROVE", mention={"Bosses": ("S0MANAGERS", "U0MAYA")}))
    waits = await side.run(state=State.AWAITING_APPROVAL, needed=1, approver_roles=("Bosses", "Others"))
    await chat.post(Post(OPS, waits.id, run_card(waits)))
    runs = replace(waits, state=State.QUEUED, revision=2)
    await side.store.commit(a_change(runs))
    await chat.post(Post(OPS, waits.id, run_card(runs)))

    (asked,), (decided,) = side.shown("C0OPS"), side.shown("C0APPROVE")
    (_, before), *_ = decided.edits
    assert _called(before) == ["S0MANAGERS", "U0MAYA"]
    assert _called(decided.blocks) == []
    assert [_called(blocks) for _, blocks in asked.edits] == [[]]
    assert "Approve" not in json.dumps(decided.blocks), "no stale button remains"
    await chat.close()


@pytest.mark.parametrize("approvals", ["C0CLOSED", "C0OLD", "C0NOWHERE"])
async def test_where_deputy_cannot_speak_in_the_channel_for_approvals_its_requester_learns_just_that(
    side: Side, approvals: str
) -> None:
    chat = await side.chat(Routes(approvals=approvals))
    waits = await side.run(state=State.AWAITING_APPROVAL, needed=2)
    await chat.post(Post(OPS, waits.id, run_card(waits)))
    (told,), (asked,) = side.slack.hanna.directs, side.shown()
    assert "Nobody but you is shown this" not in str(told.blocks), "it stands where it was asked"
    assert "Deputy can't speak in the channel for approvals" in str(told.blocks)
    assert "can't speak" not in str(asked.blocks)
    await chat.close()


async def test_where_deputy_cannot_speak_in_the_channel_for_approvals_they_are_called_where_it_was_asked(
    side: Side,
) -> None:
    chat = await side.chat(Routes(approvals="C0CLOSED", mention={"Bosses": ("S0MANAGERS",)}))
    waits = await side.run(state=State.AWAITING_APPROVAL, needed=2, approver_roles=("Bosses",))
    await chat.post(Post(OPS, waits.id, run_card(waits)))
    (asked,) = side.shown()
    assert _called(asked.blocks) == ["S0MANAGERS"]
    await chat.post(Post(OPS, waits.id, run_card(replace(waits, needed=3, revision=2))))
    assert _called(asked.blocks) == [], "and once"
    await chat.close()


async def test_who_asked_where_deputy_is_not_learns_that_the_approvers_see_it(
    side: Side,
) -> None:
    chat = await side.chat(Routes(approvals="C0APPROVE"))
    closed = Place("slack", "C0CLOSED")
    waits = await side.run(place=closed, state=State.AWAITING_APPROVAL, needed=2)
    await chat.post(Post(closed, waits.id, run_card(waits)))
    for changed in (waits, replace(waits, needed=3, revision=2)):
        await chat.post(Post(closed, waits.id, run_card(changed)))
        (told,) = side.slack.hanna.directs
        assert "sees it in the channel for approvals" in str(told.blocks)
        assert "Nobody but you" not in str(told.blocks)
    await chat.close()


async def test_where_nobody_can_be_told_in_its_place_the_request_stands_where_it_was_asked(side: Side) -> None:
    side.people.clear()
    chat = await side.chat(Routes(approvals="C0CLOSED", mention={"Bosses": ("S0MANAGERS",)}))
    waits = await side.run(state=State.AWAITING_APPROVAL, needed=2, approver_roles=("Bosses",))
    for _ in range(2):
        with pytest.raises(SlackRefused, match="not_in_channel"):
            await chat.post(Post(OPS, waits.id, run_card(waits)))
        side.clock.pass_(60)
    (asked,) = side.shown()
    assert (_called(asked.blocks), asked.edits) == (["S0MANAGERS"], [])
    await chat.close()


async def test_without_a_channel_for_approvals_they_are_called_where_it_was_asked(side: Side) -> None:
    chat = await side.chat(Routes(mention={"Bosses": ("S0MANAGERS",)}))
    waits = await side.run(state=State.AWAITING_APPROVAL, needed=1, approver_roles=("Bosses",))
    await chat.post(Post(OPS, waits.id, run_card(waits)))
    (asked,) = side.shown("C0OPS")
    assert _called(asked.blocks) == ["S0MANAGERS"]
    assert side.shown("C0APPROVE") == []
    await chat.close()


async def test_who_asked_for_what_was_interrupted_is_called_once(side: Side, chat: SlackChat) -> None:
    run = await side.run(state=State.INTERRUPTED)
    for _ in range(2):
        await chat.post(Post(OPS, f"{run.id}:interrupted", interrupted_notice(run)))
    (told,) = side.shown()
    assert (_called(told.blocks), told.edits) == ([HANNA], [])


async def test_what_needs_no_approval_stays_where_it_was_asked(side: Side) -> None:
    chat = await side.chat(Routes(approvals="C0APPROVE"))
    run = await side.run()
    await chat.post(Post(OPS, run.id, run_card(run)))
    assert (len(side.shown("C0OPS")), side.shown("C0APPROVE")) == (1, [])
    await chat.close()


def _called(value: Any) -> list[str]:
    """Return whom blocks mention."""
    if isinstance(value, dict):
        here = value.get("usergroup_id") or value.get("user_id")
        return [str(here)] if here else [one for part in value.values() for one in _called(part)]
    return [one for part in value for one in _called(part)] if isinstance(value, list) else []


# ---- not for ever -----------------------------------------------------------------------------------


async def test_a_post_refused_for_good_is_given_up_and_the_audit_log_says_so(side: Side) -> None:
    side.people.clear()
    company, postman = await outbox_of(side)
    nowhere = Place("slack", "C0NOWHERE")
    run = await side.run(place=nowhere)
    await side.store.commit(a_change(posts=(Post(nowhere, run.id, run_card(run)),)))
    await side.store.commit(a_change(posts=(Post(nowhere, f"{run.id}:more", Card("More", run=run.id)),)))
    for _ in range(2 * TRIES):
        await postman.deliver()
        company.clock.pass_(60)
    assert await side.store.outbox(company.clock.now()) == []
    given_up = [one for one in await side.store.entries(subject=run.id) if one.tag == Tag.POST_GIVEN_UP]
    assert [(one.facts["key"], one.facts["tries"]) for one in given_up] == [
        (run.id, TRIES),
        (f"{run.id}:more", TRIES),
    ]
    assert "channel_not_found" in str(given_up[0].facts["reason"])
    calls = len(side.slack.calls)
    await postman.deliver()
    assert len(side.slack.calls) == calls


@pytest.mark.parametrize("wrong", ["the token", "a scope", "Slack"])
async def test_while_the_set_up_is_wrong_or_slack_is_down_every_post_waits(side: Side, wrong: str) -> None:
    company, postman = await outbox_of(side)
    await side.store.commit(a_change(posts=(a_post("It is done."),)))
    token, scopes = side.slack.bot_token, set(side.slack.workspace.scopes)
    if wrong == "the token":
        side.slack.bot_token = "xoxb-rotated"
    elif wrong == "a scope":
        side.slack.workspace.scopes.discard("chat:write")
    else:
        await side.slack.down()
    for _ in range(3 * TRIES):
        assert await postman.deliver() == 0
        company.clock.pass_(61)
    side.slack.bot_token, side.slack.workspace.scopes = token, scopes
    if wrong == "Slack":
        await side.slack.up()
    assert await postman.deliver() == 1
    assert [one.text for one in side.shown()] == ["It is done."]


async def test_invited_in_time_deputy_posts_what_it_could_not(side: Side) -> None:
    side.people.clear()
    company, postman = await outbox_of(side)
    await side.store.commit(a_change(posts=(a_post("It is done.", place=Place("slack", "C0CLOSED")),)))
    assert await postman.deliver() == 0
    side.slack.workspace.channels["C0CLOSED"].members.add("U0DEPUTY")
    company.clock.pass_(60)
    assert await postman.deliver() == 1
    assert [one.text for one in side.shown("C0CLOSED")] == ["It is done."]


async def outbox_of(side: Side) -> tuple[Company, Postman]:
    """Return the company and what delivers its outbox to Slack."""
    company = Company()
    company.clock = side.clock
    ports = replace(company.ports, store=side.store, clock=side.clock, chats={"slack": await side.chat()})
    return company, Postman(ports)
