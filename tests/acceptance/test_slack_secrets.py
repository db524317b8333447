"""Secrets over Slack's wire: one is made, or taken from the vault by a name the action offers; none is typed."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from tests.acceptance.at_slack import at_slack, opened, said, sees, whispered
from tests.acceptance.conftest import own_content
from tests.fakes.slack_server import SlackServer

STORED = "st0red-p4ssw0rd-canary"
ACTIONS = {
    "operations/set-mail.py": '''"""Sets the password of the mail server."""

import hashlib
from typing import Literal


def main(
    source: Literal["new", "vault"], password: str | None = None, stored: dict[str, str] | None = None
) -> dict[str, str]:
    """Say what it got, by its hash, and say it aloud."""
    secret = password or (stored or {})["password"]
    print(f"It is {secret}.")
    return {"sha": hashlib.sha256(secret.encode()).hexdigest(), "characters": str(len(secret))}
''',
    "operations/set-mail.toml": """title = "Set the mail password"
summary = "Sets it to a new one, or to one from the vault."
risk = "change"

[parameters.source]
label = "Which password"
choices = [{ value = "new", label = "A new one" }, { value = "vault", label = "One from the vault" }]

[parameters.password]
kind = "secret"
required = true
when = { source = "new" }

[parameters.stored]
choices = ["vault:mail/old", { value = "vault:mail/spare", label = "The spare" }]
required = true
when = { source = "vault" }
""",
}


@pytest.mark.parametrize("mode", ["http", "socket"])
async def test_V3_a_secret_is_made_or_taken_from_the_vault_and_slack_never_has_it(
    mode: str, tmp_path: Path
) -> None:
    async with (
        SlackServer(mode) as slack,
        at_slack(slack, tmp_path, more=own_content(tmp_path, ACTIONS)) as process,
    ):
        for _ in range(2):  # the newest version counts
            await process.deputy("vault", "set", "mail/spare", "username=svc", "password", stdin=f"{STORED}\n")
        await process.deputy("vault", "set", "others", "password", stdin="n0t-offered-canary\n")

        await slack.olivia.command("/deputy set-mail")
        view = await opened(slack, "olivia", "Which password")
        await slack.olivia.choose(view, "Which password", "new")
        await opened(slack, "olivia", "Slack keeps what is typed")
        await slack.olivia.submit(view, {"Password": "Make a new one"})
        made = await sees(slack, "✅", "Set the mail password", "Characters", "32", "••••••")

        await slack.olivia.command("/deputy set-mail source=vault")
        view = await opened(slack, "olivia", "Stored", "Deputy takes it from its vault")
        assert "others" not in json.dumps(view.spec)
        await slack.olivia.submit(view, {"Stored": "The spare"})
        taken = await sees(slack, "✅", hashlib.sha256(STORED.encode()).hexdigest())

        everything = json.dumps([one.blocks for one in slack.workspace.messages]) + str(slack.calls)
        assert STORED not in everything
        assert "It is [redacted:" in said(taken)
        assert "It is [redacted:" in said(made)
        run = re.search(r"R-\w{8}", said(taken))
        assert run, said(taken)
        await slack.olivia.command(f"/deputy status {run[0]}")
        await whispered(slack, "olivia", "vault:mail/spare@2")

        await slack.olivia.command("/deputy set-mail source=vault stored=vault:others")
        await opened(slack, "olivia", "takes one of the credentials offered")
        await slack.olivia.command("/deputy set-mail source=vault stored=vault:mail/old")
        await whispered(slack, "olivia", "mail/old")
        await slack.olivia.command("/deputy set-mail source=new password=typed-by-mistake-canary")
        await opened(slack, "olivia", "Secrets are not typed in a command")
        for name in ("n0t-offered-canary", STORED):
            assert name not in str(slack.calls)
