"""`deputy doctor`, as a person runs it who sets Deputy up, against a Slack and an Entra ID that can be wrong."""

import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.at_slack import GRANTED, at_slack, links, sees, settings
from tests.acceptance.conftest import ROOT, Process, free_port, lay
from tests.fakes.entra_server import SECRET, FakeEntra, entra_server
from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_workspace import BOT_PERSON

CONTENT = {
    "actions/operations/note.sh": "echo noted\n",
    "actions/operations/note.toml": 'title = "Note"\nsummary = "Notes."\nrisk = "read"\n',
    "policies/own.cedar": '@id("oncall-notes")\n@reason("Who is on call may note.")\n'
    'permit (principal in Deputy::Role::"oncall", action == Deputy::Action::"run", resource);\n',
    "policies/cases.toml": '[[case]]\nname = "On call"\nas = "oncall"\naction = "note"\nexpect = "permit"\n\n'
    '[[case]]\nname = "Others"\nas = "helpdesk"\naction = "note"\nexpect = "deny"\n',
    "policies/slack.toml": 'approvals = "C0APPROVE"\n\n[actions.note]\nasked_in = ["C0OPS"]\n',
}


def content(folder: Path, **files: str) -> dict[str, str]:
    """Lay out one action, its policy and the channels for Slack; return the settings."""
    lay(folder, {**CONTENT, **files})
    for name in ("roles.toml", "schema.cedarschema"):
        shutil.copy(ROOT / "policies" / name, folder / "policies" / name)
    return {"DEPUTY_ACTIONS_DIR": str(folder / "actions"), "DEPUTY_POLICIES_DIR": str(folder / "policies")}


async def said_by(process: Process) -> tuple[int, dict[str, str], str]:
    """Run the doctor: its exit code, what it says by what it is about, and all of it. It gives no secret away."""
    code, out, err = await process.deputy("doctor")
    assert "Traceback" not in err
    for name, value in process.environment.items():
        if name.endswith(("_TOKEN", "_SECRET")):
            assert value not in out + err
    lines = [line for line in out.splitlines() if line[:1] in "✔✖–"]
    assert out.splitlines()[-1] == (f"{_wrong(lines)} to mend." if _wrong(lines) else "Nothing is wrong.")
    assert code == (1 if _wrong(lines) else 0)
    return code, dict(line.split(": ", 1) for line in lines), out


def _wrong(lines: list[str]) -> str:
    count = sum(line.startswith("✖") for line in lines)
    return f"{count} thing{'s' * (count > 1)}" if count else ""


@pytest_asyncio.fixture(params=["http", "socket"])
async def slack(request: pytest.FixtureRequest) -> AsyncIterator[SlackServer]:
    async with SlackServer(request.param) as server:
        server.workspace.scopes = set(GRANTED)
        yield server


@pytest_asyncio.fixture
async def over_http() -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        yield server


@pytest_asyncio.fixture
async def entra(tmp_path: Path) -> AsyncIterator[FakeEntra]:
    async with entra_server(tmp_path) as fake:
        yield fake


# ---- where all is well ------------------------------------------------------------------------------


async def test_nothing_is_wrong_with_a_deputy_that_runs_and_it_goes_on_running(
    slack: SlackServer, tmp_path: Path
) -> None:
    async with at_slack(slack, tmp_path, more=content(tmp_path)) as process:
        process.environment["DEPUTY_PUBLIC_URL"] = process.address
        code, found, out = await said_by(process)
        assert code == 0, out
        way, other = ("HTTP", "Socket Mode") if slack.mode == "http" else ("Socket Mode", "HTTP")
        wanted = (
            "Settings",
            "Database",
            "Public address",
            "Slack, scopes",
            f"Slack, {way}",
            "Slack, channel C0OPS",
        )
        assert [one for one in wanted if f"✔ {one}" not in found] == []
        assert {f"– Slack, {other}", "– Entra ID", "– Audit log"} <= found.keys()
        assert "@deputy" in found["✔ Slack, token"]
        assert slack.workspace.messages == []

        await slack.olivia.command("/deputy note")
        await sees(slack, "✅", "noted")
        assert "AUD-" in (await said_by(process))[1]["✔ Audit log"]


