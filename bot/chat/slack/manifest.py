"""The manifest that makes the app at Slack: what Deputy asks for there, and a slash command for every action.

Fields and limits are those of Slack's reference (https://docs.slack.dev/reference/app-manifest).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.chat.slack.hear import COMMAND
from bot.chat.slack.views import Callback
from bot.chat.slack.web import PATH, PREFIX
from bot.core.action import Action
from bot.core.parameter import Parameter
from bot.core.text import shorten, visible

MOST_COMMANDS = 50
LONGEST_COMMAND = 32  # characters, with the slash
LONGEST_DESCRIPTION = 2_000
LONGEST_HINT = 1_000

# Slack's own commands: it refuses a whole manifest that holds one of them.
RESERVED = frozenset(
    {
        *("active", "apps", "archive", "away", "call", "canvas", "close", "collapse", "dm", "dnd", "expand"),
        *("feed", "feedback", "huddle", "invite", "invite_people", "join", "keys", "kick", "leave", "list", "me"),
        *("msg", "mute", "open", "part", "people", "prefs", "pro", "remind", "remove", "rename", "s", "search"),
        *("shortcuts", "shrug", "star", "status", "topic", "unarchive", "who"),
    }
)

# Each with what needs it: a method that is called, or an event that is listened to.
SCOPES = {
    "app_mentions:read": "app_mention",
    "channels:history": "conversations.history",
    "channels:read": "conversations.info, users.conversations",
    "chat:write": "chat.postMessage, chat.postEphemeral, chat.update",
    "commands": "slash commands and shortcuts",
    "files:write": "files.getUploadURLExternal, files.completeUploadExternal",
    "groups:history": "conversations.history, in a private channel",
    "groups:read": "conversations.info, users.conversations, of a private channel",
    "im:history": "conversations.history, in a direct message; message.im",
    "im:write": "conversations.open",
}
EVENTS = ("app_home_opened", "app_mention", "message.im")

Json = dict[str, Any]


@dataclass(frozen=True)
class Manifest:
    """The manifest as Slack takes it, and the ids of the actions that have no slash command of their own."""

    content: Json
    left_out: Sequence[str] = ()


def manifest(actions: Iterable[Action], url: str = "") -> Manifest:
    """Build the manifest of an app with `/deputy` and a slash command for every action, as many as fit.

    Without `url` Slack delivers by Socket Mode, with it to that address (`https://deputy.example.com`).
    """
    known = sorted(actions, key=lambda one: one.id)
    free = [one for one in known if len(one.id) < LONGEST_COMMAND and one.id not in RESERVED | {COMMAND}]
    fit = free[: MOST_COMMANDS - 1]
    to = f"{url}{PREFIX}{PATH}" if url else ""
    content = {
        "display_information": {
            "name": "Deputy",
            "description": _DESCRIPTION,
            "background_color": "#1f2937",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": COMMAND, "always_online": True},
            "shortcuts": [_SHORTCUT],
            "slash_commands": [
                _command(COMMAND, "Run an action, or choose one", "[action] [what it needs]", to),
                *(_command(one.id, one.summary or one.title, _hint(one.parameters), to) for one in fit),
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**_at("request_url", to), "bot_events": list(EVENTS)},
            "interactivity": {
                "is_enabled": True,
                **_at("request_url", to),
                **_at("message_menu_options_url", to),
            },
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }
    return Manifest(content, [one.id for one in known if one not in fit])


_DESCRIPTION = "Runs what your team may run: asked for in chat, decided by policy, approved by people."
_SHORTCUT = {
    "name": "Run an action on this",
    "type": "message",
    "callback_id": Callback.RUN_ON_THIS.value,
    "description": "Fills an action's form from the words of this message",
}


def _command(name: str, description: str, hint: str, to: str) -> Json:
    """Return a slash command. What is typed comes as it was typed, but after `/deputy`: it names people.

    A name may be anybody's, so there their ids come along.
    """
    told = {"command": f"/{name}", "description": _line(description, LONGEST_DESCRIPTION) or f"Runs {name}"}
    usage = {"usage_hint": _line(hint, LONGEST_HINT)} if hint else {}
    return {**told, **usage, "should_escape": name == COMMAND, **_at("url", to)}


def _hint(parameters: Iterable[Parameter]) -> str:
    """Name what has to be given, in the order in which it is typed, and in brackets what may be."""
    return " ".join(one.name if one.required else f"[{one.name}=…]" for one in parameters)


def _at(name: str, to: str) -> Json:
    return {name: to} if to else {}


def _line(text: str, limit: int) -> str:
    return shorten(visible(" ".join(text.split())), limit)
