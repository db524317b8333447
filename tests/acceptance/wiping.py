"""Something that two managers must approve, for those who try to get round them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.acceptance.at_slack import sees
from tests.acceptance.conftest import Process
from tests.fakes.slack_person import as_it_is
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import Message

WIPING = {
    "operations/wipe.sh": 'echo wiped >> "${1#--ledger=}"\n',
    "operations/wipe.toml": 'title = "Wipe it"\nsummary = "Wipes."\nrisk = "destructive"\n\n'
    '[parameters.ledger]\nkind = "string"\nhelp = "Where to note it."\nrequired = true\n',
}


async def wiping(slack: SlackServer, ledger: Path) -> Message:
    """Ask for it as Olivia; return the request's message as it stands."""
    await slack.olivia.command(f"/deputy wipe ledger={ledger}")
    return as_it_is(await sees(slack, "needs 2 approvals"))


def effects(process: Process) -> list[tuple[str, int]]:
    """Return every run with the count of its changes."""
    with closing(sqlite3.connect(process.database)) as database:
        return database.execute("SELECT id, revision FROM runs ORDER BY id").fetchall()
