"""Whether Slack lets Deputy do what it has to: asked of Slack itself, without changing or posting anything."""

import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from bot.chat.slack.client import PATIENCE, SlackClient, SlackRefused
from bot.chat.slack.guard import JSON, signed
from bot.chat.slack.manifest import SCOPES
from bot.chat.slack.routes import FILE, read_routes
from bot.chat.slack.web import PATH, PREFIX
from bot.core.errors import DeputyError, Invalid
from bot.core.finding import Finding, absent, fails, works
from bot.settings import Settings

MOST_NAMED = 10  # channels
_TOKEN, _TEAM, _SCOPES, _SOCKET, _HTTP = "token", "workspace", "scopes", "Socket Mode", "HTTP"


async def look(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    """Yield what is found, in the order in which it has to be mended. No finding holds a secret."""
    client = SlackClient(session, settings.slack_bot_token, settings.slack_api)
    try:
        who = await client.call("auth.test")
    except DeputyError as error:
        yield fails(_about(_TOKEN), _refused_token(error, settings))
        return
    yield works(_about(_TOKEN), f"it is that of @{who.get('user')} in “{who.get('team')}”.")
    yield _team(settings.slack_team, who)
    yield _scopes(client.granted)
    yield await _socket(settings, session)
    yield await _http(settings, session)
    yield await _own_channels(client, str(who.get("user")))
    async for finding in _channels(settings, client, str(who.get("user"))):
        yield finding


def _about(part: str) -> str:
    return f"Slack, {part}"


def _refused_token(error: DeputyError, settings: Settings) -> str:
    if not isinstance(error, SlackRefused):
        return f"{error} See that this machine reaches {settings.slack_api}, then ask again."
    return (
        f"Slack does not take DEPUTY_SLACK_BOT_TOKEN ({error.code}). Install the app in the workspace, and copy "
        "the Bot User OAuth Token from “OAuth & Permissions” on its page."
    )


def _team(team: str, who: Mapping[str, Any]) -> Finding:
    found = [str(who[name]) for name in ("team_id", "enterprise_id") if who.get(name)]
    if team in found:
        return works(_about(_TEAM), f"{team} is the one that Deputy serves.")
    sentence = f"the token is of {' in '.join(found)}, but DEPUTY_SLACK_TEAM is {team}: all that comes is refused."
    return fails(_about(_TEAM), f"{sentence} Make the two the same.")


def _scopes(granted: frozenset[str]) -> Finding:
    missing = [one for one in SCOPES if one not in granted]
    if not missing:
        return works(_about(_SCOPES), f"all {len(SCOPES)} are granted.")
    wanted = ", ".join(f"{one} ({SCOPES[one]})" for one in missing)
    return fails(
        _about(_SCOPES),
        f"Slack has not granted {wanted}. Paste what `deputy manifest slack` prints into “App Manifest” on the "
        "app's page, and install the app anew.",
    )


async def _socket(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    if not settings.slack_app_token:
        return absent(_about(_SOCKET), "DEPUTY_SLACK_APP_TOKEN is not set, so Slack delivers over HTTP alone.")
    client = SlackClient(session, settings.slack_app_token, settings.slack_api)
    try:
        await client.call("apps.connections.open")
    except SlackRefused as refusal:
        sentence = (
            f"Slack opens no line ({refusal.code}). Turn on “Socket Mode” on the app's page, and make an "
            "app-level token with connections:write under “Basic Information” for DEPUTY_SLACK_APP_TOKEN."
        )
        return fails(_about(_SOCKET), sentence)
    except DeputyError as error:
        return fails(_about(_SOCKET), str(error))
    return works(_about(_SOCKET), "Slack opens a line.")


async def _http(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    """Ask the address of events as Slack does when it is set: signed, with a challenge that has to come back."""
    if not settings.slack_signing_secret:
        return absent(
            _about(_HTTP), "DEPUTY_SLACK_SIGNING_SECRET is not set, so Slack delivers by Socket Mode alone."
        )
    if not settings.public_url:
        return absent(_about(_HTTP), "set DEPUTY_PUBLIC_URL, and it is tried whether deliveries arrive there.")
    url = f"{settings.public_url}{PREFIX}{PATH}"
    challenge, now = secrets.token_urlsafe(16), str(int(time.time()))
    body = json.dumps({"type": "url_verification", "challenge": challenge}).encode()
    proof = signed(settings.slack_signing_secret.encode(), now, body).hexdigest()
    headers = {"Content-Type": JSON, "X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={proof}"}
    try:
        async with session.post(
            url, data=body, headers=headers, timeout=PATIENCE, allow_redirects=False
        ) as answer:
            status, said = answer.status, await answer.content.read(1_000)
    except (aiohttp.ClientError, TimeoutError) as error:
        sentence = (
            f"nothing answers at {url} ({type(error).__name__}). Start Deputy, and let the address lead to it"
        )
        return fails(_about(_HTTP), f"{sentence}: it listens on port {settings.port}.")
    if status == 200 and challenge.encode() in said:
        return works(_about(_HTTP), f"{url} answers; it is what the app's page wants as Request URL.")
    return fails(_about(_HTTP), _wrong_answer(url, status))


def _wrong_answer(url: str, status: int) -> str:
    if status == 401:
        return (
            f"the Deputy at {url} has another signing secret, or its clock is wrong. Copy the Signing Secret from "
            "“Basic Information” to DEPUTY_SLACK_SIGNING_SECRET, and start it anew."
        )
    return f"{url} answers {status}, as Deputy would not. Start Deputy, and let the address lead to it."


async def _own_channels(client: SlackClient, name: str) -> Finding:
    """Say in which channels Deputy is, of which a page of Slack's list is enough."""
    about = _about("channels")
    asked = {"types": "public_channel,private_channel", "exclude_archived": "true", "limit": 100}
    try:
        found = (await client.call("users.conversations", **asked)).get("channels") or []
    except DeputyError as error:
        return fails(about, str(error))
    if not found:
        return absent(about, f"Deputy is in none yet. Say /invite @{name} where it is to work.")
    names = [f"#{one.get('name')}" for one in found]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return works(about, f"Deputy is in {', '.join(names[:MOST_NAMED])}{more}.")


async def _channels(settings: Settings, client: SlackClient, name: str) -> AsyncIterator[Finding]:
    try:
        routes = read_routes(settings.policies_dir)
    except Invalid as error:
        yield fails(_about(FILE), str(error))
        return
    for channel in routes.channels:
        if not channel.startswith("D"):
            yield await _channel(client, channel, name)


async def _channel(client: SlackClient, channel: str, name: str) -> Finding:
    about = _about(f"channel {channel}")
    try:
        found = (await client.call("conversations.info", channel=channel)).get("channel") or {}
    except DeputyError as error:
        if not isinstance(error, SlackRefused) or error.code != "channel_not_found":
            return fails(about, str(error))
        sentence = "it is not there, or private and without Deputy"
        return fails(about, f"{sentence}. Say /invite @{name} in it, or mend {FILE}.")
    if found.get("is_archived"):
        return fails(about, f"#{found.get('name')} is archived. Name another in {FILE}.")
    if not found.get("is_member"):
        return fails(about, f"Deputy is not in #{found.get('name')}. Say /invite @{name} there.")
    return works(about, f"Deputy is in #{found.get('name')}.")
