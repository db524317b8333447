"""Slack's manifest as a JSON schema, as far as Deputy's may use it, from Slack's reference of version 1.

https://docs.slack.dev/reference/app-manifest, and the limits of names that the pages of an app give. What the
reference doesn't name is illegal here. The schema that Slack publishes for editors
(https://github.com/slackapi/manifest-schema, versions 1 and 2) knows neither scopes nor names; Deputy's manifests
were held against it by hand, and are legal there.
"""

from typing import Any

Schema = dict[str, Any]

_SCOPES = """
app_mentions:read bookmarks:read bookmarks:write calls:read calls:write channels:history channels:join
channels:manage channels:read chat:write chat:write.customize chat:write.public commands dnd:read
emoji:read files:read files:write groups:history groups:read groups:write im:history im:read im:write
links:read links:write metadata.message:read mpim:history mpim:read mpim:write pins:read pins:write
reactions:read reactions:write team:read usergroups:read usergroups:write users:read users:read.email
users:write
"""
BOT_SCOPES = _SCOPES.split()
# The events that a bot may subscribe to and Deputy may want, with the scope that each needs.
EVENT_SCOPES = {
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
}


def _object(required: str = "", **properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def _text(longest: int, pattern: str = r"^[^\n]+$") -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern}


def _list(most: int, items: Schema) -> Schema:
    return {"type": "array", "maxItems": most, "items": items, "uniqueItems": True}


_FLAG: Schema = {"type": "boolean"}
_URL = _text(2_000, r"^https://[^/\s@]+/\S*$")
# What Slack has itself (its help, “Use built-in slash commands”); seen to be refused: “has an invalid name”.
_ITS_OWN = """
active apps archive away call collapse dm dnd expand feed invite join leave me msg mute open pro remind remove
rename search shortcuts shrug star status topic who
"""
_COMMAND = _object(
    "command description",
    command={**_text(32, r"^/[a-z0-9_-]+$"), "not": {"enum": [f"/{one}" for one in _ITS_OWN.split()]}},
    description=_text(2_000),
    usage_hint=_text(1_000),
    should_escape=_FLAG,
    url=_URL,
)
_SHORTCUT = _object(
    "name type callback_id description",
    name=_text(24),
    type={"enum": ["global", "message"]},
    callback_id=_text(255),
    description=_text(150),
)
SCHEMA: Schema = _object(
    "display_information",
    display_information=_object(
        "name",
        name=_text(35),
        description=_text(140),
        long_description={**_text(4_000), "minLength": 175},
        background_color=_text(7, r"^#([0-9a-fA-F]{3}){1,2}$"),
    ),
    features=_object(
        app_home=_object(home_tab_enabled=_FLAG, messages_tab_enabled=_FLAG, messages_tab_read_only_enabled=_FLAG),
        bot_user=_object("display_name", display_name=_text(80, r"^[a-z0-9._-]+$"), always_online=_FLAG),
        shortcuts=_list(10, _SHORTCUT),
        slash_commands=_list(50, _COMMAND),
    ),
    oauth_config=_object(scopes=_object(bot=_list(255, {"enum": BOT_SCOPES}))),
    settings=_object(
        event_subscriptions=_object(request_url=_URL, bot_events=_list(100, {"enum": list(EVENT_SCOPES)})),
        interactivity=_object("is_enabled", is_enabled=_FLAG, request_url=_URL, message_menu_options_url=_URL),
        org_deploy_enabled=_FLAG,
        socket_mode_enabled=_FLAG,
        token_rotation_enabled=_FLAG,
    ),
)
