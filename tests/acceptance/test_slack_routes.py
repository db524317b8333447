"""Where requests go in Slack: asked in one channel, approved in another, where who is needed is called once."""

import json
from pathlib import Path

from tests.acceptance.at_slack import LINKED, TENANT, at_slack, said, sees, whispered
from tests.acceptance.conftest import own_content
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import Message

ACTIONS = {
    "operations/wipe.sh": "echo wiped\n",
    "operations/wipe.toml": 'title = "Wipe it"\nsummary = "Wipes."\nrisk = "destructive"\n',
    "operations/look.sh": "echo looked\n",
    "operations/look.toml": 'title = "Look at it"\nsummary = "Looks."\nrisk = "read"\n',
}
ROUTES = """
approvals = "C0APPROVE"

[actions.look]
asked_in = ["C0APPROVE"]

[mention]
"Identity managers" = ["S0MANAGERS", "U0MAYA"]
"Engineers" = ["on-call", "U0MAYA"]
"""
ON_CALL = f"""
tenant = "{TENANT}"

[[shift]]
people = ["{LINKED["U0EDDA"][1]}", "{LINKED["U0EDDA"][1][:-4]}ffff"]
from = 2020-01-01T00:00:00Z
until = 2099-01-01T00:00:00Z
"""


def called(blocks: object) -> list[str]:
    """Return whom blocks mention."""
    if isinstance(blocks, dict):
        here = blocks.get("usergroup_id") or blocks.get("user_id")
        return [str(here)] if here else [one for part in blocks.values() for one in called(part)]
    return [one for part in blocks for one in called(part)] if isinstance(blocks, list) else []


def ever_called(message: Message) -> list[str]:
    """Return whom a message has mentioned since it was posted."""
    return [one for blocks in (*(before for _, before in message.edits), message.blocks) for one in called(blocks)]


async def test_an_approval_goes_to_its_channel_and_calls_groups_people_and_who_is_on_call_once(
    slack: SlackServer, tmp_path: Path
) -> None:
    content = own_content(tmp_path, ACTIONS)
    (tmp_path / "policies" / "slack.toml").write_text(ROUTES)
    (tmp_path / "policies" / "oncall.toml").write_text(ON_CALL)
    async with at_slack(slack, tmp_path, more=content):
        await slack.olivia.command("/deputy look")
        await whispered(slack, "olivia", "That is not asked for here, but in <#C0APPROVE>.")

        await slack.olivia.command("/deputy wipe")
        request = await sees(slack, "Wipe it", "needs 2 approvals", channel="C0APPROVE")
        assert sorted(called(request.blocks)) == ["S0MANAGERS", "U0EDDA", "U0MAYA"]
        await slack.maya.press(request, "Approve")
        await sees(slack, "1 of 2: Maya Lindt", channel="C0APPROVE")
        await slack.edda.press(request, "Approve")
        done = await sees(slack, "✅", "2 of 2: Maya Lindt and Edda Holm", channel="C0APPROVE")
        asked = await sees(slack, "✅", "Wipe it")

    assert (len(slack.shown()), len(slack.shown("C0APPROVE"))) == (1, 1)
    assert (len(ever_called(done)), ever_called(asked)) == (3, [])
    everything = json.dumps([(one.text, one.blocks) for one in slack.workspace.messages])
    assert "broadcast" not in everything and "<!" not in everything
    assert "Approve" not in said(done).split() and "Approve" not in said(asked).split()
