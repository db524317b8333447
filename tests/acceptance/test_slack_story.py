"""The main job over Slack's wire: people of the fake Slack, the real process, by HTTP and by Socket Mode."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.at_slack import at_slack, events, opened, said, sees, settings, started, telling, whispered
from tests.acceptance.conftest import Process, own_content
from tests.fakes.slack_inputs import Impossible
from tests.fakes.slack_person import as_it_is
from tests.fakes.slack_server import SlackServer

ACTIONS = {
    "operations/note.py": '''"""Notes its start."""

from pathlib import Path


def main(ledger: str, name: str = "x") -> str:
    """Note who started it."""
    with Path(ledger).open("a") as file:
        file.write(f"{name}\\\\n")
    return "Noted."
'''.replace("\\\\", "\\"),
    "operations/note.toml": 'title = "Note it"\nsummary = "Notes."\nrisk = "change"\n',
    "operations/wipe.sh": 'echo wiped >> "${1#--ledger=}"\n',
    "operations/wipe.toml": 'title = "Wipe it"\nsummary = "Wipes."\nrisk = "destructive"\n\n'
    '[parameters.ledger]\nkind = "string"\nhelp = "Where to note it."\nrequired = true\n',
    "operations/talk.py": '"""Says very much."""\n\n\ndef main() -> None:\n    """Say it."""\n'
    '    for number in range(800):\n        print(f"line {number:04d} " + "x" * 39)\n',
    "operations/talk.toml": 'title = "Talk"\nsummary = "Says 40,000 characters."\nrisk = "read"\n',
    "operations/list.py": '"""Lists."""\n\n\ndef main() -> list[dict[str, str]]:\n    """List it."""\n'
    '    return [{"name": f"host-{n}", "says": "<!channel> *bold*"} for n in range(120)]\n',
    "operations/list.toml": 'title = "List"\nsummary = "Lists 120 rows."\nrisk = "read"\n',
    "operations/pick.sh": 'echo "picked $1"\n',
    "operations/pick.toml": 'title = "Pick one"\nsummary = "Takes one of 200."\nrisk = "read"\n\n'
    '[parameters.place]\nkind = "choice"\nhelp = "Which one."\nrequired = true\n'
    f"choices = {[f'place-{number:03d}' for number in range(200)]}\n",
}


@pytest_asyncio.fixture(params=["http", "socket"])
async def slack(request: pytest.FixtureRequest) -> AsyncIterator[SlackServer]:
    async with SlackServer(request.param) as server:
        yield server


@pytest_asyncio.fixture
async def demo(slack: SlackServer, tmp_path: Path) -> AsyncIterator[Process]:
    async with at_slack(slack, tmp_path, "demo") as process:
        yield process


@pytest_asyncio.fixture
async def own(slack: SlackServer, tmp_path: Path) -> AsyncIterator[Process]:
    async with at_slack(slack, tmp_path, more=own_content(tmp_path, ACTIONS)) as process:
        yield process


# ---- the stories of the first issue ----------------------------------------------------------------


async def test_the_helpdesk_unlocks_an_account_at_once_and_it_is_checked(
    slack: SlackServer, demo: Process
) -> None:
    answer = await slack.hanna.command("/deputy unlock-account alice")
    assert answer.status == 200
    message = await sees(slack, "✅", "Unlock an account", "alice is unlocked", "Checked:", "Hanna Weber")
    assert re.search(r"AUD-\d{6}-[0-9a-f]{6}", said(message))
    assert len(slack.shown()) == 1
    code, out, _ = await demo.deputy("audit", "verify")
    assert (code, "The audit log holds" in out) == (0, True)


async def test_P1_a_password_is_reset_after_anothers_approval_and_shown_to_its_requester_alone(
    slack: SlackServer, demo: Process
) -> None:
    await slack.hanna.command("/deputy reset-password bob")
    message = await sees(slack, "needs 1 approval", "bob", "vault:directory", "Decide by")

    await slack.hanna.press(message, "Approve")
    await whispered(slack, "hanna", "can't approve your own request")
    assert "needs 1 approval" in said(message)

    await slack.martin.press(message, "Approve")
    await sees(slack, "✅", "is for Hanna Weber alone", "Marco Rossi")
    result = await whispered(slack, "hanna", "Reset a password: the result")
    await slack.hanna.press(result, "Show the result")
    view = await opened(slack, "hanna", "assword")
    password = re.search(r"assword: (\S+)", said(view))
    assert password, said(view)
    everything = "".join(said(one) for one in slack.workspace.messages)
    assert password[1] not in everything
    assert [name for name, one in slack.people.items() if one.modal] == ["hanna"]


async def test_a_manager_says_no_with_a_reason(slack: SlackServer, demo: Process) -> None:
    await slack.hanna.command("/deputy reset-password carol")
    message = await sees(slack, "needs 1 approval")
    await slack.martin.press(message, "Deny")
    view = await opened(slack, "martin")
    await slack.martin.submit(view, {"comment": "She is on leave"})
    told = await sees(slack, "Marco Rossi said no: “She is on leave”")
    assert "Approve" not in said(told)


async def test_who_says_no_to_what_is_decided_already_is_told_so_and_not_asked_why(
    slack: SlackServer, demo: Process
) -> None:
    await slack.hanna.command("/deputy reset-password dora")
    message = await sees(slack, "needs 1 approval", "dora")
    deny = slack.martin.press_payload(message, "Deny")
    await slack.hanna.press(message, "Withdraw")
    await sees(slack, "Withdrawn")
    await slack.deliver("interactive", deny)
    view = await opened(slack, "martin", "ithdrawn")
    assert "Reason" not in said(view)
    assert "Who asked reads it" not in said(view)


async def test_who_asks_where_nobody_else_is_learns_that_nobody_was_asked(
    slack: SlackServer, demo: Process
) -> None:
    await slack.hanna.direct("reset-password bob")
    private = slack.workspace.direct("U0HANNA").id
    message = await sees(slack, "needs 1 approval", "Nobody but you is shown this", channel=private)
    await slack.martin.direct("approvals")
    waiting = await sees(slack, "bob", channel=slack.workspace.direct("U0MARTIN").id)
    assert "Reset a password" in said(waiting)
    await slack.hanna.press(message, "Withdraw")
    done = await sees(slack, "ithdrawn", channel=private)
    assert "Nobody but you" not in said(done)


async def test_the_on_call_engineer_sees_a_table(slack: SlackServer, demo: Process) -> None:
    await slack.olivia.mention("disk-usage")
    message = await sees(slack, "✅", "Disk usage")
    assert [block["type"] for block in message.blocks].count("table") == 1


async def test_who_may_not_is_told_why_and_whom_to_ask_and_nobody_else_sees_it(
    slack: SlackServer, demo: Process
) -> None:
    await slack.edda.command("/deputy unlock-account alice")
    await slack.olivia.command("/deputy reset-password alice")
    await slack.eve.command("/deputy unlock-account alice")
    await whispered(slack, "olivia", "Helpdesk")
    await whispered(slack, "eve", "linked to nobody", "T0DEPUTY:U0EVE")
    await slack.eve.command("/deputy link ABCD")
    assert await slack.until(lambda: len(slack.eve.whispers) == 2)
    assert len({said(one) for one in slack.eve.whispers}) == 1
    assert telling(slack.shown(), "Olivia") is None


async def test_a_form_opens_where_something_is_missing_and_shows_the_fault_at_its_field(
    slack: SlackServer, demo: Process
) -> None:
    await slack.hanna.command("/deputy unlock-account")
    view = await opened(slack, "hanna", "Account")
    answer = await slack.hanna.submit(view, {"Account": 'al"ice'})
    assert answer.body["response_action"] == "errors"
    assert slack.shown() == []
    await slack.hanna.submit(view, {"Account": "alice"})
    await sees(slack, "✅", "alice is unlocked")
    assert slack.hanna.modal is None


async def test_the_menu_opens_and_leads_to_a_form(slack: SlackServer, demo: Process) -> None:
    await slack.hanna.command("/deputy")
    view = await opened(slack, "hanna", "Unlock an account")
    (select,) = [one for one in view.spec["blocks"] if one["type"] == "input"] or [{}]
    assert select, said(view)
    await slack.hanna.submit(view, {select["block_id"]: "unlock-account"})
    form = await opened(slack, "hanna", "Account")
    await slack.hanna.submit(form, {"Account": "alice"})
    await sees(slack, "✅", "alice is unlocked")


async def test_it_is_understood_in_a_mention_and_a_direct_message(slack: SlackServer, demo: Process) -> None:
    await slack.hanna.mention("show-account bob")
    await sees(slack, "✅", "bob")
    await slack.hanna.direct("unlock-account alice")
    await slack.until(lambda: telling(slack.hanna.directs, "✅", "alice is unlocked"))
    assert telling(slack.shown(), "alice is unlocked") is None  # it was said to Deputy alone


async def test_an_action_is_run_on_a_message_whose_words_fill_its_form(slack: SlackServer, demo: Process) -> None:
    ticket = slack.eve.say("New ticket, for the helpdesk\n*Account:* alice\n*Since:* this morning")
    await slack.hanna.shortcut("run_on_this", ticket)
    picker = await opened(slack, "hanna", "Unlock an account")
    await slack.hanna.submit(picker, {"What should be done?": "unlock-account"})
    form = await opened(slack, "hanna", "Taken from the message: Account")
    await slack.hanna.submit(form, {})
    assert await sees(slack, "✅", "alice is unlocked")


async def test_a_message_that_is_cut_fills_nothing_with_what_is_left_of_it(
    slack: SlackServer, demo: Process
) -> None:
    ticket = slack.eve.say("x" * 1_970 + "\nAccount: alice\nThat was a mistake\nAccount: bob")
    await slack.hanna.shortcut("run_on_this", ticket)
    picker = await opened(slack, "hanna", "Unlock an account")
    await slack.hanna.submit(picker, {"What should be done?": "unlock-account"})
    form = await opened(slack, "hanna", "too long for Deputy to read")
    with pytest.raises(Impossible):
        await slack.hanna.submit(form, {})


async def test_the_home_tab_shows_what_one_may_do_and_what_waits(slack: SlackServer, demo: Process) -> None:
    await slack.hanna.command("/deputy reset-password bob")
    await sees(slack, "needs 1 approval")
    await slack.martin.open_home()
    await slack.until(lambda: "bob" in said(slack.martin.home))
    await slack.hanna.open_home()
    await slack.until(lambda: "Unlock an account" in said(slack.hanna.home))
    assert slack.hanna.home
    await slack.hanna.choose(slack.hanna.home, "favour:0", "show-account")
    await slack.until(lambda: "⭐ Show an account" in said(slack.hanna.home))
    await slack.hanna.command("/deputy unfavourite show-account")
    await whispered(slack, "hanna", "show-account is no longer one of your favourites")
    await slack.hanna.open_home()
    await slack.until(lambda: "⭐" not in said(slack.hanna.home))
    await slack.eve.open_home()
    await slack.until(lambda: "linked to nobody" in said(slack.eve.home))


# ---- what is special to a channel -------------------------------------------------------------------


async def test_two_of_three_managers_approve_and_one_clicks_twice(
    slack: SlackServer, own: Process, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    await slack.olivia.command(f"/deputy wipe ledger={ledger}")
    message = await sees(slack, "needs 2 approvals")
    asked = as_it_is(message)
    await slack.maya.press(asked, "Approve")
    await sees(slack, "1 of 2: Maya Lindt")
    await slack.maya.press(asked, "Approve")
    await whispered(slack, "maya", "already")
    assert not ledger.exists()
    await slack.mario.press(asked, "Approve")
    done = await sees(slack, "✅", "2 of 2: Maya Lindt and Mario Conti")
    await slack.martin.press(asked, "Approve")
    await whispered(slack, "martin", "succeeded")
    assert (done.ts, "Approve" in _buttons(done)) == (message.ts, False)
    assert ledger.read_text() == "wiped\n"
    assert len(slack.shown()) == 1


def _buttons(message: object) -> list[str]:
    blocks = [one for one in message.blocks if one["type"] == "actions"]  # type: ignore[attr-defined]
    return [element["text"]["text"] for block in blocks for element in block["elements"]]


async def test_a_table_a_long_output_and_a_form_of_200_choices_are_legal(slack: SlackServer, own: Process) -> None:
    await slack.edda.command("/deputy list")
    table = await sees(slack, "✅", "host-0")
    assert "table" in [block["type"] for block in table.blocks]
    await slack.edda.command("/deputy talk")
    talk = await sees(slack, "✅", "line 0000")
    (reply,) = await slack.until(lambda: [one for one in slack.replies("C0OPS", talk.ts) if one.files])
    (file,) = reply.files
    assert len(file.content or b"") >= 39_999
    await slack.edda.command("/deputy pick")
    view = await opened(slack, "edda", "Which one.")
    await slack.edda.submit(view, {"Place": "place-177"})
    await sees(slack, "✅", "picked --place=place-177")


async def test_O1_what_a_script_says_mentions_nobody(slack: SlackServer, own: Process) -> None:
    await slack.edda.command("/deputy list")
    message = await sees(slack, "✅", "host-0")
    assert "<!channel>" not in message.text
    marked = [one for one in _texts(message.blocks) if one.get("type") == "mrkdwn"]
    assert not [one for one in marked if "<!channel>" in one["text"]]


def _texts(value: object) -> list[dict[str, str]]:
    if isinstance(value, dict):
        own = [value] if isinstance(value.get("text"), str) else []
        return own + [one for part in value.values() for one in _texts(part)]
    return [one for part in value for one in _texts(part)] if isinstance(value, list) else []


async def test_nothing_is_lost_while_slack_is_down(slack: SlackServer, own: Process, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    slack.fails = "500"
    await slack.olivia.command(f"/deputy note ledger={ledger}")
    await asyncio.wait_for(_written(ledger), 20)
    assert slack.shown() == []
    slack.fails = ""
    await sees(slack, "✅", "Noted.")
    assert len(slack.shown()) == 1


async def test_a_channel_that_takes_a_message_a_second_gets_all_of_them_in_order_and_slack_is_asked_seldom(
    tmp_path: Path,
) -> None:
    async with SlackServer() as slack, at_slack(slack, tmp_path, more=own_content(tmp_path, ACTIONS)):
        slack.posts_per_second = 1
        await asyncio.gather(*(slack.olivia.command(f"/deputy wipe ledger=/{number}") for number in range(6)))
        await slack.until(lambda: len(slack.shown()) == 6)
        posted = slack.made("chat.postMessage")
        each = [re.findall(r"AUD-\d{6}", said(one))[0] for one in slack.shown()]
        assert each == sorted(each)
        assert len([one for one in posted if one.status == 429]) <= 6


async def _written(ledger: Path) -> None:
    while not ledger.exists():
        await asyncio.sleep(0.05)


# ---- delivered again --------------------------------------------------------------------------------


async def test_I2_I8_what_is_delivered_again_is_done_once_even_by_a_second_process(
    tmp_path: Path, database: str
) -> None:
    ledger = tmp_path / "ledger"
    async with SlackServer() as slack:
        more = {**own_content(tmp_path, ACTIONS), "DEPUTY_DATABASE_URL": database}
        async with at_slack(slack, tmp_path, more=more) as first:
            second = Process(tmp_path, **settings(slack, tmp_path), **more)
            await second.start("serve")
            try:
                await slack.olivia.command(f"/deputy note ledger={ledger} name=one")
                (sent,) = slack.http.sent
                again = [
                    slack.redeliver(sent, to, attempt)
                    for attempt in (1, 2, 3)
                    for to in map(events, (first, second))
                ]
                answers = await asyncio.gather(*again, slack.replay(sent), slack.replay(sent, events(second)))
                await sees(slack, "✅", "Noted.")
                await slack.olivia.command(f"/deputy note ledger={ledger} name=two")
                await slack.until(lambda: len([one for one in slack.shown() if "Noted." in said(one)]) == 2)
            finally:
                await second.stop()
    assert [one.status for one in answers if one.status >= 500] == []
    assert ledger.read_text() == "one\ntwo\n"


async def test_I2_a_replay_is_not_taken_and_changes_nothing(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    async with SlackServer() as slack, at_slack(slack, tmp_path, more=own_content(tmp_path, ACTIONS)):
        await slack.olivia.command(f"/deputy note ledger={ledger}")
        await sees(slack, "✅", "Noted.")
        (sent,) = slack.http.sent
        await asyncio.gather(*(slack.replay(sent) for _ in range(10)))
        await slack.olivia.command("/deputy mine")
        await whispered(slack, "olivia", "Note it")
        assert (ledger.read_text(), len(slack.shown())) == ("x\n", 1)


async def test_an_envelope_that_comes_again_on_the_other_line_is_done_once(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    async with SlackServer("socket") as slack, at_slack(slack, tmp_path, more=own_content(tmp_path, ACTIONS)):
        await slack.olivia.mention(f"note ledger={ledger}")
        await sees(slack, "✅", "Noted.")
        (envelope,) = slack.socket.envelopes
        for attempt in (1, 2, 3):
            again = {**envelope, "envelope_id": f"again-{attempt}", "retry_attempt": attempt}
            assert (await slack.socket.repeat(again)).ok
        slack.socket.abort()
        await slack.until(lambda: len(slack.socket.connections) == 2)
        await slack.olivia.command("/deputy mine")
        await whispered(slack, "olivia", "Note it")
        notes = [one for one in slack.shown() if "Noted." in said(one)]
        assert (ledger.read_text(), len(notes)) == ("x\n", 1)


async def test_what_was_acknowledged_is_done_by_the_process_that_comes_after(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    async with SlackServer() as slack:
        process = Process(tmp_path, **settings(slack, tmp_path), **own_content(tmp_path, ACTIONS))
        async with started(slack, process):
            await slack.olivia.command(f"/deputy note ledger={ledger}")
            await process.kill()
        async with started(slack, process):
            await slack.until(
                lambda: telling(slack.shown(), "Note it", "✅") or telling(slack.shown(), "interrupted")
            )
    assert not ledger.exists() or ledger.read_text() == "x\n"


@pytest.mark.parametrize("data", ["a file", "PostgreSQL"])
async def test_a_message_whose_sender_died_before_it_was_confirmed_is_taken_up_again_and_not_doubled(
    request: pytest.FixtureRequest, tmp_path: Path, data: str
) -> None:
    more = own_content(tmp_path, ACTIONS)
    if data == "PostgreSQL":
        more["DEPUTY_DATABASE_URL"] = request.getfixturevalue("database")
    async with SlackServer() as slack:
        process = Process(tmp_path, **settings(slack, tmp_path), **more)
        async with started(slack, process):
            with frozen_at(slack, process, "chat.postMessage"):
                await slack.olivia.command(f"/deputy note ledger={tmp_path / 'ledger'}")
                await slack.until(lambda: telling(slack.shown(), "Note it"))
            await process.kill()
        async with started(slack, process):
            await sees(slack, "✅", "Noted.")
            await slack.until(lambda: slack.made("chat.update"))
    assert len(slack.shown()) == 1


@contextmanager
def frozen_at(slack: SlackServer, process: Process, method: str) -> Iterator[None]:
    """Halt a process for good when Slack has done something for it, and before it learns that."""
    answered = slack._answered

    def answer(called: str, *given: Any, **more: Any) -> Any:
        if called == method:
            process.freeze()
        return answered(called, *given, **more)

    slack._answered = answer  # type: ignore[method-assign]
    try:
        yield
    finally:
        slack._answered = answered  # type: ignore[method-assign]
