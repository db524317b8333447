"""What somebody gave in a command is what runs, also where a form opens first for something else that is wrong."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.at_slack import at_slack, opened, said, sees, whispered
from tests.acceptance.conftest import Process, own_content
from tests.fakes.slack_server import SlackServer

ACTIONS = {
    "operations/take.py": '''"""Takes something."""

import json
from datetime import datetime


def main(name: str, size: int = 5, tags: list[str] = [], at: datetime | None = None, note: str = "") -> str:
    """Say what it was given."""
    return json.dumps([name, size, tags, at.year if at else None, len(note)])
''',
    "operations/take.toml": 'title = "Take it"\nsummary = "Takes it."\nrisk = "read"\n\n'
    '[parameters.size]\nmaximum = 10\n\n[parameters.note]\nkind = "text"\n',
}


pytestmark = pytest.mark.parametrize("slack", ["http", "socket"], indirect=True)


@pytest_asyncio.fixture
async def own(slack: SlackServer, tmp_path: Path) -> AsyncIterator[Process]:
    async with at_slack(slack, tmp_path, more=own_content(tmp_path, ACTIONS)) as process:
        yield process


async def test_a_list_typed_in_one_line_stays_a_list_in_the_form(slack: SlackServer, own: Process) -> None:
    await slack.edda.command("/deputy take Bob tags=a,b,c size=99")
    await slack.edda.submit(await opened(slack, "edda", "Tags"), {"Size": "9"})
    assert await sees(slack, '["Bob", 9, ["a", "b", "c"], null, 0]')
    await slack.edda.mention("take Ann tags=a,b,c size=99")
    await slack.edda.press(await whispered(slack, "edda", "Nothing was done yet"), "Open the form")
    await slack.edda.submit(await opened(slack, "edda", "Tags"), {"Size": "8"})
    assert await sees(slack, '["Ann", 8, ["a", "b", "c"], null, 0]')


async def test_what_a_form_can_not_begin_with_is_named_at_its_head(slack: SlackServer, own: Process) -> None:
    await slack.edda.command("/deputy take Bob size=99 at=1995-01-01T00:00")
    form = await opened(slack, "edda", "Nothing ran yet", "“Size” must be at most 10, not 99.", "1995-01-01")
    assert "“At” can't begin with" in said(form)
    await slack.edda.submit(form, {"Size": "9", "At": 788_918_400})
    await sees(slack, '["Bob", 9, [], 1995, 0]')


async def test_what_is_too_long_to_keep_until_a_form_opens_is_named_before_and_in_it(
    slack: SlackServer, own: Process
) -> None:
    await slack.edda.mention(f'take Bob size=99 note="{"n" * 2_500}"')
    answer = await whispered(slack, "edda", "all but what is too long to keep: “Note”.")
    await slack.edda.press(answer, "Open the form")
    form = await opened(slack, "edda", "Too long to keep until this form opened: “Note”.", "must be at most 10")
    await slack.edda.submit(form, {"Size": "9", "Note": "n" * 7})
    assert await sees(slack, '["Bob", 9, [], null, 7]')
