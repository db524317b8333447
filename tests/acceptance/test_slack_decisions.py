"""Decisions in Slack beside yes and no: a refusal that goes on, a stand-in, a withdrawal, a comment."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest_asyncio

from tests.acceptance.at_slack import at_slack, said, sees, telling, whispered
from tests.acceptance.conftest import Process, own_content
from tests.fakes.slack_server import SlackServer

ACTIONS = {
    "accounts/rename.sh": "echo renamed\n",
    "accounts/rename.toml": 'title = "Rename it"\nsummary = "Renames an account."\nrisk = "change"\n',
    "operations/restart.sh": "echo restarted\n",
    "operations/restart.toml": 'title = "Restart it"\nsummary = "Restarts it."\nrisk = "change"\n',
    "operations/tell.sh": 'echo "it is $(date +%s%N) now"\n',
    "operations/tell.toml": 'title = "Tell the time"\nsummary = "Tells it."\nrisk = "read"\n',
}


@pytest_asyncio.fixture
async def deputy(slack: SlackServer, tmp_path: Path) -> AsyncIterator[Process]:
    async with at_slack(slack, tmp_path, more=own_content(tmp_path, ACTIONS)) as process:
        yield process


async def test_who_may_not_asks_those_who_may_and_one_of_them_runs_it(slack: SlackServer, deputy: Process) -> None:
    await slack.hanna.command("/deputy restart")
    refused = await whispered(slack, "hanna", "No policy lets Helpdesk run this action", "default-deny")
    assert telling(slack.shown(), "Restart it") is None

    await slack.hanna.press(refused, "Ask On-call or Engineers to run it")
    asked = await sees(slack, "Restart it: who runs this?", "Hanna Weber may not run this and asks On-call")
    await slack.olivia.press(asked, "Run it")

    done = await sees(slack, "✅", "Restart it")
    assert "Olivia Bauer" in said(done)


async def test_P12_a_stand_in_is_named_by_their_account_and_decides_with_the_rights_of_both(
    slack: SlackServer, deputy: Process
) -> None:
    await slack.martin.command("/deputy away until 2026-12-01 approvals to <@U0EDDA|somebody-else>")
    await whispered(slack, "martin", "You are away", "Edda Holm")
    await whispered(slack, "edda", "Marco Rossi is away")

    await slack.hanna.command("/deputy rename")
    request = await sees(slack, "1 approval")
    await slack.edda.press(request, "Approve")

    done = await sees(slack, "✅", "Edda Holm (for Marco Rossi)")
    assert "somebody-else" not in said(done)
    await slack.martin.command("/deputy back")
    await whispered(slack, "martin", "You are back")
    await whispered(slack, "edda", "Marco Rossi is back", "no longer approve")
    assert "is back" in said(slack.edda.directs[-1])


async def test_who_names_a_stand_in_that_may_approve_nothing_is_warned(
    slack: SlackServer, deputy: Process
) -> None:
    await slack.martin.command("/deputy away until 2026-12-01 approvals to <@U0HANNA>")
    await whispered(slack, "martin", "You are away", "that is nothing: name somebody else")
    await slack.martin.command("/deputy away until 2026-12-01 approvals to <@U0MARIO>")
    await whispered(slack, "hanna", "Marco Rossi has named somebody else")
    assert "nothing" not in said(await whispered(slack, "martin", "You are away", "Mario Conti"))


async def test_who_is_mentioned_but_not_linked_or_only_typed_stands_in_for_nobody(
    slack: SlackServer, deputy: Process
) -> None:
    for typed, shown in (("<@U0EVE|edda>", "T0DEPUTY:U0EVE"), ("maya", "maya"), ("@*maya*", "*maya*")):
        await slack.martin.command(f"/deputy away until 2026-12-01 approvals to {typed}")
        told = await whispered(
            slack, "martin", f"“{shown}” is nobody whom Deputy knows", "list that opens after @"
        )
        assert "Your account" not in said(told)
    assert telling(slack.martin.whispers, "You are away") is None


async def test_each_stand_in_is_told_so_directly_also_where_another_was_named_before(
    slack: SlackServer, deputy: Process
) -> None:
    slack.workspace.inactive |= {"U0EDDA", "U0MARIO"}
    for account, name in (("U0EDDA", "edda"), ("U0MARIO", "mario")):
        await slack.martin.command(f"/deputy away until 2026-12-01 approvals to <@{account}>")
        assert await slack.until(lambda name=name: telling(slack.people[name].directs, "Marco Rossi is away"))


async def test_a_freeze_is_named_in_the_menu_and_in_the_help(
    slack: SlackServer, deputy: Process, tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    frozen = {"name": "Black week", "reason": "Shops are busy."}
    dates = f"from = {today - timedelta(days=1)}\nuntil = {today + timedelta(days=20)}\n"
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in frozen.items())
    (tmp_path / "policies" / "calendar.toml").write_text(f"[[freeze]]\n{text}{dates}")
    ends = f"You can ask from {today + timedelta(days=21):%-d %b %Y}, 00:00 UTC on."

    await slack.hanna.open_home()
    home = said(await slack.until(lambda: slack.hanna.home))
    assert "run nothing here now. Changes rest: Black week, until" in home and ends in home
    await slack.hanna.command("/deputy help rename")
    await whispered(slack, "hanna", "You may not run it. Changes rest: Black week, until", ends)


async def test_broken_policies_are_named_where_a_request_would_wait(
    slack: SlackServer, deputy: Process, tmp_path: Path
) -> None:
    await slack.hanna.command("/deputy rename")
    request = await sees(slack, "1 approval")
    (tmp_path / "policies" / "engineers.cedar").write_text("permit")

    await slack.martin.command("/deputy approvals")
    assert "Nothing waits" not in said(await whispered(slack, "martin", "The policies are broken"))
    await slack.maya.open_home()
    home = await slack.until(lambda: slack.maya.home)
    assert "The policies are broken" in said(home) and "Nothing waits" not in said(home)
    await slack.mario.press(request, "Approve")
    assert " may." not in said(await whispered(slack, "mario", "The policies are broken"))


async def test_a_request_is_withdrawn_by_who_asked(slack: SlackServer, deputy: Process) -> None:
    await slack.hanna.command("/deputy rename")
    request = await sees(slack, "1 approval")
    await slack.hanna.press(request, "Withdraw")
    told = await sees(slack, "Withdrawn by Hanna Weber. It will not run.")
    assert "Approve" not in said(told)


async def test_a_comment_on_an_approval_is_read_in_the_channel(slack: SlackServer, deputy: Process) -> None:
    await slack.hanna.command("/deputy rename")
    request = await sees(slack, "1 approval")
    run = re.search(r"R-[0-9A-Z]{8}", said(request))
    assert run
    await slack.martin.command(f"/deputy approve {run[0]} he asked me, too")
    await sees(slack, "✅", "“he asked me, too”")


async def test_what_a_repeated_run_said_otherwise_is_shown_to_who_compares(
    slack: SlackServer, deputy: Process
) -> None:
    await slack.olivia.command("/deputy tell")
    first = await sees(slack, "✅", "Tell the time")
    before = _time(said(first))
    assert "Compare" not in said(first)
    await slack.olivia.press(first, "Run again")
    again = await slack.until(lambda: next((one for one in slack.shown()[1:] if "✅" in said(one)), None))

    await slack.olivia.press(again, "Compare")

    compared = await whispered(slack, "olivia", "two runs compared", "1 line added, 1 removed")
    assert f"-{before}\n+{_time(said(again))}" in said(compared)
    assert "Show what changed" not in said(compared)
    assert len(slack.shown()) == 2


def _time(words: str) -> str:
    told = re.search(r"it is \d+ now", words)
    assert told, words
    return told[0]
