"""Deputy set up for Slack: the real process, the people of the fake with their links, and what they see."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.acceptance.conftest import ROOT, Process
from tests.fakes.slack_server import APP, TEAM, SlackServer
from tests.fakes.slack_workspace import Message, View

TENANT = "00000000-0000-4000-8000-00000000d0d0"  # the one of the demo's people, who some of these are
GROUPS = {
    role: f"11111111-0000-4000-8000-{number:012d}"
    for number, role in enumerate(("helpdesk", "manager", "oncall", "engineer"), 1)
}
# Whose accounts in Slack are whose: name, object id and role. Martin is Marco of the local channel.
LINKED = {
    "U0HANNA": ("Hanna Weber", "22222222-0000-4000-8000-000000000001", "helpdesk"),
    "U0MARTIN": ("Marco Rossi", "22222222-0000-4000-8000-000000000002", "manager"),
    "U0MAYA": ("Maya Lindt", "44444444-0000-4000-8000-000000000001", "manager"),
    "U0MARIO": ("Mario Conti", "44444444-0000-4000-8000-000000000002", "manager"),
    "U0OLIVIA": ("Olivia Bauer", "44444444-0000-4000-8000-000000000003", "oncall"),
    "U0EDDA": ("Edda Holm", "44444444-0000-4000-8000-000000000004", "engineer"),
    # A manager here has the same member id as the stranger from the other workspace.
    "U0STRANGE": ("Stefan Range", "44444444-0000-4000-8000-000000000005", "manager"),
}

# What somebody grants who installs the app that the manifest makes.
GRANTED = yaml.safe_load((ROOT / "manifest" / "slack.yaml").read_text())["oauth_config"]["scopes"]["bot"]


def links(folder: Path) -> Path:
    """Write the file of people."""
    text = ""
    for account, (name, oid, role) in LINKED.items():
        fields = {
            "tenant": TENANT,
            "id": oid,
            "name": name,
            "groups": [GROUPS[role]],
            "slack": f"{TEAM}:{account}",
        }
        text += "[[person]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "people.toml"
    path.write_text(text)
    return path


def settings(slack: SlackServer, folder: Path) -> dict[str, str]:
    """Return the settings of a Deputy for this Slack, delivered to in the way that Slack's `mode` says."""
    delivered = {"DEPUTY_SLACK_SIGNING_SECRET": slack.signing_secret}
    if slack.mode == "socket":
        delivered = {"DEPUTY_SLACK_APP_TOKEN": slack.app_token}
    return {
        "DEPUTY_SLACK_BOT_TOKEN": slack.bot_token,
        "DEPUTY_SLACK_TEAM": TEAM,
        "DEPUTY_SLACK_APP_ID": APP,
        "DEPUTY_SLACK_API": slack.api_url,
        "DEPUTY_LINKS_FILE": str(links(folder)),
        **delivered,
    }


@asynccontextmanager
async def at_slack(
    slack: SlackServer, folder: Path, command: str = "serve", more: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """Run Deputy for this Slack, which grants what the manifest asks for.

    Whatever it showed in the end was legal, nobody saw Slack complain, and no scope was missing.
    """
    slack.workspace.scopes = set(GRANTED)
    process = Process(folder, **settings(slack, folder), **(more or {}))
    async with started(slack, process, command):
        yield process
    assert illegal(slack) == []


@asynccontextmanager
async def started(slack: SlackServer, process: Process, command: str = "serve") -> AsyncIterator[None]:
    """Keep a process up, and Slack delivering to it."""
    try:
        await process.start(command)
        slack.app_url = events(process)
        if slack.mode == "socket":
            await slack.until(lambda: len(slack.socket.connections) == 2)
        yield
    finally:
        await process.stop()


def events(process: Process) -> str:
    """Return where a process takes deliveries."""
    return f"{process.address}/slack/events"


def illegal(slack: SlackServer) -> list[Any]:
    """Return the calls that Slack calls illegal, and what it complained of to people."""
    calls = [(one.method, one.answer) for one in slack.calls if str(one.answer.get("error", "")) in _ILLEGAL]
    return [*calls, *(one for person in slack.people.values() for one in person.told)]


_ILLEGAL = {
    "invalid_blocks",
    "invalid_arguments",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
    "invalid_json",
    "missing_scope",
}


def said(shown: Message | View | None) -> str:
    """Return every word of a message or view."""
    if shown is None:
        return ""
    blocks = shown.blocks if isinstance(shown, Message) else shown.spec["blocks"]
    words = "\n".join(_words(blocks))
    return f"{shown.text}\n{words}" if isinstance(shown, Message) else words


def _words(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for one in value.values():
            yield from _words(one)
    elif isinstance(value, list):
        for one in value:
            yield from _words(one)


def telling(messages: Sequence[Message], *words: str) -> Message | None:
    """Return the newest message with all of these words, None where there is none."""
    return next((one for one in reversed(messages) if all(word in said(one) for word in words)), None)


async def sees(slack: SlackServer, *words: str, channel: str = "C0OPS") -> Message:
    """Wait for a message with all of these words that everybody in a channel sees."""
    try:
        message: Message = await slack.until(lambda: telling(slack.shown(channel), *words))
    except TimeoutError:
        shown = "\n----\n".join(said(one) for one in slack.shown(channel))
        raise AssertionError(f"Nothing in {channel} says {words}, but:\n{shown}") from None
    return message


async def whispered(slack: SlackServer, name: str, *words: str) -> Message:
    """Wait for a message with all of these words that one person alone sees."""
    person = slack.people[name]
    try:
        message: Message = await slack.until(lambda: telling([*person.whispers, *person.directs], *words))
    except TimeoutError:
        shown = "\n----\n".join(said(one) for one in (*person.whispers, *person.directs))
        raise AssertionError(f"Nothing tells {name} {words}, but:\n{shown}") from None
    return message


async def opened(slack: SlackServer, name: str, *words: str) -> View:
    """Wait for a modal with all of these words in front of somebody."""
    person = slack.people[name]

    def look() -> View | None:
        return person.modal if person.modal and all(word in said(person.modal) for word in words) else None

    try:
        view: View = await slack.until(look)
    except TimeoutError:
        raise AssertionError(f"No modal says {words}; the one there says:\n{said(person.modal)}") from None
    return view
