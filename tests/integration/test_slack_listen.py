"""Everything that people do in Slack, from the fake Slack's deliveries to the door, and back to the person."""

import asyncio
import json
from typing import Any

import pytest

from bot.chat.slack.tries import PAUSES
from bot.core.card import Button, Card, Table, Verb
from bot.core.condition import Condition
from bot.core.errors import Conflict, NotFound, Refused
from bot.core.form import Field, Form
from bot.core.parameter import Choice, Kind, Parameter
from bot.service.reply import Reply
from tests.fakes.door import Call
from tests.fakes.slack_office import FORM, Office, card_in, eventually, faulty, modal
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import BOT_PERSON, Message, View
from tests.unit.store.values import a_change, a_run

HANNA = "T0DEPUTY:U0HANNA"


# ---- each kind of delivery -----------------------------------------------------------------------


async def test_a_command_runs_at_once_and_its_answer_is_seen_by_the_person_alone(office: Office) -> None:
    answer = await office.slack.hanna.command("/deputy unlock-account alice")
    assert (answer.status, answer.body) == (200, None)
    (said,) = await office.slack.until(lambda: office.slack.hanna.whispers)
    assert said.text == "Done."
    (call,) = office.door.calls
    assert (call.account.platform, call.account.id, call.given) == ("slack", HANNA, ("unlock-account alice",))
    assert office.slack.shown("C0OPS") == []


async def test_an_action_has_a_command_of_its_own(office: Office) -> None:
    await office.slack.hanna.command('/unlock-account account="alice &amp; bob"')
    await office.slack.until(lambda: office.slack.hanna.whispers)
    assert office.door.of("say")[0].given == ('unlock-account account="alice & bob"',)


async def test_in_a_command_of_its_own_everything_is_taken_as_it_was_typed(office: Office) -> None:
    """Slack marks nothing up there: the manifest says should_escape = false."""
    await office.slack.hanna.command('/unlock-account account="<b>@ann</b> #ops <1> <mailto:a@b.c|a@b.c>"')
    await office.slack.until(lambda: office.slack.hanna.whispers)
    assert office.door.of("say")[0].given == ('unlock-account account="<b>@ann</b> #ops <1> a@b.c"',)


async def test_a_command_alone_opens_the_menu_then_the_form_and_that_runs(office: Office) -> None:
    hanna = office.slack.hanna
    await hanna.command("/deputy")
    picker = await office.slack.until(lambda: modal(hanna, "pick"))
    await hanna.submit(picker, {"What should be done?": "unlock-account"})
    form = await office.slack.until(lambda: modal(hanna, "fill"))
    assert hanna.told == []
    await hanna.submit(form, {"Account": "alice", "Reason": "called in"})
    (call,) = office.door.of("fill")
    assert call.given == ("unlock-account", {"account": "alice"}, "called in")
    assert hanna.modal is None


async def test_missing_arguments_open_the_form(office: Office) -> None:
    office.door.answer = lambda call: Reply(form=FORM)
    await office.slack.hanna.command("/deputy unlock-account")
    form = await office.slack.until(lambda: modal(office.slack.hanna, "fill"))
    assert json.loads(form.spec["private_metadata"])["conversation"] == "C0OPS"


async def test_faults_are_shown_at_their_fields_and_then_the_form_can_be_sent(office: Office) -> None:
    hanna, right = office.slack.hanna, office.door.reply
    office.door.answer = lambda call: Reply(form=FORM)
    await hanna.command("/deputy unlock-account")
    form = await office.slack.until(lambda: modal(hanna, "fill"))
    office.door.answer = lambda call: Reply(form=faulty(FORM, "account", "There is no such account."))
    answer = await hanna.submit(form, {"Account": "alise"})
    assert answer.body == {"response_action": "errors", "errors": {"p:account": "There is no such account."}}
    office.door.answer = right
    answer = await hanna.submit(form, {"Account": "alice"})
    assert answer.body == {"response_action": "clear"}
    assert [call.given[1] for call in office.door.of("fill")] == [{"account": "alise"}, {"account": "alice"}]