async def test_before_the_first_start_it_says_what_is_not_there_yet_and_makes_none_of_it(
    over_http: SlackServer, tmp_path: Path
) -> None:
    process = Process(tmp_path, **settings(over_http, tmp_path), **content(tmp_path))
    code, found, out = await said_by(process)
    assert code == 0, out
    assert {"– Data folder", "– Database", "✔ Actions and policies", "✔ People"} <= found.keys()
    assert "DEPUTY_PUBLIC_URL" in found["– Slack, HTTP"]
    assert not (tmp_path / "deputy").exists()


# ---- where it isn't ---------------------------------------------------------------------------------


async def test_a_setting_that_is_wrong_is_named_and_so_is_one_without_which_nobody_comes_in(
    tmp_path: Path,
) -> None:
    code, found, out = await said_by(Process(tmp_path, DEPUTY_SLACK_BOT_TOKEN="xoxb-1"))
    assert (code, list(found)) == (1, ["✖ Settings"])
    assert "✖ Settings: DEPUTY_SLACK_SIGNING_SECRET: " in out
    assert "✖ Settings: DEPUTY_SLACK_TEAM: " in out
    code, found, _ = await said_by(Process(tmp_path, **content(tmp_path)))
    assert "DEPUTY_LOCAL_CHAT" in found["✖ Settings"]


async def test_a_fault_in_what_is_kept_in_folders_is_named_with_its_place(tmp_path: Path) -> None:
    wrong = {
        "actions/operations/note.toml": 'title = "Note"\nrisk = "raed"\n',
        "policies/slack.toml": "approval = 1",
    }
    process = Process(tmp_path, DEPUTY_LOCAL_CHAT="1", **content(tmp_path, **wrong))
    out = (await said_by(process))[2]
    assert "note.toml" in out
    assert "slack.toml:1: approval" in out
    process = Process(tmp_path, DEPUTY_LOCAL_CHAT="1", DEPUTY_ACTIONS_DIR=str(tmp_path / "nowhere"))
    assert "DEPUTY_ACTIONS_DIR" in (await said_by(process))[1]["✖ Actions and policies"]


async def test_an_action_that_slack_toml_names_and_nobody_has_is_a_fault(tmp_path: Path) -> None:
    routes = '[actions.nope]\nasked_in = ["C0OPS"]\n'
    process = Process(tmp_path, DEPUTY_LOCAL_CHAT="1", **content(tmp_path, **{"policies/slack.toml": routes}))
    assert "slack.toml:1: actions.nope" in (await said_by(process))[1]["✖ Actions and policies"]


async def test_a_role_that_slack_toml_calls_and_nobody_holds_is_a_fault(tmp_path: Path) -> None:
    routes = '[mention]\nmanager = ["S0MANAGERS"]\n"Identity managers" = ["S0MANAGERS"]\n'
    process = Process(tmp_path, DEPUTY_LOCAL_CHAT="1", **content(tmp_path, **{"policies/slack.toml": routes}))
    fault = (await said_by(process))[1]["✖ Actions and policies"]
    assert "slack.toml:2: mention.manager: No role has this title" in fault
    assert "mention.Identity managers:" not in fault


