"""Attacks over Slack's wire on the real process: refused, without effect, never a 5xx."""

import asyncio
import copy
import hashlib
import itertools
import json
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.at_slack import LINKED, at_slack, opened, said, sees, settings, telling, whispered
from tests.acceptance.conftest import Process, own_content
from tests.fakes.slack_delivery import Answer, Delivery, delivery, sign
from tests.fakes.slack_person import Person, as_it_is
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import Message, View

ACTIONS = {
    "operations/wipe.sh": 'echo wiped >> "${1#--ledger=}"\n',
    "operations/wipe.toml": 'title = "Wipe it"\nsummary = "Wipes."\nrisk = "destructive"\n\n'
    '[parameters.ledger]\nkind = "string"\nhelp = "Where to note it."\nrequired = true\n',
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
BODIES = 3000  # of the fuzzing, by somebody without rights
PERMITTED_BODIES = 1000  # by people who have some
AT_ONCE = 20


@pytest_asyncio.fixture
async def deputy(slack: SlackServer, tmp_path: Path) -> AsyncIterator[Process]:
    async with at_slack(slack, tmp_path, more=own_content(tmp_path, ACTIONS)) as process:
        yield process


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


async def wiping(slack: SlackServer, ledger: Path) -> Message:
    """Ask for something that needs two approvals; return its message as it stands."""
    await slack.olivia.command(f"/deputy wipe ledger={ledger}")
    return as_it_is(await sees(slack, "needs 2 approvals"))


def effects(process: Process) -> list[tuple[str, int]]:
    """Return every run with the count of its changes."""
    with closing(sqlite3.connect(process.database)) as database:
        return database.execute("SELECT id, revision FROM runs ORDER BY id").fetchall()


async def raw(slack: SlackServer, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Post bytes as they are."""
    return await slack.http.post(Delivery("", {}, body, headers))


# ---- ingress ----------------------------------------------------------------------------------------


async def test_I1_without_a_signing_secret_it_does_not_start(slack: SlackServer, tmp_path: Path) -> None:
    given = {**own_content(tmp_path, ACTIONS), **settings(slack, tmp_path)}
    del given["DEPUTY_SLACK_SIGNING_SECRET"]
    process = Process(tmp_path, **given)
    code, _, err = await process.deputy("serve")
    assert (code, err.startswith("deputy: DEPUTY_SLACK_SIGNING_SECRET: ")) == (1, True)
    assert not process.database.exists()


async def test_I1_an_unsigned_click_is_not_taken(slack: SlackServer, deputy: Process, ledger: Path) -> None:
    message = await wiping(slack, ledger)
    before = effects(deputy)
    sent = delivery("interactive", slack.maya.press_payload(message, "Approve"))
    assert (await slack.http.post(replace(sent, headers=FORM))).status == 401
    forged = {**FORM, **sign(sent.body, secret="0" * 32)}
    assert (await slack.http.post(replace(sent, headers=forged))).status == 401
    old = {**FORM, **sign(sent.body, at=1_700_000_000)}
    assert (await slack.http.post(replace(sent, headers=old))).status == 401
    assert effects(deputy) == before


@pytest.mark.parametrize("stamp", ["abc", "", "1e9", "²", "-1", "9" * 400, "1795478772.5"])
async def test_I3_a_strange_timestamp_is_401(slack: SlackServer, deputy: Process, stamp: str) -> None:
    signed = {**sign(b"x"), "X-Slack-Request-Timestamp": stamp}
    assert (await raw(slack, b"x", {**FORM, **signed})).status == 401


@pytest.mark.parametrize("signature", ["v0=ä", "v0=" + "ü" * 64, "", "v0=", "v1=" + "0" * 64, "0" * 64])
async def test_I3_a_strange_signature_is_401(slack: SlackServer, deputy: Process, signature: str) -> None:
    signed = {**sign(b"x"), "X-Slack-Signature": signature}
    assert (await raw(slack, b"x", {**FORM, **signed})).status == 401


async def test_I4_no_body_is_ever_logged(slack: SlackServer, tmp_path: Path) -> None:
    process = Process(tmp_path, **settings(slack, tmp_path), **own_content(tmp_path, ACTIONS))
    with (tmp_path / "log").open("w+") as log:
        process.stderr = log.fileno()
        await process.start("serve")
        slack.app_url = f"{process.address}/slack/events"
        payload = slack.olivia.command_payload("/deputy", "wipe ledger=hunter2-and-more")
        sent = delivery("slash_commands", payload)
        bad = {**sent.headers, "X-Slack-Signature": "v0=" + "0" * 64}
        statuses = [
            (await slack.http.post(replace(sent, headers=bad))).status,
            (await raw(slack, b'{"a": hunter2-and-more', {**JSON, **sign(b'{"a": hunter2-and-more')})).status,
            (await slack.http.post(delivery("interactive", {"type": "hunter2-and-more"}))).status,
        ]
        await process.stop()
        log.seek(0)
        logged = log.read()
    assert (statuses[0], [one for one in statuses if one >= 500]) == (401, [])
    assert "not taken" in logged
    assert "hunter2" not in logged


async def test_I10_what_an_old_signing_secret_signs_is_not_taken_after_the_rotation(
    slack: SlackServer, tmp_path: Path, ledger: Path
) -> None:
    slack.signing_secret = "f00dfeed" * 4  # Deputy's by now; what is delivered is signed with the one before
    async with at_slack(slack, tmp_path, more=own_content(tmp_path, ACTIONS)) as process:
        sent = delivery("slash_commands", slack.olivia.command_payload("/deputy", f"wipe ledger={ledger}"))
        assert (await slack.http.post(sent)).status == 401
        assert effects(process) == []
        signed = {**FORM, **sign(sent.body, secret=slack.signing_secret)}
        assert (await slack.http.post(replace(sent, headers=signed))).status == 200
        await sees(slack, "needs 2 approvals")
        assert len(effects(process)) == 1


HOSTILE = {
    "50 MB": (b"x" * 50_000_000, FORM, {413}),
    "not JSON": (b"payload=%7B", FORM, {400}),
    "10,000 deep": (b"[" * 10_000 + b"]" * 10_000, JSON, {400}),
    "a key twice": (b'{"team_id": "T0OTHER", "team_id": "T0DEPUTY"}', JSON, {400, 401}),
    "not UTF-8": (b"\xff\xfe", JSON, {400}),
    "nothing": (b"", FORM, {400, 401}),
    "another type": (b"<a/>", {"Content-Type": "text/xml"}, {400}),
    "a number": (b"1", JSON, {400}),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_I5_what_is_too_large_or_malformed_is_refused_signed_or_not(
    slack: SlackServer, deputy: Process, what: str
) -> None:
    body, kind, expected = HOSTILE[what]
    assert (await raw(slack, body, kind)).status in {401, 413, 400, 0}  # 0: cut off while it was still sending
    assert (await raw(slack, body, {**kind, **sign(body)})).status in {*expected, 0}
    assert (await slack.verify_url()).body == {"challenge": "3eZbrw1a"}


def foreign(payload: Mapping[str, Any], how: str) -> dict[str, Any]:
    """Return a payload as another workspace, or another app, would send it."""
    ours, theirs = {"team": ("T0DEPUTY", "T0OTHER"), "app": ("A0DEPUTY", "A0OTHER")}[how]
    read: dict[str, Any] = json.loads(json.dumps(payload).replace(ours, theirs))
    return read


@pytest.mark.parametrize("how", ["team", "app"])
async def test_I6_what_another_workspace_or_app_signs_is_not_taken_whatever_it_is(
    slack: SlackServer, deputy: Process, ledger: Path, how: str
) -> None:
    message = await wiping(slack, ledger)
    before, maya = effects(deputy), slack.maya
    click = maya.press_payload(message, "Approve")
    asked = {"type": "message", "channel": "D0MAYA", "channel_type": "im", "text": f"wipe ledger={ledger}"}
    entries = [
        ("slash_commands", maya.command_payload("/deputy", f"wipe ledger={ledger}")),
        ("interactive", click),
        ("interactive", {**click, "type": "view_submission", "view": {"callback_id": "fill"}}),
        ("interactive", {**click, "type": "view_closed", "view": {"callback_id": "fill"}}),
        ("interactive", {**click, "type": "block_suggestion", "value": ""}),
        ("interactive", {**click, "type": "message_action", "callback_id": "run_on_this"}),
        ("interactive", {**click, "type": "shortcut", "callback_id": "run_on_this"}),
        ("events_api", maya.event_payload(asked)),
        ("events_api", maya.event_payload({"type": "app_home_opened", "tab": "home"})),
    ]
    answers = [await slack.http.post(delivery(kind, foreign(payload, how))) for kind, payload in entries]
    assert [one.status for one in answers] == [401] * len(entries)
    assert effects(deputy) == before


@pytest.mark.parametrize("who", ["stranger", "guest", "robot", "gone", "eve"])
async def test_I7_who_is_linked_to_nobody_can_click_but_not_decide(
    slack: SlackServer, deputy: Process, ledger: Path, who: str
) -> None:
    """The stranger has the member id of a manager here, in another workspace."""
    message = await wiping(slack, ledger)
    before = effects(deputy)
    assert (await slack.people[who].press(message, "Approve")).status in (200, 401)
    await slack.people[who].command(f"/deputy wipe ledger={ledger}")
    slack.people[who].told.clear()  # what isn't taken at all, Slack itself complains of
    await slack.maya.press(message, "Approve")
    await sees(slack, "1 of 2: Maya Lindt")
    ((run, revision),) = before
    assert effects(deputy) == [(run, revision + 1)]
    assert not ledger.exists()


# ---- who decides ------------------------------------------------------------------------------------


async def test_P1_nobody_approves_what_they_asked_for(slack: SlackServer, deputy: Process, ledger: Path) -> None:
    await slack.edda.command(f"/deputy wipe ledger={ledger}")
    message = await sees(slack, "needs 2 approvals")
    before = effects(deputy)
    await slack.edda.press(message, "Approve")
    await whispered(slack, "edda", "can't approve your own request")
    await slack.edda.command(f"/deputy approve {before[0][0]}")
    assert effects(deputy) == before


async def test_P2_one_person_on_two_platforms_counts_once(
    slack: SlackServer, deputy: Process, ledger: Path
) -> None:
    message = await wiping(slack, ledger)
    ((run, _),) = effects(deputy)
    await slack.martin.press(message, "Approve")
    await sees(slack, "1 of 2: Marco Rossi")
    await deputy.send("/api/press", "manager", verb="approve", subject=run, comment="")
    await slack.maya.press(message, "Approve")
    await sees(slack, "✅", "2 of 2: Marco Rossi and Maya Lindt")
    assert ledger.read_text() == "wiped\n"


async def test_P4_who_may_not_approve_is_told_so(slack: SlackServer, deputy: Process, ledger: Path) -> None:
    message = await wiping(slack, ledger)
    before = effects(deputy)
    await slack.hanna.press(message, "Approve")
    await whispered(slack, "hanna", "approve")
    assert effects(deputy) == before


async def test_P5_of_fifty_clicks_at_once_two_count_and_it_runs_once(
    slack: SlackServer, deputy: Process, ledger: Path
) -> None:
    message = await wiping(slack, ledger)
    managers = [slack.martin, slack.maya, slack.mario]
    clicks = [managers[number % 3].press(message, "Approve") for number in range(50)]
    answers = await asyncio.gather(*clicks)
    done = await sees(slack, "✅", "2 of 2")
    assert {one.status for one in answers} == {200}
    assert (done.ts, ledger.read_text(), len(effects(deputy))) == (message.ts, "wiped\n", 1)
    code, out, _ = await deputy.deputy("audit", "verify")
    assert (code, "The audit log holds" in out) == (0, True)


async def test_a_click_is_not_believed_what_it_says_of_others(
    slack: SlackServer, deputy: Process, ledger: Path
) -> None:
    message = await wiping(slack, ledger)
    before = effects(deputy)
    click = slack.maya.press_payload(message, "Approve")
    for subject in ("R-00000000", "", "x" * 2000, "../../etc", before[0][0].lower() + "'"):
        forged = {
            **click,
            "trigger_id": f"1.{len(subject)}",
            "actions": [{**click["actions"][0], "value": subject}],
        }
        assert (await slack.http.post(delivery("interactive", forged))).status in (200, 400)
    await slack.maya.command("/deputy approvals")
    await whispered(slack, "maya", "Wipe it")
    assert effects(deputy) == before


# ---- what is shown ----------------------------------------------------------------------------------


async def test_O1_what_somebody_asks_for_mentions_nobody(slack: SlackServer, deputy: Process) -> None:
    evil = "&lt;!channel&gt; <@U0EVE|eve> <https://evil.example|the bank> *bold*"
    await slack.olivia.command(f'/deputy wipe ledger="{evil}" reason="{evil}"')
    message = await sees(slack, "needs 2 approvals")
    shown = json.dumps((message.text, message.blocks))
    assert "<!channel> @eve the bank *bold*" in said(message)
    assert [one for one in ('"mrkdwn"', '"user"', '"link"', '"broadcast"', "<@") if one in shown] == []
    assert "<" not in message.text


async def test_O3_a_long_argument_shows_its_length_and_hash_and_whole_where_asked(
    slack: SlackServer, deputy: Process
) -> None:
    harmless, tail = "/var/log/" + "x" * 2_000, "/../../etc/shadow"
    await slack.olivia.command(f"/deputy wipe ledger={harmless}{tail}")
    message = await sees(slack, "needs 2 approvals")
    digest = hashlib.sha256(f"{harmless}{tail}".encode()).hexdigest()[:12]
    assert f"2,026 characters in all, SHA-256 {digest}" in said(message)
    assert tail not in said(message)
    ((run, _),) = effects(deputy)
    await slack.maya.command(f"/deputy status {run}")
    await whispered(slack, "maya", f"{harmless}{tail}")


# ---- anything at all ----------------------------------------------------------------------------------


Seed = Callable[[], tuple[str, dict[str, Any]]]


class Fuzz:
    """Makes deliveries that Slack never would, from those that it does; whose each is stays as it is."""

    def __init__(self, seeds: Sequence[Seed]) -> None:
        self._random = random.Random(4)
        self._seeds = seeds

    def delivery(self) -> Delivery:
        """Return the next one."""
        dice, (kind, seed) = self._random.random(), self._random.choice(self._seeds)()
        if dice < 0.2:
            body = self._random.randbytes(self._random.randrange(200))
            return Delivery(kind, {}, body, {**self._random.choice([FORM, JSON]), **sign(body)})
        changed = self._changed(json.loads(json.dumps(seed)))
        if dice < 0.4:
            body = json.dumps(changed).encode()[: self._random.randrange(2000)]
            return Delivery(kind, {"cut": changed}, body, {**JSON, **sign(body)})
        changed = changed if isinstance(changed, dict) else seed
        if kind == "slash_commands":
            changed = {name: str(value).encode(errors="replace").decode() for name, value in changed.items()}
        made = delivery(kind, changed)
        return replace(made, headers=FORM) if dice > 0.95 else made

    def _changed(self, value: Any) -> Any:
        """Change one thing somewhere in it."""
        if isinstance(value, dict) and value and self._random.random() < 0.9:
            name = self._random.choice(list(value))
            if name not in ("user", "user_id"):  # whose it is stays
                value[name] = self._changed(value[name])
            return value
        if isinstance(value, list) and value and self._random.random() < 0.8:
            place = self._random.randrange(len(value))
            value[place] = self._changed(value[place])
            return value
        odd = [None, True, -1, 1e308, "", "\x00", "\ud800", "ü" * 3000, [], {}, [[]], {"id": {}}, "a b=c", "’%s{}"]
        return self._random.choice(odd)


async def fuzzed(slack: SlackServer, fuzz: Fuzz, bodies: int) -> list[Delivery]:
    """Send deliveries, many at once, and see that each is taken or refused; return those that were taken."""
    sent: list[tuple[Delivery, int]] = []
    left = iter(range(bodies))

    async def one_after_another() -> None:
        for _ in left:
            one = fuzz.delivery()
            sent.append((one, (await slack.http.post(one)).status))

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
    statuses = {status for _, status in sent}
    assert statuses <= {200, 400, 401, 413}
    assert {200, 400, 401} <= statuses
    return [one for one, status in sent if status == 200]


def of_eve(slack: SlackServer, message: Message) -> list[Seed]:
    """Return what somebody may send who has no rights."""
    click = slack.eve.press_payload(message, "Approve")
    view = {"type": "modal", "id": "V1", "callback_id": "fill", "private_metadata": "{}", "state": {"values": {}}}
    sent: list[tuple[str, dict[str, Any]]] = [
        ("slash_commands", dict(slack.eve.command_payload("/deputy", "wipe ledger=x"))),
        ("interactive", click),
        ("interactive", {**click, "type": "view_submission", "view": view}),
        ("interactive", {**click, "type": "block_suggestion", "value": "a", "view": view}),
        ("interactive", {**click, "type": "message_action", "callback_id": "run_on_this"}),
        ("events_api", slack.eve.event_payload({"type": "app_mention", "text": "<@U0DEPUTY> wipe"})),
    ]
    return [partial(lambda one: one, one) for one in sent]


async def test_R6_thousands_of_fuzzed_bodies_get_no_5xx_and_have_no_effect(
    slack: SlackServer, deputy: Process, ledger: Path
) -> None:
    message = await wiping(slack, ledger)
    before, shown = effects(deputy), len(slack.shown())
    await fuzzed(slack, Fuzz(of_eve(slack, message)), BODIES)
    await slack.maya.press(message, "Approve")
    await sees(slack, "1 of 2: Maya Lindt")
    ((run, revision),) = before
    assert (effects(deputy), len(slack.shown())) == ([(run, revision + 1)], shown)
    assert telling(slack.shown(), "Wipe it") and "Eve" not in said(slack.shown()[0])


class Permitted:
    """What two people send who may do what it says: Olivia asks and withdraws, Maya decides.

    Each of it is another delivery, and each request names a ledger of its own. Of what waits, `approved`, `denied`
    and `withdrawn` are spoken of, by Slack's message or by their ids.
    """

    def __init__(self, slack: SlackServer, form: View, messages: Mapping[str, Message], runs: Mapping[str, str]):
        self._slack, self._form, self._messages, self._runs = slack, form, messages, runs
        self._number = itertools.count()

    @property
    def seeds(self) -> list[Seed]:
        """Return everything that they send."""
        maya, olivia = self._slack.maya, self._slack.olivia
        return [
            self._filled,
            self._filled,
            lambda: ("interactive", olivia.press_payload(self._messages["withdrawn"], "Withdraw")),
            lambda: ("interactive", maya.press_payload(self._messages["approved"], "Approve")),
            lambda: ("interactive", maya.press_payload(self._messages["denied"], "Deny")),
            lambda: self._typed(olivia, f"wipe ledger=/typed/{next(self._number)}"),
            lambda: self._typed(maya, f"approve {self._runs['approved']} looks fine"),
            lambda: self._typed(maya, f"deny {self._runs['denied']} said no. {next(self._number)}"),
            lambda: self._said(olivia, f"wipe ledger=/said/{next(self._number)}"),
        ]

    def _filled(self) -> tuple[str, dict[str, Any]]:
        payload: dict[str, Any] = copy.deepcopy(self._slack.olivia.submission(self._form))
        number = next(self._number)
        payload["view"]["id"] = f"V{number}FILLED"
        values = {"p:ledger": f"/filled/{number}", "reason": f"because {number}"}
        payload["view"]["state"]["values"] = {
            name: {name: {"type": "plain_text_input", "value": value}} for name, value in values.items()
        }
        return "interactive", payload

    @staticmethod
    def _typed(who: Person, words: str) -> tuple[str, dict[str, Any]]:
        return "slash_commands", dict(who.command_payload("/deputy", words))

    @staticmethod
    def _said(who: Person, words: str) -> tuple[str, dict[str, Any]]:
        text = f"<@U0DEPUTY> {words}"
        told = {"type": "app_mention", "channel": "C0OPS", "text": text, "team": "T0DEPUTY", "ts": "1.1"}
        return "events_api", who.event_payload(told)


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a payload."""
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from texts(one)


def documents(process: Process) -> dict[str, dict[str, Any]]:
    """Return every run as it is kept."""
    with closing(sqlite3.connect(process.database)) as database:
        return {id: json.loads(document) for id, document in database.execute("SELECT id, document FROM runs")}


async def test_R6_fuzzed_bodies_of_people_with_rights_do_nothing_but_what_they_say(
    slack: SlackServer, deputy: Process, ledger: Path
) -> None:
    runs: dict[str, str] = {}
    messages: dict[str, Message] = {}
    for name in ("approved", "denied", "withdrawn", "left alone"):
        await slack.olivia.command(f'/deputy wipe ledger={ledger} reason="this is {name}"')
        messages[name] = as_it_is(await sees(slack, "needs 2 approvals", f"this is {name}"))
        (runs[name],) = {*documents(deputy)} - {*runs.values()}
    await slack.olivia.command("/deputy wipe")
    form = await opened(slack, "olivia", "Where to note it.")
    before = documents(deputy)

    taken = await fuzzed(slack, Fuzz(Permitted(slack, form, messages, runs).seeds), PERMITTED_BODIES)
    settled = len(documents(deputy)), 0
    while settled[0] != settled[1]:  # what is taken is done soon after
        await asyncio.sleep(0.5)
        settled = len(documents(deputy)), settled[0]

    said_in = [text for one in taken for text in texts(dict(one.payload))]
    after = documents(deputy)
    asked = {id: run for id, run in after.items() if id not in before}
    olivia, maya = (LINKED[id][1] for id in ("U0OLIVIA", "U0MAYA"))
    for run in asked.values():
        request = run["request"]
        assert (request["requester"]["oid"], run["state"], run["votes"]) == (olivia, "awaiting_approval", [])
        assert any(request["arguments"]["ledger"] in text for text in said_in)
        assert any(request["reason"] in text for text in said_in)
    each = Counter(run["request"]["arguments"]["ledger"] for run in asked.values())
    own = [name for name in each if name.startswith(("/filled/", "/typed/", "/said/"))]
    assert {each[name] for name in own} == {1}
    assert {name.split("/")[1] for name in own} == {"filled", "typed", "said"}

    left, approved, denied, withdrawn = (
        after[runs[name]] for name in ("left alone", "approved", "denied", "withdrawn")
    )
    assert left == before[runs["left alone"]]
    assert [(vote["approver"]["oid"], vote["yes"]) for vote in approved["votes"]] == [(maya, True)]
    assert approved["state"] == "awaiting_approval"
    ((no, reason),) = [(vote["approver"]["oid"], vote["comment"]) for vote in denied["votes"]]
    assert (denied["state"], no, reason.startswith("said no. ")) == ("denied", maya, True)
    assert (withdrawn["state"], withdrawn["votes"]) == ("withdrawn", [])
    assert not ledger.exists()
    code, out, _ = await deputy.deputy("audit", "verify")
    assert (code, "The audit log holds" in out) == (0, True)
