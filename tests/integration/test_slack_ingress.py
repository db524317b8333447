"""What comes in from Slack: once, not lost, from the right people, and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.chat.slack import attend
from bot.chat.slack.guard import LARGEST
from bot.core.card import Button, Verb
from bot.core.errors import Unavailable
from bot.core.run import Place, State
from bot.store.database import SqlStore
from tests.fakes.slack_delivery import Answer, delivery, sign
from tests.fakes.slack_office import Office, card_in, connected_to, eventually
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import View

HANNA = "T0DEPUTY:U0HANNA"


# ---- once, and not lost --------------------------------------------------------------------------


async def test_I2_a_replayed_delivery_has_one_effect(unserved: Office, http: SlackServer) -> None:
    async with unserved.replica() as http.app_url:
        await http.hanna.command("/deputy unlock-account alice")
        await http.until(lambda: http.hanna.whispers)
        sent = http.http.sent[-1]
        assert (await http.replay(sent)).status == 401
        assert (await http.redeliver(sent)).status == 200
    assert len(unserved.door.calls) == 1


async def test_I8_what_slack_repeats_late_and_to_another_replica_is_done_once(
    unserved: Office, http: SlackServer
) -> None:
    async with unserved.replica() as one, unserved.replica() as other:
        http.app_url = one
        await http.hanna.mention("unlock-account alice")
        (sent,) = http.http.sent
        answers = [await http.redeliver(sent, to, attempt) for attempt in (1, 2, 3) for to in (one, other)]
        both = await asyncio.gather(*(http.replay(sent, to) for to in (one, other)))
        await http.until(lambda: http.hanna.whispers)
    assert {answer.status for answer in [*answers, *both]} == {200}
    assert len(unserved.door.calls) == 1


async def test_two_deliveries_at_the_same_moment_to_two_replicas_are_done_once(
    unserved: Office, http: SlackServer
) -> None:
    async with unserved.replica() as one, unserved.replica() as other:
        payload = http.hanna.event_payload(
            {"type": "app_mention", "channel": "C0OPS", "text": "<@U0DEPUTY> whoami"}
        )
        sent = delivery("events_api", payload)
        answers = await asyncio.gather(*(http.replay(sent, to) for to in (one, other) * 5))
        await http.until(lambda: http.hanna.whispers)
    assert all(answer.ok for answer in answers)
    assert len(unserved.door.calls) == 1


async def test_what_was_acknowledged_is_done_by_the_next_process(
    unserved: Office, http: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = unserved.door.__class__()
    hung.gate.clear()
    async with unserved.replica(hung) as http.app_url:
        assert (await http.hanna.command("/deputy unlock-account alice")).ok
    assert hung.calls == []
    async with unserved.replica(alone=True):
        (said,) = await http.until(lambda: http.hanna.whispers)
    assert said.text == "Done."
    assert [call.given for call in unserved.door.calls] == [("unlock-account alice",)]
    async with unserved.replica(alone=True):
        pass
    assert len(unserved.door.calls) == 1


async def test_what_was_left_long_ago_is_not_done_any_more_but_told(
    unserved: Office, http: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = unserved.door.__class__()
    hung.gate.clear()
    async with unserved.replica(hung) as http.app_url:
        await http.hanna.command("/deputy unlock-account alice")
    monkeypatch.setattr(attend, "LATE", attend.timedelta(0))
    async with unserved.replica(alone=True):
        (said,) = await http.until(lambda: http.hanna.whispers)
    assert "unlock-account alice" in said.text
    assert unserved.door.calls == []


async def test_A7_what_can_not_be_kept_is_not_done_and_that_is_said(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise Unavailable("The disk is full, so nothing was done.")

    monkeypatch.setattr(office.store, "keep_intents", full)
    answer = await office.slack.hanna.command("/deputy unlock-account alice")
    assert answer.body == {"response_type": "ephemeral", "text": "The disk is full, so nothing was done."}
    await office.slack.martin.press(card_in(office.slack, Button("Approve", Verb.APPROVE, "R-1")), "Approve")
    (said,) = await office.slack.until(lambda: office.slack.martin.whispers)
    assert said.text == "The disk is full, so nothing was done."
    assert office.door.calls == []


async def test_W10_a_flood_from_one_person_is_refused_and_others_are_not_held_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attend, "MOST", 3)
    office.door.gate.clear()
    answers = [await office.slack.hanna.command(f"/deputy status R-{number}") for number in range(5)]
    refused = [answer.body["text"] for answer in answers if answer.body]
    assert len(refused) == 2
    assert "very much at once" in refused[0]
    assert (await office.slack.martin.command("/deputy whoami")).body is None
    office.door.gate.set()
    await office.slack.until(lambda: office.slack.martin.whispers)
    await office.slack.until(lambda: len(office.slack.hanna.whispers) == 5)
    assert (await office.slack.hanna.command("/deputy whoami")).body is None


# ---- who it comes from ---------------------------------------------------------------------------


def entries(office: Office) -> list[tuple[str, dict[str, Any]]]:
    """Return one delivery of each kind."""
    hanna = office.slack.hanna
    card = card_in(office.slack, Button("Approve", Verb.APPROVE, "R-1"))
    view = View(
        "V1", hanna.id, {"type": "modal", "callback_id": "fill", "private_metadata": "{}", "blocks": []}, "V1"
    )
    typed = {"type": "block_suggestion", "action_id": "pick:action", "value": "x", "view": view.as_json()}
    return [
        ("slash_commands", dict(hanna.command_payload("/deputy", "whoami"))),
        ("interactive", hanna.press_payload(card, "Approve")),
        ("interactive", hanna.submission(view)),
        ("interactive", {**hanna._acting(), **typed}),
        ("interactive", {**hanna._acting(), "type": "shortcut", "trigger_id": "1", "callback_id": "run_on_this"}),
        ("events_api", hanna.event_payload({"type": "app_mention", "channel": "C0OPS", "text": "<@U0DEPUTY> x"})),
        ("events_api", hanna.event_payload({"type": "app_home_opened", "tab": "home", "channel": "D0HANNA"})),
    ]


@pytest.mark.parametrize("wrong", [{"team": {"id": "T0OTHER"}, "team_id": "T0OTHER"}, {"api_app_id": "A0OTHER"}])
async def test_I6_what_another_team_or_app_sends_has_no_effect(office: Office, wrong: dict[str, Any]) -> None:
    given = entries(office)
    for kind, payload in given:
        strange = {**payload, **{name: value for name, value in wrong.items() if name in payload}}
        if office.slack.mode == "http":
            assert (await office.slack.http.post(delivery(kind, strange))).status == 401
        else:
            assert (await office.slack.socket.send(kind, strange)).body is None
    await office.slack.hanna.command("/deputy whoami")
    await office.slack.until(lambda: office.slack.hanna.whispers)
    assert [call.given for call in office.door.calls] == [("whoami",)]


async def test_I7_a_stranger_through_slack_connect_is_nobody_here(office: Office) -> None:
    card = card_in(office.slack, Button("Approve", Verb.APPROVE, "R-1"))
    await office.slack.stranger.press(card, "Approve")
    await office.slack.stranger.mention("unlock-account alice")
    await eventually(lambda: len(office.door.calls) == 2)
    assert {call.account.id for call in office.door.calls} == {"T0OTHER:U0STRANGE"}


async def test_I4_the_body_of_what_is_not_taken_is_not_logged(
    unserved: Office, http: SlackServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    async with unserved.replica() as http.app_url:
        forged = delivery("slash_commands", http.hanna.command_payload("/deputy", "token=hunter2"))
        stolen = {**forged.headers, **sign(forged.body, "another secret")}
        answer = await http.http.post(type(forged)(forged.kind, forged.payload, forged.body, stolen))
        odd = json.dumps({"team_id": "T0DEPUTY", "api_app_id": "A0DEPUTY", "event": "hunter2", "type": "hunter2"})
        strange = await http.http.post(type(forged)("events_api", {}, odd.encode(), {**json_signed(odd)}))
    assert (answer.status, strange.status) == (401, 400)
    assert "hunter2" not in f"{caplog.text}{answer.body}{strange.body}"
    assert "signature is not Slack's" in caplog.text


def json_signed(text: str) -> dict[str, str]:
    return {"Content-Type": "application/json", **sign(text.encode())}


async def test_I5_what_is_too_large_or_packed_is_turned_away_unread(unserved: Office, http: SlackServer) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    async with unserved.replica() as address, aiohttp.ClientSession() as session:
        packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        async with session.post(address, data=b"\x1f\x8b", headers=packed) as answer:
            assert answer.status == 400
        async with session.post(address, data=b"x" * (LARGEST + 1)) as answer:
            assert answer.status == 413
        try:
            async with session.post(address, data=endless()) as answer:
                assert answer.status == 413
        except aiohttp.ClientConnectionError:
            pass  # it hung up on what never ends
        async with session.get(address) as answer:
            assert answer.status == 405


# ---- Socket Mode ---------------------------------------------------------------------------------


@pytest.fixture
async def lines(slack_store: SqlStore, tmp_path: Path) -> AsyncIterator[Office]:
    async with SlackServer("socket") as slack:
        office = Office(slack, slack_store, tmp_path)
        async with office.replica():
            await connected_to(slack)
            yield office


async def test_lines_that_slack_ends_or_that_are_cut_are_made_anew(lines: Office) -> None:
    slack = lines.slack
    for cut in (slack.socket.disconnect(), None):
        before = list(slack.socket.connections)
        if cut:
            await cut
        else:
            slack.socket.abort()
        await eventually(lambda: len(set(slack.socket.connections) - set(before)) == 2)  # noqa: B023
        assert (await slack.hanna.command("/deputy whoami")).ok
    assert len(await slack.until(lambda: slack.hanna.whispers if len(slack.hanna.whispers) == 2 else [])) == 2


async def test_I2_an_envelope_that_comes_again_on_the_other_line_is_done_once(lines: Office) -> None:
    slack = lines.slack
    await slack.hanna.command("/deputy unlock-account alice")
    (envelope,) = slack.socket.envelopes
    for _ in range(2):
        assert (await slack.socket.repeat(envelope)).ok
    await slack.until(lambda: slack.hanna.whispers)
    assert len(lines.door.calls) == 1


# ---- the whole way -------------------------------------------------------------------------------


async def test_P4_a_reader_who_presses_approve_is_refused_and_told_why(
    unserved: Office, http: SlackServer
) -> None:
    async with unserved.company():
        await http.hanna.command("/deputy change alice")
        (card,) = await http.until(lambda: http.shown("C0OPS"))
        for person, why in (
            (http.edda, "may not approve"),
            (http.hanna, "own request"),
            (http.eve, "linked to nobody"),
        ):
            await person.press(card, "Approve")
            (said,) = await http.until(lambda: person.whispers)  # noqa: B023
            assert why in said.text
        (run,) = await unserved.store.runs()
        assert (run.state, run.votes, run.place) == (State.AWAITING_APPROVAL, (), Place("slack", "C0OPS"))


async def test_two_managers_approve_one_clicking_twice_and_it_runs_once(
    unserved: Office, http: SlackServer
) -> None:
    async with unserved.company() as company:
        await http.hanna.command("/deputy wipe alice")
        (card,) = await http.until(lambda: http.shown("C0OPS"))
        await http.martin.press(card, "Approve")
        await http.martin.press(card, "Approve")
        (said,) = await http.until(lambda: http.martin.whispers)
        assert "counts already" in said.text
        await http.maya.press(card, "Approve")
        await eventually(lambda: company.puppets.started)
        await http.until(lambda: "Done" in json.dumps(http.shown("C0OPS")[0].blocks))
        (run,) = await unserved.store.runs()
    assert run.state is State.SUCCEEDED
    assert len(company.puppets.started) == 1


# ---- anything at all -----------------------------------------------------------------------------


def mangled(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a payload with each of its parts, two levels deep, missing or of another kind."""
    odd: list[Any] = [None, [], {}, "", 7, "x" * 5_000, ["\u0000"], {"id": 5}]
    found: list[dict[str, Any]] = []
    kept = ("team", "team_id", "api_app_id")
    for name, value in payload.items():
        if name in kept:
            continue
        found += [{**payload, name: one} for one in odd]
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            for key in inner:
                for one in odd:
                    bent = {**inner, key: one}
                    found.append({**payload, name: [bent] if isinstance(value, list) else bent})
    return found


async def test_R6_whatever_is_bent_in_a_delivery_there_is_no_answer_of_5xx(
    unserved: Office, http: SlackServer
) -> None:
    async with unserved.replica() as http.app_url:
        answers: list[Answer] = []
        for kind, payload in entries(unserved):
            bodies = [delivery(kind, one) for one in mangled(payload)]
            for start in range(0, len(bodies), 20):
                answers += await asyncio.gather(*(http.http.post(one) for one in bodies[start : start + 20]))
        assert len(answers) > 1_000
        assert {answer.status for answer in answers} <= {200, 400, 401}
        assert (await http.eve.command("/deputy whoami")).ok