async def test_a_refusal_of_a_form_is_said_where_the_form_was(office: Office) -> None:
    hanna = office.slack.hanna
    office.door.answer = lambda call: Reply(form=FORM)
    await hanna.command("/deputy unlock-account")
    form = await office.slack.until(lambda: modal(hanna, "fill"))
    office.door.answer = refuse
    await hanna.submit(form, {"Account": "alice"})
    assert "You may not." in json.dumps(modal(hanna, "show").spec["blocks"])  # type: ignore[union-attr]


def refuse(call: Call) -> Reply:
    raise Refused("You may not.")


@pytest.mark.parametrize("how", ["mention", "direct"])
async def test_a_mention_and_a_direct_message_say_the_same(office: Office, how: str) -> None:
    hanna = office.slack.hanna
    if how == "mention":
        await hanna.mention("check-url url=<https://a.example/x?a=1&amp;b=2>")
        (said,) = await office.slack.until(lambda: hanna.whispers)
    else:
        await hanna.direct("/deputy check-url url=https://a.example/x?a=1&b=2")
        (said,) = await office.slack.until(lambda: [one for one in hanna.directs if one.author == BOT_PERSON])
    assert said.text == "Done."
    assert office.door.calls[-1].account.id == HANNA
    assert office.door.calls[-1].given[0].startswith("check-url url=")  # type: ignore[attr-defined]


@pytest.mark.parametrize("before", ["<@U0EVE> hold on, ", "<@U0EVE|eve> and <@U0MAYA>: ", "please "])
async def test_who_was_addressed_before_deputy_is_no_part_of_what_is_asked(office: Office, before: str) -> None:
    text = f"{before}<@{BOT_PERSON}> away until 2026-12-01 to <@U0MAYA>"
    event = office.slack.hanna.event_payload({"type": "app_mention", "channel": "C0OPS", "text": text})
    await office.slack.deliver("events_api", event)
    await office.slack.until(lambda: office.slack.hanna.whispers)
    assert office.door.calls[-1].given == ("away until 2026-12-01 to @T0DEPUTY:U0MAYA",)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "channel_type": "im", "channel": "D0HANNA", "text": "x", "bot_id": "B0OTHER"},
        {"type": "message", "channel_type": "im", "channel": "D0HANNA", "subtype": "message_changed"},
        {"type": "message", "channel_type": "channel", "channel": "C0OPS", "text": "unlock-account alice"},
        {"type": "app_mention", "channel": "C0OPS", "text": "<@U0DEPUTY> x", "user": None},
        {"type": "app_home_opened", "channel": "D0HANNA", "tab": "messages"},
        {"type": "team_rename", "name": "x"},
    ],
)
async def test_I7_what_bots_and_edits_and_other_channels_say_is_none_of_deputys(
    office: Office, event: dict[str, Any]
) -> None:
    answer = await office.slack.deliver("events_api", office.slack.hanna.event_payload(event))
    assert answer.ok
    await office.slack.hanna.command("/deputy whoami")
    await office.slack.until(lambda: office.slack.hanna.whispers)
    assert [call.given for call in office.door.calls] == [("whoami",)]


async def test_a_press_reaches_the_door(office: Office) -> None:
    card = card_in(office.slack, Button("Approve", Verb.APPROVE, "R-1", "primary"))
    assert (await office.slack.martin.press(card, "Approve")).ok
    call = await eventually(lambda: office.door.of("press"))
    assert call[0].given == (Verb.APPROVE, "R-1", "")
    assert call[0].account.id == "T0DEPUTY:U0MARTIN"


async def test_a_denial_asks_why(office: Office) -> None:
    martin = office.slack.martin
    await martin.press(card_in(office.slack, Button("Deny", Verb.DENY, "R-1", "danger", asks="Reason")), "Deny")
    view = await office.slack.until(lambda: modal(martin, "deny"))
    assert "will not run once you send this" in json.dumps(view.spec)
    await martin.submit(view, {"Reason": "not today"})
    given = [call.given for call in office.door.of("press")]
    assert given == [(Verb.DENY, "R-1", ""), (Verb.DENY, "R-1", "not today")]
    assert martin.modal is None


