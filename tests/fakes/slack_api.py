"""Slack's Web API over a workspace: every method that Deputy may call, with Slack's checks and error codes."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.fakes.slack_limits import MESSAGE_TEXT, message_faults, too_long, view_faults
from tests.fakes.slack_workspace import BOT, BOT_PERSON, TEAM, File, Message, Problem, View, Workspace

Given = Mapping[str, Any]
Method = Callable[[Given], dict[str, Any]]

# These read their arguments from the query or a form; those in a JSON body are not seen.
FORM_ONLY = frozenset(
    {
        "chat.getPermalink",
        "conversations.history",
        "conversations.info",
        "conversations.list",
        "conversations.members",
        "conversations.replies",
        "files.getUploadURLExternal",
        "usergroups.users.list",
        "users.conversations",
        "users.info",
    }
)
NEEDS = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "conversations.open": "im:write",
    "conversations.info": "channels:read",
    "conversations.list": "channels:read",
    "conversations.members": "channels:read",
    "conversations.history": "channels:history",
    "conversations.replies": "channels:history",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "usergroups.users.list": "usergroups:read",
    "users.conversations": "channels:read",
    "users.info": "users:read",
}


class Api:
    """Every method takes arguments and returns what Slack answers beside `ok`; raises Problem."""

    def __init__(self, workspace: Workspace, address: Callable[[], str]) -> None:
        self._workspace = workspace
        self._address = address
        self.methods: Mapping[str, Method] = {
            "api.test": dict,
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.postEphemeral": self._whisper,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.getPermalink": self._permalink,
            "conversations.open": self._open_direct,
            "conversations.info": self._channel_info,
            "conversations.list": self._channels,
            "users.conversations": self._own_channels,
            "conversations.members": self._channel_members,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "files.getUploadURLExternal": self._announce_file,
            "files.completeUploadExternal": self._share_files,
            "usergroups.users.list": self._group,
            "users.info": self._member_info,
            "views.open": self._open_view,
            "views.push": self._push_view,
            "views.update": self._update_view,
            "views.publish": self._publish_view,
        }
        self.groups: dict[str, list[str]] = {"S0MANAGERS": ["U0MARTIN", "U0MAYA", "U0MARIO"]}

    def call(self, method: str, given: Given) -> dict[str, Any]:
        """Do what a method does. Raises Problem."""
        if method not in self.methods:
            raise Problem("unknown_method", req_method=method)
        scope = NEEDS.get(method)
        if scope and scope not in self._workspace.scopes:
            raise Problem("missing_scope", needed=scope, provided=",".join(sorted(self._workspace.scopes)))
        return {"ok": True, **self.methods[method](given)}

    def _auth_test(self, given: Given) -> dict[str, Any]:
        url = "https://deputy.slack.test/"
        return {
            "url": url,
            "team": "Deputy",
            "user": "deputy",
            "team_id": TEAM,
            "user_id": BOT_PERSON,
            "bot_id": BOT,
        }

    # ---- messages --------------------------------------------------------------------------------

    def _post(self, given: Given) -> dict[str, Any]:
        channel, said = self._writable(_text(given, "channel")), self._said(given)
        thread = str(given.get("thread_ts") or "")
        if thread and not any(one.ts == thread for one in self._workspace.shown(channel)):
            raise Problem("thread_not_found")
        stamp, metadata = self._workspace.stamp(), _metadata(given)
        message = Message(channel, stamp, BOT_PERSON, **said, thread_ts=thread, metadata=metadata)
        self._workspace.say(message)
        return {"channel": channel, "ts": stamp, "message": message.as_json()}

    def _whisper(self, given: Given) -> dict[str, Any]:
        channel, person = self._writable(_text(given, "channel")), _text(given, "user")
        if person not in self._workspace.channels[channel].members:
            raise Problem("user_not_in_channel")
        stamp, thread = self._workspace.stamp(), str(given.get("thread_ts") or "")
        said = self._said(given)
        if person not in self._workspace.inactive:
            self._workspace.say(Message(channel, stamp, BOT_PERSON, **said, thread_ts=thread, only=person))
        return {"message_ts": stamp}

    def _update(self, given: Given) -> dict[str, Any]:
        message = self._own(given, "cant_update_message")
        said = self._said(given)
        message.edits.append((message.text, message.blocks))
        message.metadata = _metadata(given) or message.metadata
        message.text, message.blocks = said["text"], said["blocks"]
        self._workspace.changed()
        return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": message.as_json()}

    def _delete(self, given: Given) -> dict[str, Any]:
        message = self._own(given, "cant_delete_message")
        message.deleted = True
        self._workspace.changed()
        return {"channel": message.channel, "ts": message.ts}

    def _permalink(self, given: Given) -> dict[str, Any]:
        message = self._workspace.message(_text(given, "channel"), _text(given, "message_ts"))
        place = f"{message.channel}/p{message.ts.replace('.', '')}"
        return {"channel": message.channel, "permalink": f"https://deputy.slack.test/archives/{place}"}

    def _own(self, given: Given, error: str) -> Message:
        channel, stamp = _text(given, "channel"), _text(given, "ts")
        if channel not in self._workspace.channels:
            raise Problem("channel_not_found")
        message = self._workspace.message(channel, stamp)
        if message.author != BOT_PERSON:
            raise Problem(error)
        return message

    def _writable(self, name: str) -> str:
        channel = self._workspace.channel(name)
        if channel.archived:
            raise Problem("is_archived")
        if BOT_PERSON not in channel.members:
            raise Problem("not_in_channel")
        return channel.id

    def _said(self, given: Given) -> dict[str, Any]:
        said, blocks = given.get("text") or "", _parsed(given, "blocks", [])
        if not isinstance(said, str) or not said.strip():
            raise Problem("no_text", "there must be a text, also beside blocks: it is what notifications show")
        if len(said) > MESSAGE_TEXT:
            raise Problem("msg_too_long")
        faults = message_faults(blocks)
        if faults:
            raise Problem("invalid_blocks", *faults, errors=faults)
        if too_long(blocks):
            raise Problem("msg_blocks_too_long")
        return {"text": said, "blocks": self._workspace.named(blocks)}

    # ---- conversations and people ----------------------------------------------------------------

    def _open_direct(self, given: Given) -> dict[str, Any]:
        people = _text(given, "users").split(",")
        if len(people) != 1:
            raise Problem("method_not_supported_for_channel_type")
        member = self._workspace.members.get(people[0])
        if member is None:
            raise Problem("user_not_found")
        if member.gone:
            raise Problem("user_disabled")
        if member.bot:
            raise Problem("cannot_dm_bot")
        return {"channel": {"id": self._workspace.direct(member.id).id}}

    def _channel_info(self, given: Given) -> dict[str, Any]:
        channel = self._workspace.channels.get(_text(given, "channel"))
        if channel is None:
            raise Problem("channel_not_found")
        return {"channel": self._described(channel.id)}

    def _channels(self, given: Given) -> dict[str, Any]:
        known = [self._described(one) for one in self._workspace.channels if one.startswith("C")]
        wanted = [one for one in known if not (one["is_archived"] and _true(given, "exclude_archived"))]
        return {"channels": wanted, "response_metadata": {"next_cursor": ""}}

    def _own_channels(self, given: Given) -> dict[str, Any]:
        answer = self._channels(given)
        return {**answer, "channels": [one for one in answer["channels"] if one["is_member"]]}

    def _described(self, id: str) -> dict[str, Any]:
        channel = self._workspace.channels[id]
        return {
            "id": id,
            "name": channel.name,
            "is_channel": id.startswith("C"),
            "is_im": id.startswith("D"),
            "is_private": id.startswith("D"),
            "is_archived": channel.archived,
            "is_member": BOT_PERSON in channel.members,
            "num_members": len(channel.members),
        }

    def _channel_members(self, given: Given) -> dict[str, Any]:
        channel = self._workspace.channels.get(_text(given, "channel"))
        if channel is None:
            raise Problem("channel_not_found")
        page, cursor = _page(sorted(channel.members), given)
        return {"members": page, "response_metadata": {"next_cursor": cursor}}

    def _history(self, given: Given) -> dict[str, Any]:
        channel = self._writable(_text(given, "channel"))
        newest = [one for one in reversed(self._workspace.shown(channel)) if one.thread_ts in ("", one.ts)]
        return _listed(newest, given)

    def _replies(self, given: Given) -> dict[str, Any]:
        channel = self._writable(_text(given, "channel"))
        return _listed(self._workspace.shown(channel, _text(given, "ts")), given)

    def _group(self, given: Given) -> dict[str, Any]:
        group = _text(given, "usergroup")
        if group not in self.groups:
            raise Problem("no_such_subteam")
        return {"users": self.groups[group]}

    def _member_info(self, given: Given) -> dict[str, Any]:
        member = self._workspace.members.get(_text(given, "user"))
        if member is None:
            raise Problem("user_not_found")
        described = {
            "id": member.id,
            "team_id": member.team,
            "name": member.name,
            "real_name": member.name.title(),
            "deleted": member.gone,
            "is_bot": member.bot,
            "is_restricted": member.guest,
            "is_ultra_restricted": False,
            "is_stranger": member.team != TEAM,
            "tz": "Europe/Berlin",
            "profile": {"real_name": member.name.title(), "display_name": member.name},
        }
        return {"user": described}

    # ---- files -----------------------------------------------------------------------------------

    def _announce_file(self, given: Given) -> dict[str, Any]:
        name, length = _text(given, "filename"), str(given.get("length", ""))
        if not length.isdigit() or int(length) == 0:
            raise Problem("invalid_arguments", "[ERROR] length must be a positive number")
        file = File(self._workspace.number("F0"), name, int(length))
        self._workspace.files[file.id] = file
        return {"upload_url": f"{self._address()}upload/{file.id}", "file_id": file.id}

    def _share_files(self, given: Given) -> dict[str, Any]:
        named = _parsed(given, "files", None)
        if not isinstance(named, list) or not named or not all(isinstance(one, dict) for one in named):
            raise Problem("invalid_arguments", "[ERROR] missing required field: files")
        files = [self._uploaded(one) for one in named]
        if given.get("channel_id"):
            channel, thread = self._writable(_text(given, "channel_id")), str(given.get("thread_ts") or "")
            self._share(files, channel, thread, str(given.get("initial_comment") or ""))
        return {"files": [{"id": one.id, "title": one.title} for one in files]}

    def _share(self, files: list[File], channel: str, thread: str, comment: str) -> None:
        for file in files:
            file.channel, file.thread_ts = channel, thread
        stamp = self._workspace.stamp()
        self._workspace.say(Message(channel, stamp, BOT_PERSON, comment, thread_ts=thread, files=files))

    def _uploaded(self, named: Given) -> File:
        file = self._workspace.files.get(str(named.get("id")))
        if file is None or file.content is None:
            raise Problem("file_not_found")
        if len(file.content) != file.length:
            raise Problem("file_upload_size_mismatch")
        file.title = str(named.get("title") or file.name)
        return file

    # ---- views -----------------------------------------------------------------------------------

    def _open_view(self, given: Given) -> dict[str, Any]:
        return self._opened(given, on_top=False)

    def _push_view(self, given: Given) -> dict[str, Any]:
        return self._opened(given, on_top=True)

    def _opened(self, given: Given, *, on_top: bool) -> dict[str, Any]:
        spec = checked_view(_parsed(given, "view", None), "modal")
        return _viewed(self._workspace.open(self._workspace.pull(_text(given, "trigger_id")), spec, on_top=on_top))

    def _update_view(self, given: Given) -> dict[str, Any]:
        spec = checked_view(_parsed(given, "view", None), "modal", "home")
        view = self._workspace.view(
            id=str(given.get("view_id") or ""), external_id=str(given.get("external_id") or "")
        )
        if given.get("hash") and given["hash"] != view.hash:
            raise Problem("hash_conflict")
        return _viewed(self._workspace.show(view, spec))

    def _publish_view(self, given: Given) -> dict[str, Any]:
        spec, person = checked_view(_parsed(given, "view", None), "home"), _text(given, "user_id")
        if person not in self._workspace.members:
            raise Problem("user_not_found")
        return _viewed(self._workspace.publish(person, spec))


def checked_view(spec: Any, *kinds: str) -> dict[str, Any]:
    """Return a view that is legal and of one of these kinds. Raises Problem."""
    faults = view_faults(spec)
    if not faults and spec["type"] not in kinds:
        faults = [f"[ERROR] must be of type {' or '.join(kinds)} [json-pointer:/view/type]"]
    if faults:
        raise Problem("invalid_arguments", *faults)
    legal: dict[str, Any] = spec
    return legal


def _viewed(view: View) -> dict[str, Any]:
    return {"view": view.as_json()}


def _text(given: Given, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise Problem("invalid_arguments", f"[ERROR] missing required field: {name}")
    return value


def _parsed(given: Given, name: str, default: Any) -> Any:
    """Return an argument that is JSON, also where it comes as text."""
    value = given.get(name)
    if value is None or value == "":
        return default
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise Problem(f"invalid_{name}_format" if name == "blocks" else "invalid_arguments") from None


def _true(given: Given, name: str) -> bool:
    return str(given.get(name)).lower() in ("true", "1")


def _metadata(given: Given) -> Any:
    metadata = _parsed(given, "metadata", None)
    if metadata is None:
        return None
    typed = isinstance(metadata, dict) and isinstance(metadata.get("event_type"), str)
    if not typed or not isinstance(metadata.get("event_payload"), dict):
        raise Problem("invalid_metadata_format")
    if not re.fullmatch(r"[a-z0-9_]{1,255}", metadata["event_type"]):
        raise Problem("invalid_metadata_schema")
    if len(json.dumps(metadata)) > 16_384:
        raise Problem("metadata_too_large")
    return metadata


def _page(things: list[str], given: Given) -> tuple[list[str], str]:
    first, size = int(given.get("cursor") or 0), int(given.get("limit") or 100)
    return things[first : first + size], str(first + size) if first + size < len(things) else ""


def _listed(messages: Iterable[Message], given: Given) -> dict[str, Any]:
    oldest, latest = float(given.get("oldest") or 0), float(given.get("latest") or "inf")
    between = [one for one in messages if oldest < float(one.ts) < latest or given.get("inclusive")]
    shown = [one.as_json() for one in between][: int(given.get("limit") or 100)]
    if not _true(given, "include_all_metadata"):
        shown = [{name: value for name, value in one.items() if name != "metadata"} for one in shown]
    return {"messages": shown, "has_more": len(shown) < len(between)}
