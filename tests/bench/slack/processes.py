"""The processes that are measured: Deputy with Slack, a crowd that may use it, and what it is measured against."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.server import METADATA, Server, deputy, free_port, up, write_actions
from tests.fakes.slack_delivery import delivery
from tests.fakes.slack_person import Person
from tests.fakes.slack_server import APP, TEAM, SlackServer
from tests.fakes.slack_workspace import BOT_PERSON, Channel, Member

ENGINEERS = "11111111-0000-4000-8000-000000000004"  # the group of that role in `policies/roles.toml`
TENANT = "00000000-0000-4000-8000-00000000d0d0"
CROWD = 100
SETTLED = 0.05  # of a core: what a process that does nothing may use
WAIT = 120.0  # seconds for a process to have nothing to do


@dataclass(frozen=True)
class Place:
    """Where it all happens: the fake Slack, its crowd, and the catalogue."""

    slack: SlackServer
    crowd: Sequence[Person]
    actions: Path
    folder: Path


def prepare(slack: SlackServer, folder: Path) -> Place:
    """Give the fake a crowd, each with a channel of their own, and write the catalogue and the links."""
    folder.mkdir(parents=True)
    crowd = []
    for number in range(CROWD):
        member = Member(f"U0CROWD{number:03d}", f"crowd{number}")
        channel = f"C0CROWD{number:03d}"
        slack.workspace.members[member.id] = member
        slack.workspace.channels[channel] = Channel(channel, member.name, {member.id, BOT_PERSON})
        crowd.append(Person(slack, member))
    actions = write_actions(folder / "actions", 20)
    (actions / "operations").mkdir()  # of what lies there somebody may approve
    (actions / "operations" / "change-it.toml").write_text(METADATA.replace('"read"', '"change"'))
    (actions / "operations" / "change-it.sh").write_text("#!/bin/bash\n")
    (actions / "bench" / "take-long.toml").write_text(METADATA)
    (actions / "bench" / "take-long.sh").write_text("#!/bin/bash\nsleep 30\n")
    (folder / "people.toml").write_text("".join(map(_link, range(CROWD))))
    return Place(slack, crowd, actions, folder)


def _link(number: int) -> str:
    lines = {
        "tenant": TENANT,
        "id": f"33333333-0000-4000-8000-{number:012d}",
        "name": f"Crowd {number}",
        "groups": [ENGINEERS],
        "slack": f"{TEAM}:U0CROWD{number:03d}",
    }
    return "[[person]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())


@contextmanager
def deputy_in_slack(place: Place) -> Iterator[Server]:
    """Run `deputy serve` with the fake as its Slack."""
    slack = place.slack
    settings = {
        "DEPUTY_LOCAL_CHAT": "0",
        "DEPUTY_SLACK_SIGNING_SECRET": slack.signing_secret,
        "DEPUTY_SLACK_BOT_TOKEN": slack.bot_token,
        "DEPUTY_SLACK_TEAM": TEAM,
        "DEPUTY_SLACK_APP_ID": APP,
        "DEPUTY_SLACK_API": slack.api_url,
        "DEPUTY_LINKS_FILE": str(place.folder / "people.toml"),
    }
    with deputy(place.folder / "data", place.actions, "serve", **settings) as server:
        yield server


@contextmanager
def bot(kind: str, *words: str) -> Iterator[Server]:
    """Run one of those that Deputy is measured against."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.slack.bots", kind, str(port), *words]
    with up(command, port, {}, speaks=False) as server:
        yield server


def thin(place: Place) -> AbstractContextManager[Server]:
    """Run the thin bot with the fake as its Slack."""
    script = str(place.actions / "bench" / "tell-time.sh")
    return bot("thin", script, place.slack.api_url, place.slack.bot_token)


def events_url(server: Server) -> str:
    """Return where a process takes deliveries."""
    return f"{server.address}/slack/events"


def requests(place: Place, text: str, count: int) -> list[bytes]:
    """Return signed slash commands of the crowd as they go over the wire, each with its own trigger."""
    return [_request(place.crowd[number % CROWD], text) for number in range(count)]


def _request(person: Person, text: str) -> bytes:
    channel = person.id.replace("U0", "C0")
    sent = delivery("slash_commands", person.command_payload("/deputy", text, channel))
    headers = {"Host": "127.0.0.1", "Content-Length": str(len(sent.body)), **sent.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /slack/events HTTP/1.1\r\n{head}\r\n".encode() + sent.body


async def settle(server: Server) -> None:
    """Wait until a process has done what it had to do."""
    end, before = time.monotonic() + WAIT, _used(server)
    while time.monotonic() < end:
        await asyncio.sleep(0.5)
        now = _used(server)
        if now - before < SETTLED * 0.5:
            return
        before = now


def _used(server: Server) -> float:
    """Return the seconds of processor time that a process has used."""
    numbers = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / 100
