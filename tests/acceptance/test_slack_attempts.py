"""Who may not decide tries to, over HTTP and by Socket Mode: it has no effect, and they are told why."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.at_slack import at_slack, sees, whispered
from tests.acceptance.conftest import Process, own_content
from tests.acceptance.wiping import WIPING, effects, wiping
from tests.fakes.slack_delivery import Answer
from tests.fakes.slack_person import Person
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import Message

pytestmark = pytest.mark.parametrize("slack", ["http", "socket"], indirect=True)


@pytest_asyncio.fixture
async def deputy(slack: SlackServer, tmp_path: Path) -> AsyncIterator[Process]:
    async with at_slack(slack, tmp_path, more=own_content(tmp_path, WIPING)) as process:
        yield process


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
    before, shown, maya = effects(deputy), len(slack.workspace.messages), slack.maya
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
    answers = [await slack.deliver(kind, foreign(payload, how)) for kind, payload in entries]
    # By Socket Mode what is not for Deputy is acknowledged too, or it would come again.
    assert {one.status for one in answers} == {401 if slack.mode == "http" else 200}
    assert slack.mode == "http" or {one.body for one in answers} == {None}
    await maya.press(message, "Approve")
    await sees(slack, "1 of 2: Maya Lindt")
    ((run, revision),) = before
    assert (effects(deputy), len(slack.workspace.messages)) == ([(run, revision + 1)], shown)


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


Door = Callable[[Person, Message, str], Awaitable[Answer]]
DOORS: dict[str, Door] = {
    "the button": lambda who, message, _: who.press(message, "Approve"),
    "a command": lambda who, _, run: who.command(f"/deputy approve {run}"),
    "a mention": lambda who, _, run: who.mention(f"approve {run}"),
    "a direct message": lambda who, _, run: who.direct(f"approve {run}"),
}


@pytest.mark.parametrize("door", DOORS)
async def test_P1_nobody_approves_what_they_asked_for_by_whatever_door(
    slack: SlackServer, deputy: Process, ledger: Path, door: str
) -> None:
    await slack.edda.command(f"/deputy wipe ledger={ledger}")
    message = await sees(slack, "needs 2 approvals")
    ((run, _),) = before = effects(deputy)
    await DOORS[door](slack.edda, message, run)
    await whispered(slack, "edda", "can't approve your own request")
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


@pytest.mark.parametrize("door", DOORS)
async def test_P4_who_may_not_approve_is_told_so_by_whatever_door(
    slack: SlackServer, deputy: Process, ledger: Path, door: str
) -> None:
    message = await wiping(slack, ledger)
    ((run, _),) = before = effects(deputy)
    await DOORS[door](slack.hanna, message, run)
    await whispered(slack, "hanna", "No policy lets Helpdesk approve this request", "Identity managers")
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
        assert (await slack.deliver("interactive", forged)).status in (200, 400)
    await slack.maya.command("/deputy approvals")
    await whispered(slack, "maya", "Wipe it")
    assert effects(deputy) == before