async def test_who_may_review_an_emergency_but_not_see_all_of_it_is_asked_what_they_found(office: Office) -> None:
    def hidden(call: Call) -> Reply:
        if call.method == "say":
            raise NotFound("There is no run R-1 that you may see.")
        return Reply()

    office.door.answer = hidden
    martin = office.slack.martin
    await martin.press(card_in(office.slack, Button("Review", Verb.REVIEW, "R-1")), "Review")
    view = await office.slack.until(lambda: modal(martin, "review"))
    await martin.submit(view, {"What you found": "it was needed"})
    assert office.door.of("press")[-1].given == (Verb.REVIEW, "R-1", "it was needed")


async def test_a_click_that_is_too_late_is_answered_with_what_is_true_now(office: Office) -> None:
    def too_late(call: Call) -> Reply:
        raise Conflict("R-1 is denied by now, so there is nothing to decide.")

    office.door.answer = too_late
    await office.slack.martin.press(card_in(office.slack, Button("Approve", Verb.APPROVE, "R-1")), "Approve")
    (said,) = await office.slack.until(lambda: office.slack.martin.whispers)
    assert said.text == "R-1 is denied by now, so there is nothing to decide."


async def test_a_shortcut_on_a_message_fills_the_form_from_it(office: Office) -> None:
    hanna = office.slack.hanna
    said = office.slack.eve.say("It is site-042 again & nobody can sign in")
    await hanna.shortcut("run_on_this", said)
    picker = await office.slack.until(lambda: modal(hanna, "pick"))
    await hanna.submit(picker, {"What should be done?": "unlock-account"})
    form = await office.slack.until(lambda: modal(hanna, "fill"))
    assert '"site-042"' in json.dumps(form.spec["blocks"])


async def test_a_shortcut_on_an_alert_fills_the_form_from_what_its_attachments_say(office: Office) -> None:
    hanna, workspace = office.slack.hanna, office.slack.workspace
    alert = {"title": "Disk is full", "fields": [{"title": "Site", "value": "site-042"}], "fallback": "An alert"}
    await hanna.shortcut(
        "run_on_this", workspace.say(Message("C0OPS", workspace.stamp(), "U0ROBOT", attachments=[alert]))
    )
    picker = await office.slack.until(lambda: modal(hanna, "pick"))
    await hanna.submit(picker, {"What should be done?": "unlock-account"})
    form = await office.slack.until(lambda: modal(hanna, "fill"))
    assert '"site-042"' in json.dumps(form.spec["blocks"])


async def test_many_choices_are_searched_by_typing(office: Office) -> None:
    hanna = office.slack.hanna
    office.door.answer = lambda call: Reply(form=FORM)
    await hanna.command("/deputy unlock-account")
    form = await office.slack.until(lambda: modal(hanna, "fill"))
    found = await hanna.type(form, "p:site", "17")
    assert [one["value"] for one in found] == ["site-017", "site-117", *(f"site-{n}" for n in range(170, 180))]
    assert hanna.told == []