async def test_what_slack_does_not_grant_is_named_with_what_to_do(over_http: SlackServer, tmp_path: Path) -> None:
    routes = 'approvals = "C0CLOSED"\n\n[actions.note]\napprovals = "C0OLD"\nasked_in = ["C0NOWHERE", "C0OPS"]\n'
    wrong = {**settings(over_http, tmp_path), "DEPUTY_SLACK_TEAM": "T0ANOTHER"}
    wrong |= {"DEPUTY_SLACK_APP_TOKEN": "xapp-of-another-app"}
    wrong |= {"DEPUTY_PUBLIC_URL": f"http://127.0.0.1:{free_port()}"}
    over_http.workspace.scopes -= {"im:write", "files:write"}
    process = Process(tmp_path, **wrong, **content(tmp_path, **{"policies/slack.toml": routes}))
    _, found, _ = await said_by(process)
    assert "T0DEPUTY" in found["✖ Slack, workspace"]
    assert "deputy manifest slack" in found["✖ Slack, scopes"]
    assert {"im:write", "files:write"} == {one for one in GRANTED if f"{one} (" in found["✖ Slack, scopes"]}
    assert "connections:write" in found["✖ Slack, Socket Mode"]
    assert "Start Deputy" in found["✖ Slack, HTTP"]
    assert "Start Deputy" in found["✖ Public address"]
    assert "/invite @deputy" in found["✖ Slack, channel C0CLOSED"]
    assert "archived" in found["✖ Slack, channel C0OLD"]
    assert "slack.toml" in found["✖ Slack, channel C0NOWHERE"]
    assert "✔ Slack, channel C0OPS" in found


async def test_the_channels_that_deputy_is_in_are_named_and_where_it_is_in_none_how_to_invite_it(
    over_http: SlackServer, tmp_path: Path
) -> None:
    without = content(tmp_path, **{"policies/slack.toml": ""})
    process = Process(tmp_path, **settings(over_http, tmp_path), **without)
    channels = (await said_by(process))[1]["✔ Slack, channels"]
    assert "#ops" in channels and "#old" not in channels
    for channel in over_http.workspace.channels.values():
        channel.members.discard(BOT_PERSON)
    assert "/invite @deputy" in (await said_by(process))[1]["– Slack, channels"]


async def test_a_token_that_slack_does_not_take_is_told_from_a_slack_that_is_out_of_reach(
    over_http: SlackServer, tmp_path: Path
) -> None:
    given = {**settings(over_http, tmp_path), **content(tmp_path)}
    process = Process(tmp_path, **{**given, "DEPUTY_SLACK_BOT_TOKEN": "xoxb-another"})
    assert "invalid_auth" in (await said_by(process))[1]["✖ Slack, token"]
    await over_http.down()
    assert "can't be reached" in (await said_by(Process(tmp_path, **given)))[1]["✖ Slack, token"]


async def test_another_signing_secret_than_the_running_deputys_is_found(
    over_http: SlackServer, tmp_path: Path
) -> None:
    async with at_slack(over_http, tmp_path, more=content(tmp_path)) as process:
        process.environment["DEPUTY_PUBLIC_URL"] = process.address
        process.environment["DEPUTY_SLACK_SIGNING_SECRET"] = "0123456789abcdef0123456789abcdef"
        _, found, _ = await said_by(process)
        assert "another signing secret" in found["✖ Slack, HTTP"]
        assert "✔ Public address" in found


async def test_a_file_of_people_that_cannot_be_read_is_named(over_http: SlackServer, tmp_path: Path) -> None:
    process = Process(tmp_path, **settings(over_http, tmp_path), **content(tmp_path))
    links(tmp_path).write_text("[[person]]\nname = 7\n")
    assert "people.toml" in (await said_by(process))[1]["✖ People"]


# ---- the data ---------------------------------------------------------------------------------------


async def test_what_is_wrong_with_the_data_is_found_and_nothing_is_changed(tmp_path: Path) -> None:
    process = Process(tmp_path, DEPUTY_LOCAL_CHAT="1", **content(tmp_path))
    await process.deputy("vault", "set", "ad/operator", "username=svc", "password", stdin="s3cret-value\n")
    _, found, _ = await said_by(process)
    assert {"✔ Database", "✔ Audit log", "✔ Vault", "✔ Credentials"} <= found.keys()

    key = tmp_path / "deputy" / "vault.key"
    kept = key.read_bytes()
    key.unlink()
    assert "put back your copy" in (await said_by(process))[1]["✖ Vault"]
    assert not key.exists()
    key.write_bytes(kept)
    key.chmod(0o644)
    assert "chmod 600" in (await said_by(process))[1]["✖ Vault"]
    key.chmod(0o600)

    _execute(process.database, "UPDATE audit_entries SET facts = '{}'")
    assert "deputy audit verify" in (await said_by(process))[1]["✖ Audit log"]


