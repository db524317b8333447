import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bot.app import catalog_of
from bot.chat.slack.manifest import EVENTS, SCOPES, manifest
from bot.cli import app
from bot.core.errors import Invalid
from bot.core.parameter import Kind, Parameter
from bot.settings import Settings
from tests.architecture.tree import BOT, ROOT
from tests.fakes.company import action
from tests.fakes.slack_api import NEEDS
from tests.fakes.slack_manifest import EVENT_SCOPES, SCHEMA

COMMITTED = ROOT / "manifest" / "slack.yaml"
METHOD = re.compile(r'"((?:auth|apps|bots|chat|conversations|files|usergroups|users|views)\.[A-Za-z.]+[a-zA-Z])"')
MODULES = [path for path in (BOT / "chat/slack").glob("*.py") if path.stem != "manifest"]
CALLED = {method for path in MODULES for method in METHOD.findall(path.read_text())}


def printed(*options: str) -> str:
    """Return what `deputy manifest slack` prints for the shipped actions."""
    done = CliRunner().invoke(app, ["manifest", "slack", *options], catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_the_committed_manifest_is_what_the_command_prints() -> None:
    assert COMMITTED.read_text() == printed(), "write it anew: deputy manifest slack > manifest/slack.yaml"


@pytest.mark.parametrize("options", [(), ("--url", "https://deputy.example.com")])
def test_it_is_legal_at_slack(options: tuple[str, ...]) -> None:
    judge = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
    assert [fault.message for fault in judge.iter_errors(yaml.safe_load(printed(*options)))] == []


def test_every_shipped_action_has_its_command_and_deputys_own_comes_first() -> None:
    commands = [one["command"] for one in yaml.safe_load(printed())["features"]["slash_commands"]]
    actions = catalog_of(Settings(actions_dir=ROOT / "actions")).catalog().actions
    assert commands == ["/deputy", *sorted(f"/{id}" for id in actions)]


def test_the_schema_tells_what_slack_would_not_take() -> None:
    made = manifest([action("look")]).content
    wrong: list[dict[str, Any]] = [
        {**made, "display_information": {"name": "x" * 36}},
        {
            **made,
            "features": {"shortcuts": [{**made["features"]["shortcuts"][0], "name": "Run an action on this one"}]},
        },
        {**made, "oauth_config": {"scopes": {"bot": ["chat:wirte"]}}},
        {**made, "settings": {"socket_mode": True}},
        {**made, "features": {"slash_commands": [{"command": "/status", "description": "Says it"}]}},
    ]
    for one in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(one, SCHEMA)


# ---- what it asks for ---------------------------------------------------------------------------


def test_every_method_that_is_called_has_its_scope() -> None:
    assert "chat.postMessage" in CALLED
    assert {NEEDS[method] for method in CALLED if method in NEEDS} <= SCOPES.keys()
    assert {EVENT_SCOPES[one] for one in EVENTS} - {""} <= SCOPES.keys()


def test_no_scope_is_asked_for_that_nothing_needs() -> None:
    used = CALLED | set(EVENTS) | {"slash commands and shortcuts"}
    assert [scope for scope, needed in SCOPES.items() if not any(one in needed for one in used)] == []


# ---- how Slack delivers -------------------------------------------------------------------------


def test_without_an_address_slack_delivers_by_socket_mode() -> None:
    made = yaml.safe_load(printed())
    assert made["settings"]["socket_mode_enabled"] is True
    assert "https://" not in printed()


def test_with_an_address_everything_is_delivered_there() -> None:
    made = yaml.safe_load(printed("--url", "https://deputy.example.com/"))
    to = "https://deputy.example.com/slack/events"
    settings = made["settings"]
    assert settings["socket_mode_enabled"] is False
    assert settings["event_subscriptions"]["request_url"] == to
    assert settings["interactivity"] == {"is_enabled": True, "request_url": to, "message_menu_options_url": to}
    assert {one["url"] for one in made["features"]["slash_commands"]} == {to}


@pytest.mark.parametrize(
    "url",
    [
        "deputy.example.com",
        "http://deputy.example.com",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://[",
        "https://x@y",
    ],
)
def test_an_address_that_slack_could_not_reach_is_named(url: str) -> None:
    with pytest.raises(Invalid, match="--url"):
        CliRunner().invoke(app, ["manifest", "slack", "--url", url], catch_exceptions=False)


# ---- what doesn't fit ---------------------------------------------------------------------------


def test_fifty_commands_are_made_and_the_rest_is_named() -> None:
    made = manifest(action(f"do-{number:02d}") for number in range(60))
    commands = made.content["features"]["slash_commands"]
    assert (len(commands), commands[0]["command"], commands[-1]["command"]) == (50, "/deputy", "/do-48")
    assert made.left_out == [f"do-{number}" for number in range(49, 60)]


def test_a_name_too_long_for_a_command_is_left_out_and_takes_nobodys_place() -> None:
    made = manifest([action("a" * 31), action("b" * 32), *(action(f"do-{n:02d}") for n in range(48))])
    assert made.left_out == ["b" * 32]
    assert len(made.content["features"]["slash_commands"]) == 50
    jsonschema.validate(made.content, SCHEMA)


@pytest.mark.parametrize("name", ["status", "search", "topic", "s", "archive"])
def test_what_slack_has_itself_is_no_actions_command_and_takes_nobodys_place(name: str) -> None:
    made = manifest([action(name), *(action(f"do-{n:02d}") for n in range(49))])
    assert made.left_out == [name]
    assert len(made.content["features"]["slash_commands"]) == 50
    jsonschema.validate(made.content, SCHEMA)


def test_what_is_left_out_and_what_is_broken_is_said_beside_the_manifest(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "things").mkdir()
    for name in ("x" * 40, "broken"):
        (tmp_path / "things" / f"{name}.sh").write_text("true\n")
        (tmp_path / "things" / f"{name}.toml").write_text('title = "X"\nsummary = "X."\nrisk = "read"\n')
    (tmp_path / "things" / "broken.toml").write_text("title = ")
    monkeypatch.setenv("DEPUTY_ACTIONS_DIR", str(tmp_path))
    done = CliRunner().invoke(app, ["manifest", "slack"], catch_exceptions=False)
    assert "x" * 40 in done.stderr
    assert "broken" in done.stderr
    jsonschema.validate(yaml.safe_load(done.stdout), SCHEMA)


@given(
    st.lists(st.from_regex(r"[a-z0-9][a-z0-9-]{0,40}", fullmatch=True) | st.just("who"), unique=True, max_size=70),
    st.text(max_size=3_000),
    st.lists(st.from_regex(r"[a-z_][a-z0-9_]{0,200}", fullmatch=True), unique=True, max_size=20),
)
def test_it_is_legal_whatever_the_catalogue_holds(names: list[str], text: str, needs: list[str]) -> None:
    parameters = tuple(Parameter(name, Kind.STRING, name, required=at % 2 == 0) for at, name in enumerate(needs))
    made = manifest(
        replace(action(name, summary=text or name, title=name), parameters=parameters) for name in names
    )
    jsonschema.validate(made.content, SCHEMA)
    commands = [one["command"] for one in made.content["features"]["slash_commands"][1:]]
    assert all(one < other for one, other in pairwise(commands))
    assert sorted(commands + [f"/{one}" for one in made.left_out]) == sorted(f"/{name}" for name in names)