async def test_a_search_that_takes_too_long_goes_on_for_the_next_letter(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanna = office.slack.hanna
    monkeypatch.setattr("bot.chat.slack.listen.OPTIONS", 0.05)
    office.door.answer = lambda call: Reply(form=FORM)
    await hanna.command("/deputy unlock-account")
    form = await office.slack.until(lambda: modal(hanna, "fill"))
    office.door.gate.clear()
    assert await hanna.type(form, "p:site", "17") == []
    before = len(office.door.of("press"))
    office.door.gate.set()
    await eventually(lambda: len(office.door.of("press")) == before + 1)
    assert len(await hanna.type(form, "p:site", "177")) == 1
    assert hanna.told == []


async def test_the_home_tab_shows_what_there_is(office: Office) -> None:
    await office.slack.hanna.open_home()
    home = await office.slack.until(lambda: office.slack.hanna.home)
    assert "Unlock an account" in json.dumps(home.spec["blocks"])
    office.door.answer = refuse
    await office.slack.eve.open_home()
    home = await office.slack.until(lambda: office.slack.eve.home)
    assert "You may not." in json.dumps(home.spec["blocks"])


async def test_a_home_tab_that_slack_could_not_show_comes_when_it_can(office: Office) -> None:
    office.slack.fails = "500"
    await office.slack.hanna.open_home()
    await eventually(lambda: [call for call in office.door.calls if call.given == ("mine",)])
    assert office.slack.hanna.home is None
    office.slack.fails = ""
    home = await office.slack.until(lambda: office.slack.hanna.home)
    assert "Unlock an account" in json.dumps(home.spec["blocks"])


async def test_a_newer_home_tab_is_not_replaced_by_an_older_one_that_comes_late(office: Office) -> None:
    office.slack.fails = "500"
    office.door.answer = lambda call: Reply(card=Card("As it was"))
    await office.slack.hanna.open_home()
    await eventually(lambda: [call for call in office.door.calls if call.given == ("mine",)])
    office.slack.fails, office.door.answer = "", lambda call: Reply(card=Card("As it is"))
    await office.slack.hanna.open_home()
    await office.slack.until(lambda: office.slack.hanna.home)
    await asyncio.sleep(PAUSES[0] * 1.5)
    assert office.slack.hanna.home and "As it is" in json.dumps(office.slack.hanna.home.spec["blocks"])


async def test_a_home_tab_that_slack_takes_slowly_does_not_arrive_after_a_newer_one(office: Office) -> None:
    office.slack.latency = 0.5
    office.door.answer = lambda call: Reply(card=Card("As it was"))
    await office.slack.hanna.open_home()
    await eventually(lambda: [call for call in office.door.calls if call.given == ("mine",)])
    await asyncio.sleep(0.2)  # it is on its way to Slack
    office.slack.latency, office.door.answer = 0.0, lambda call: Reply(card=Card("As it is"))
    await office.slack.hanna.open_home()
    await asyncio.sleep(0.6)
    assert "As it is" in json.dumps((await office.slack.until(lambda: office.slack.hanna.home)).spec["blocks"])


async def test_what_is_decided_from_the_home_tab_waits_there_no_more(office: Office) -> None:
    waits, martin = ["R-1"], office.slack.martin
    card = Card("A run", buttons=(Button("Approve", Verb.APPROVE, "R-1"),), run="R-1")

    def answer(call: Call) -> Reply:
        if call.method == "press":
            waits.clear()
            return Reply(run="R-1")
        rows = tuple((run, "Wipe it") for run in waits)
        return Reply(card=card if call.given == ("status R-1",) else Card("Runs", blocks=(Table(("", ""), rows),)))

    office.door.answer = answer
    await martin.open_home()
    home = await office.slack.until(lambda: martin.home)
    assert "Wipe it" in json.dumps(home.spec["blocks"])
    await martin.press(home, "Decide")
    await martin.press(await office.slack.until(lambda: modal(martin, "show")), "Approve")
    await office.slack.until(lambda: martin.home and "Wipe it" not in json.dumps(martin.home.spec["blocks"]))


async def test_what_is_decided_in_a_view_takes_the_buttons_of_that_view_away(office: Office) -> None:
    waits = Card("A run", buttons=(Button("Approve", Verb.APPROVE, "R-1"),), run="R-1")
    listed = Card("Waits for you", blocks=(Table(("Run", "What"), (("R-1", "A run"),)),))

    def answer(call: Call) -> Reply:
        if call.method != "say":
            return Reply(run="R-1")
        return Reply(card=waits if call.given == ("status R-1",) else listed)

    office.door.answer, martin = answer, office.slack.martin
    await martin.open_home()
    await martin.press(await office.slack.until(lambda: martin.home), "Decide")
    view = await office.slack.until(lambda: modal(martin, "show"))
    await martin.press(view, "Approve")
    await office.slack.until(lambda: "The conversation shows how it goes on" in json.dumps(view.spec["blocks"]))
    assert office.slack.workspace.modals["U0MARTIN"] == [view]


async def test_an_action_is_asked_for_in_its_channels(unserved: Office, http: SlackServer) -> None:
    (unserved.folder / "slack.toml").write_text('[actions.unlock-account]\nasked_in = ["C0APPROVE"]\n')
    async with unserved.replica() as http.app_url:
        await http.hanna.command("/deputy unlock_account alice")
        (said,) = await http.until(lambda: http.hanna.whispers)
        assert said.text == "That is not asked for here, but in <#C0APPROVE>."
        await http.martin.command("/deputy unlock-account alice", "C0APPROVE")
        await http.until(lambda: http.martin.whispers)
    assert [call.account.id for call in unserved.door.calls] == ["T0DEPUTY:U0MARTIN"]


@pytest.mark.parametrize(
    "line", ["break-glass unlock-account alice reason=now", "break-glass Unlock_Account alice", "rerun r-1", ""]
)
async def test_no_way_to_ask_leads_round_the_channels_of_an_action(
    unserved: Office, http: SlackServer, line: str
) -> None:
    (unserved.folder / "slack.toml").write_text('[actions.unlock-account]\nasked_in = ["C0APPROVE"]\n')
    await unserved.store.commit(a_change(a_run()))
    async with unserved.replica() as http.app_url:
        if line:
            await http.hanna.command(f"/deputy {line}")
        else:
            await http.hanna.press(card_in(http, Button("Run again", Verb.RERUN, "R-1")), "Run again")
        (said,) = await http.until(lambda: http.hanna.whispers)
        assert said.text == "That is not asked for here, but in <#C0APPROVE>."
        await http.hanna.command("/deputy rerun R-2")
        await http.until(lambda: len(http.hanna.whispers) == 2)
    assert [call.given for call in unserved.door.calls] == [("rerun R-2",)]


# ---- slow things ---------------------------------------------------------------------------------


async def test_a_command_is_acknowledged_while_the_door_hangs(office: Office) -> None:
    office.door.gate.clear()
    assert (await office.slack.hanna.command("/deputy unlock-account alice")).ok
    assert office.door.calls == []
    office.door.gate.set()
    await office.slack.until(lambda: office.slack.hanna.whispers)


async def test_a_menu_that_takes_long_opens_before_the_trigger_dies(office: Office) -> None:
    hanna = office.slack.hanna
    office.door.gate.clear()
    await hanna.command("/deputy")
    waiting = await office.slack.until(lambda: modal(hanna, "show"))
    assert "One moment" in json.dumps(waiting.spec["blocks"])
    office.door.gate.set()
    await office.slack.until(lambda: modal(hanna, "pick"))


async def test_a_form_that_takes_long_is_acknowledged_and_answered_in_its_place(office: Office) -> None:
    hanna = office.slack.hanna
    office.door.answer = lambda call: Reply(form=FORM)
    await hanna.command("/deputy unlock-account")
    form = await office.slack.until(lambda: modal(hanna, "fill"))
    office.door.gate.clear()
    office.door.answer = lambda call: Reply(form=faulty(FORM, "account", "There is no such account."))
    answer = await hanna.submit(form, {"Account": "alise"})
    assert answer.body["response_action"] == "update"
    assert modal(hanna, "show")
    office.door.gate.set()
    back = await office.slack.until(lambda: modal(hanna, "fill"))
    assert "There is no such account." in json.dumps(back.spec["blocks"])


async def test_a_form_sent_twice_because_the_first_answer_came_late_has_one_effect_by_its_delivery(
    office: Office,
) -> None:
    hanna = office.slack.hanna
    office.door.answer = lambda call: Reply(form=FORM)
    await hanna.command("/deputy unlock-account")
    form = await office.slack.until(lambda: modal(hanna, "fill"))
    await hanna.enter(form, {"Account": "alice"})
    for _ in range(2):
        await office.slack.deliver("interactive", hanna.submission(form))
    first, second = (call.delivery for call in office.door.of("fill"))
    assert first == second


async def test_while_slack_is_down_things_are_done_and_the_answer_comes_later(
    unserved: Office, http: SlackServer
) -> None:
    async with unserved.replica() as http.app_url:
        payload = http.hanna.command_payload("/deputy", "whoami")
        await http.down()
        assert (await http.http.deliver("slash_commands", payload)).ok
        await eventually(lambda: unserved.door.calls)
        await http.up()
        (said,) = await http.until(lambda: http.hanna.whispers)
        assert said.text == "Done."


async def test_who_opens_something_too_late_is_told_so(office: Office) -> None:
    hanna = office.slack.hanna
    late = hanna.command_payload("/deputy", "")
    deny = hanna.press_payload(card_in(office.slack, Button("Deny", Verb.DENY, "R-1")), "Deny")
    office.slack.pass_time(3.5)
    for kind, payload in (("slash_commands", late), ("interactive", deny)):
        before = len(hanna.whispers)
        await office.slack.deliver(kind, payload)
        await office.slack.until(lambda before=before: len(hanna.whispers) > before)
        assert hanna.whispers[-1].text.startswith("Slack did not let this open in time")
    assert hanna.modal is None


async def test_an_answer_that_slack_finds_illegal_is_given_as_its_text(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("slack_api", "slack_server"):  # Slack has become stricter: no blocks at all
        monkeypatch.setattr(f"tests.fakes.{module}.too_long", bool)
    await office.slack.hanna.command("/deputy whoami")
    (said,) = await office.slack.until(lambda: office.slack.hanna.whispers)
    assert (said.text, said.blocks) == ("Done.", [])


async def test_an_answer_goes_another_way_where_its_address_is_used_up(office: Office) -> None:
    payload = office.slack.hanna.command_payload("/deputy", "whoami")
    office.slack.workspace.responses.clear()
    await office.slack.deliver("slash_commands", payload)
    (said,) = await office.slack.until(lambda: office.slack.hanna.whispers)
    assert said.text == "Done."


async def test_an_answer_waits_where_slack_wants_a_pause(office: Office) -> None:
    office.slack.throttle("response_url", retry_after=1)
    await office.slack.hanna.command("/deputy whoami")
    (said,) = await office.slack.until(lambda: office.slack.hanna.whispers)
    assert said.text == "Done."
    assert office.slack.made("chat.postEphemeral") == []


async def test_answers_are_sent_to_slack_alone(office: Office) -> None:
    payload = {
        **office.slack.hanna.command_payload("/deputy", "whoami"),
        "response_url": "http://127.0.0.1:9/steal",
    }
    await office.slack.deliver("slash_commands", payload)
    (said,) = await office.slack.until(lambda: office.slack.hanna.whispers)
    assert said.text == "Done."


# ---- fields that apply only at times ---------------------------------------------------------------

HOW = (Choice("lock", "Lock it"), Choice("move", "Move it"), Choice("copy", "Copy it"))
MOVE = Form(
    "move",
    "Move it",
    "Moves it.",
    "change",
    (
        Field(Parameter("name", Kind.STRING, "Name", required=True)),
        Field(Parameter("how", Kind.CHOICE, "How", choices=HOW), choices=HOW),
        Field(Parameter("to", Kind.STRING, "Where to", required=True, when=(Condition("how", ("move",)),))),
        Field(Parameter("copies", Kind.INTEGER, "Copies", when=(Condition("how", ("copy",)),))),
    ),
)


async def moving(office: Office) -> View:
    """Let Hanna open the form whose fields hang on each other."""
    office.door.answer = lambda call: Reply(form=MOVE) if call.method != "fill" else Reply(run="R-1")
    await office.slack.hanna.command("/deputy move")
    return await office.slack.until(lambda: modal(office.slack.hanna, "fill"))


def asks_for(view: View) -> list[str]:
    return [block["label"]["text"] for block in view.spec["blocks"] if block["type"] == "input"]


async def test_a_choice_shapes_the_form_and_what_was_filled_in_stays(office: Office) -> None:
    hanna, view = office.slack.hanna, await moving(office)
    assert asks_for(view) == ["Name", "How", "Reason"]
    await hanna.enter(view, {"Name": "web", "Reason": "it is full"})
    await hanna.choose(view, "How", "move")
    await office.slack.until(lambda: asks_for(view) == ["Name", "How", "Where to", "Reason"])
    await hanna.submit(view, {"Where to": "Berlin"})
    (call,) = office.door.of("fill")
    assert call.given == ("move", {"name": "web", "how": "move", "to": "Berlin"}, "it is full")
    assert [one.method for one in office.slack.calls].count("views.update") == 1
    assert hanna.told == []


async def test_while_another_choice_is_made_the_newest_one_shapes_the_form(office: Office) -> None:
    hanna, view = office.slack.hanna, await moving(office)
    office.door.gate.clear()
    await hanna.choose(view, "How", "move")
    await hanna.choose(view, "How", "copy")
    office.door.gate.set()
    await office.slack.until(lambda: asks_for(view) == ["Name", "How", "Copies", "Reason"])
    assert [one.method for one in office.slack.calls].count("views.update") == 1


async def test_a_form_that_can_not_be_shaped_stays_and_what_is_missing_is_told_when_it_is_sent(
    office: Office,
) -> None:
    hanna, view = office.slack.hanna, await moving(office)
    office.door.answer = refuse
    await hanna.choose(view, "How", "move")
    await eventually(lambda: len(office.door.of("press")) == 1)
    fault = faulty(MOVE.holding({"name": "web", "how": "move"}), "to", "“Where to” is needed.")
    office.door.answer = lambda call: Reply(form=fault)
    answer = await hanna.submit(view, {"Name": "web"})
    assert isinstance(answer.body, dict)
    assert answer.body["response_action"] == "update"
    assert asks_for(view) == ["Name", "How", "Where to", "Reason"]
    assert [one for one in (*hanna.whispers, *hanna.directs) if "You may not." in one.text] == []


# ---- favourites --------------------------------------------------------------------------------------


async def test_a_favourite_is_chosen_in_the_home_tab_and_what_was_searched_for_stays(office: Office) -> None:
    edda = office.slack.edda
    office.door.answer = lambda call: office.door.reply(call) if call.method == "say" else Reply(card=Card("Done"))
    await edda.open_home()
    before = await office.slack.until(lambda: edda.home)
    await edda.choose(before, "Search", "unlock")
    found = await office.slack.until(lambda: edda.home if edda.home is not before else None)
    await edda.choose(found, f"{Verb.FAVOUR}:0", "unlock-account")
    after = await office.slack.until(lambda: edda.home if edda.home is not found else None)
    (call,) = office.door.of("press")
    assert call.given == (Verb.FAVOUR, "unlock-account", "")
    (search,) = [block["element"] for block in after.spec["blocks"] if block["type"] == "input"]
    assert search["initial_value"] == "unlock"
    assert (edda.whispers, edda.directs) == ([], [])


async def test_why_something_is_no_favourite_stands_above_everything_else_in_the_home_tab(office: Office) -> None:
    edda = office.slack.edda
    office.door.answer = lambda call: office.door.reply(call) if call.method == "say" else refuse(call)
    await edda.open_home()
    before = await office.slack.until(lambda: edda.home)
    await edda.choose(before, f"{Verb.FAVOUR}:0", "unlock-account")
    after = await office.slack.until(lambda: edda.home if edda.home is not before else None)
    assert after.spec["blocks"][0]["text"]["text"] == "You may not."
    assert any(block["type"] == "actions" for block in after.spec["blocks"])