@pytest.mark.parametrize(("written", "sign"), [("9999", "✖"), ("0001", "–")])
async def test_tables_of_another_deputy_are_told_and_left_as_they_are(
    tmp_path: Path, written: str, sign: str
) -> None:
    process = Process(tmp_path, DEPUTY_LOCAL_CHAT="1", **content(tmp_path))
    await process.deputy("vault", "list")
    _execute(process.database, f"UPDATE alembic_version SET version_num = '{written}'")
    _, found, _ = await said_by(process)
    assert written in found[f"{sign} Database"]
    assert not any("Audit log" in one for one in found)
    with sqlite3.connect(process.database) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (written,)
    connection.close()


async def test_a_file_that_is_no_database_and_a_server_that_is_not_there_are_told(tmp_path: Path) -> None:
    process = Process(tmp_path, DEPUTY_LOCAL_CHAT="1", **content(tmp_path))
    process.database.parent.mkdir()
    process.database.write_text("something else stands here, and has for long enough to be no database" * 20)
    assert "is no database" in (await said_by(process))[1]["✖ Database"]
    process.environment["DEPUTY_DATABASE_URL"] = f"postgresql://deputy:hunter2@127.0.0.1:{free_port()}/deputy"
    _, found, out = await said_by(process)
    assert "can't be reached" in found["✖ Database"]
    assert "hunter2" not in out


async def test_on_postgresql_it_looks_at_the_same(tmp_path: Path, database: str) -> None:
    process = Process(tmp_path, DEPUTY_LOCAL_CHAT="1", DEPUTY_DATABASE_URL=database, **content(tmp_path))
    assert "deputy db upgrade" in (await said_by(process))[1]["– Database"]
    await process.deputy("vault", "set", "ad/operator", "username=svc", "password", stdin="s3cret-value\n")
    _, found, _ = await said_by(process)
    assert {"✔ Database", "✔ Audit log", "✔ Vault"} <= found.keys()


async def test_a_credential_that_actions_name_and_the_vault_lacks_is_told(tmp_path: Path) -> None:
    bound = f'{CONTENT["actions/operations/note.toml"]}[credentials]\ndirectory = "vault:directory"\n'
    files = {"actions/operations/note.toml": bound}
    process = Process(tmp_path, DEPUTY_LOCAL_CHAT="1", **content(tmp_path, **files))
    await process.deputy("vault", "list")
    assert "lacks directory" in (await said_by(process))[1]["– Credentials"]


def _execute(database: Path, statement: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(statement)
    connection.close()


# ---- Entra ID ---------------------------------------------------------------------------------------


async def test_entra_id_gives_a_token_and_what_graph_refuses_is_named(entra: FakeEntra, tmp_path: Path) -> None:
    given = {"DEPUTY_LOCAL_CHAT": "1", "DEPUTY_PUBLIC_URL": f"http://127.0.0.1:{free_port()}", **entra.settings()}
    process = Process(tmp_path, **given, **content(tmp_path))
    _, found, _ = await said_by(process)
    wanted = ("sign-in", "User.Read.All", "GroupMember.Read.All")
    assert {f"✔ Entra ID, {one}" for one in wanted} <= found.keys()

    entra.failing = [404, 403]
    _, found, _ = await said_by(process)
    assert "consent" in found["✖ Entra ID, GroupMember.Read.All"]

    process.environment["DEPUTY_ENTRA_CLIENT_SECRET"] = f"{SECRET}-of-last-year"
    _, found, _ = await said_by(process)
    assert "DEPUTY_ENTRA_CLIENT_SECRET" in found["✖ Entra ID, sign-in"]
    entra.down = 503
    assert "✖ Entra ID, sign-in" in (await said_by(process))[1]
