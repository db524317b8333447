"""What is asked for and what a script says is shown as it is: nobody is called by it, nothing hides in it."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.at_slack import at_slack, said, sees, whispered
from tests.acceptance.conftest import Process, own_content
from tests.acceptance.wiping import WIPING, effects
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import Message

EVIL = "```\n<!channel> <!here> <@U0EVE|eve> <https://evil.test|the bank> *bold* \x1b[31mred\x1b[0m \u202etxt.exe"
TALKING = {
    "operations/talk.py": f'''"""Says what would be something else if a chat believed it."""

import time
from pathlib import Path


def main(go: str) -> dict[str, str]:
    """Say it, wait for a file, say it again, and more than a message can show."""
    print({EVIL!r}, flush=True)
    while not Path(go).exists():
        time.sleep(0.05)
    for number in range(400):
        print(f"{{number:04d}} " + {EVIL!r})
    return {{"answer": {EVIL!r}}}
''',
    "operations/talk.toml": 'title = "Talk"\nsummary = "Says it."\nrisk = "read"\n',
}
# What would call people, or be shown as something else than it is, in Slack's messages.
BELIEVED = ('"mrkdwn"', '"user"', '"usergroup"', '"link"', '"broadcast"', "\\u001b", "\\u202e")


pytestmark = pytest.mark.parametrize("slack", ["http", "socket"], indirect=True)


@pytest_asyncio.fixture
async def deputy(slack: SlackServer, tmp_path: Path) -> AsyncIterator[Process]:
    async with at_slack(slack, tmp_path, more=own_content(tmp_path, WIPING | TALKING)) as process:
        yield process


def believed(text: str, blocks: object) -> list[str]:
    """Return what is in a message that is not shown letter by letter."""
    shown = json.dumps((text, blocks))
    return [one for one in BELIEVED if one in shown] + ["<"] * ("<" in text)


async def test_O1_what_somebody_asks_for_mentions_nobody(slack: SlackServer, deputy: Process) -> None:
    evil = "&lt;!channel&gt; <@U0EVE|eve> <https://evil.test|the bank> *bold*"
    await slack.olivia.command(f'/deputy wipe ledger="{evil}" reason="{evil}"')
    message = await sees(slack, "needs 2 approvals")
    assert "<!channel> @eve the bank *bold*" in said(message)
    assert believed(message.text, message.blocks) == []


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


async def test_O3_what_a_script_says_stays_in_its_place_while_it_runs_and_after(
    slack: SlackServer, deputy: Process, tmp_path: Path
) -> None:
    await slack.edda.command(f"/deputy talk go={tmp_path / 'go'}")
    await sees(slack, "▶", "<!channel> <!here>")
    (tmp_path / "go").touch()
    done = await sees(slack, "✅", "<!channel> <!here>")
    (reply,) = await slack.until(lambda: [one for one in slack.replies("C0OPS", done.ts) if one.files])

    told = [(done.text, done.blocks), *done.edits, (reply.text, reply.blocks)]
    assert [believed(*one) for one in told if believed(*one)] == []
    assert "▶" in said(Message(done.channel, done.ts, done.author, *done.edits[-1]))
    (file,) = reply.files
    assert "0399 ```\n<!channel>" in (file.content or b"").decode()
