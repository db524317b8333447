"""Anything at all, signed: taken or refused, never a 5xx, and nobody can do by it what they may not do."""

import asyncio
import copy
import itertools
import json
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.acceptance.at_slack import LINKED, at_slack, opened, said, sees, telling
from tests.acceptance.conftest import Process, own_content
from tests.acceptance.wiping import WIPING, effects, wiping
from tests.fakes.slack_delivery import Delivery, delivery, sign
from tests.fakes.slack_person import Person, as_it_is
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import Message, View

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
BODIES = 3000  # by somebody without rights
PERMITTED_BODIES = 1000  # by people who have some
SOCKET_BODIES = 1000
AT_ONCE = 20


@pytest_asyncio.fixture
async def deputy(slack: SlackServer, tmp_path: Path) -> AsyncIterator[Process]:
    async with at_slack(slack, tmp_path, more=own_content(tmp_path, WIPING)) as process:
        yield process


Seed = Callable[[], tuple[str, dict[str, Any]]]


class Fuzz:
    """Makes deliveries that Slack never would, from those that it does; whose each is stays as it is."""

    def __init__(self, seeds: Sequence[Seed]) -> None:
        self._random = random.Random(4)
        self._seeds = seeds

    def payload(self) -> tuple[str, Any]:
        """Return the next one's kind and what it carries."""
        kind, seed = self._random.choice(self._seeds)()
        return kind, self._changed(json.loads(json.dumps(seed)))

    def delivery(self) -> Delivery:
        """Return the next one as it goes over HTTP; some are no payload at all, some are cut."""
        dice, (kind, changed) = self._random.random(), self.payload()
        if dice < 0.2:
            body = self._random.randbytes(self._random.randrange(200))
            return Delivery(kind, {}, body, {**self._random.choice([FORM, JSON]), **sign(body)})
        if dice < 0.4 or not isinstance(changed, dict):
            body = json.dumps(changed).encode()[: self._random.randrange(2000)]
            return Delivery(kind, {"cut": changed}, body, {**JSON, **sign(body)})
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

    async def one() -> None:
        made = fuzz.delivery()
        sent.append((made, (await slack.http.post(made)).status))

    await many(one, bodies)
    statuses = {status for _, status in sent}
    assert statuses <= {200, 400, 401, 413}
    assert {200, 400, 401} <= statuses
    return [made for made, status in sent if status == 200]


async def many(do: Callable[[], Awaitable[None]], times: int) -> None:
    """Do something many times, a few at once."""
    left = iter(range(times))

    async def one_after_another() -> None:
        for _ in left:
            await do()

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


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


async def test_R6_what_is_fuzzed_by_socket_mode_is_acknowledged_where_it_can_be_read_and_has_no_effect(
    tmp_path: Path, ledger: Path
) -> None:
    more = own_content(tmp_path, WIPING)
    async with SlackServer("socket") as slack, at_slack(slack, tmp_path, more=more) as deputy:
        message = await wiping(slack, ledger)
        before, shown = effects(deputy), len(slack.shown())
        fuzz, lines, statuses = Fuzz(of_eve(slack, message)), list(slack.socket.connections), set()

        async def one() -> None:
            kind, payload = fuzz.payload()
            legible = "\\ud800" not in json.dumps(payload)  # half a character: what HTTP answers with 400
            statuses.add((legible, (await slack.socket.send(kind, payload)).status))

        await many(one, SOCKET_BODIES)
        await slack.maya.press(message, "Approve")
        await sees(slack, "1 of 2: Maya Lindt")
        ((run, revision),) = before
        assert (statuses, slack.socket.connections) == ({(True, 200), (False, 0)}, lines)
        assert (effects(deputy), len(slack.shown())) == ([(run, revision + 1)], shown)


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
