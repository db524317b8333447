"""Settings: read once at the start; a wrong one stops it with a sentence that names it."""

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import settings
from bot.core.errors import Invalid, Unavailable
from bot.settings import Settings, make_data_dir

TENANT = "aaaaaaaa-0000-4000-8000-00000000000a"
CLIENT = "cccccccc-0000-4000-8000-00000000000c"
ENTRA = {
    "ENTRA_TENANT": TENANT,
    "ENTRA_CLIENT_ID": CLIENT,
    "ENTRA_CLIENT_SECRET": "secret-of-the-app",
    "PUBLIC_URL": "https://deputy.example.com",
}


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def read(env_file: Path, **given: str) -> Settings:
    return settings.read({f"DEPUTY_{name}": value for name, value in given.items()}, env_file)


def test_nothing_given_gives_the_defaults(env_file: Path) -> None:
    assert read(env_file) == Settings()


def test_every_setting_can_be_given(env_file: Path) -> None:
    given: dict[str, Any] = {
        "data_dir": Path("d"),
        "database_url": "postgresql://deputy:secret@db/deputy",
        "actions_dir": Path("a"),
        "policies_dir": Path("p"),
        "host": "::1",
        "port": 9000,
        "local_chat": True,
        "approval_ttl": 60.5,
        "private_ttl": 30.0,
        "concurrency": 2,
        "target_at_once": 4,
        "links_file": "people.toml",
        "slack_bot_token": "xoxb-1",
        "slack_signing_secret": "0123456789abcdef",
        "slack_app_token": "xapp-1",
        "slack_team": "T0DEPUTY",
        "slack_app_id": "A0DEPUTY",
        "slack_api": "https://slack-gov.com/api/",
        "public_url": "http://localhost:9000",
        "entra_tenant": TENANT,
        "entra_client_id": CLIENT,
        "entra_client_secret": "",
        "entra_certificate": "deputy.pem",
        "entra_authority": "https://login.microsoftonline.us",
        "graph_url": "https://graph.microsoft.us",
        "link_days": 30,
    }
    assert set(given) == set(Settings.__dataclass_fields__)
    assert read(env_file, **{name.upper(): str(value) for name, value in given.items()}) == Settings(**given)


SLACK = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_SIGNING_SECRET": "0123456789abcdef",
    "SLACK_TEAM": "T0DEPUTY",
}


def test_I1_without_slacks_signing_secret_there_is_no_start_but_with_socket_mode(env_file: Path) -> None:
    assert read(env_file, **SLACK).slack
    with pytest.raises(Invalid, match="does not start") as caught:
        read(env_file, **{**SLACK, "SLACK_SIGNING_SECRET": ""})
    assert caught.value.where == "DEPUTY_SLACK_SIGNING_SECRET"
    assert read(env_file, **{**SLACK, "SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": "xapp-1"}).slack


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SLACK_TEAM", "", "It is missing, and Slack needs it."),
        ("SLACK_BOT_TOKEN", "", "It is missing, and Slack needs it."),
        ("SLACK_BOT_TOKEN", "xoxp-1", "begins with xoxb-"),
        ("SLACK_APP_TOKEN", "xoxb-1", "begins with xapp-"),
        ("SLACK_SIGNING_SECRET", "short", "has 32 letters and digits"),
        ("SLACK_TEAM", "deputy.slack.com", "begins with T"),
        ("SLACK_APP_ID", "T0DEPUTY", "begins with A"),
        ("SLACK_API", "http://slack.com/api/", "must be https"),
        ("SLACK_API", "https://slack.com/api", "must end in a slash"),
    ],
)
def test_a_setting_of_slack_that_is_wrong_is_named_and_no_secret_is_told(
    env_file: Path, name: str, value: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        read(env_file, **{**SLACK, name: value})
    assert caught.value.where == f"DEPUTY_{name}"
    assert not any(secret in str(caught.value) for secret in ("0123456789abcdef", "xoxb-1", "xoxp-1", "short"))
    assert not any(secret in repr(read(env_file, **SLACK)) for secret in ("0123456789abcdef", "xoxb-1"))


def test_files_lie_in_the_data_folder(env_file: Path) -> None:
    found = read(env_file, DATA_DIR="d")
    assert (found.database, found.key_file) == (Path("d/deputy.db"), Path("d/vault.key"))


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", "http://127.0.0.1:9000"), ("::1", "http://[::1]:9000")]
)
def test_what_listens_has_an_address_that_a_browser_takes(env_file: Path, host: str, address: str) -> None:
    found = read(env_file, HOST=host, PORT="9000")
    assert found.address() == address
    assert found.address(9001) == address.replace("9000", "9001")


def test_a_database_url_is_used_in_place_of_the_file_and_not_shown(env_file: Path) -> None:
    found = read(env_file, DATABASE_URL="postgresql://deputy:secret@db/deputy")
    assert found.database == "postgresql://deputy:secret@db/deputy"
    assert "secret" not in repr(found)
    assert read(env_file, DATABASE_URL="").database == Settings().database_file


def test_the_environment_wins_over_the_file(env_file: Path) -> None:
    env_file.write_text("DEPUTY_PORT=1\nexport DEPUTY_CONCURRENCY='3' # three\nOTHER=x\n")
    assert read(env_file, PORT="2") == Settings(port=2, concurrency=3)


def test_a_file_of_settings_that_is_no_text_is_named(env_file: Path) -> None:
    env_file.write_bytes(b"DEPUTY_PORT=1\n# caf\xe9\n")
    with pytest.raises(Invalid, match=r"not UTF-8 text \(byte 20\)") as caught:
        read(env_file)
    assert caught.value.where == str(env_file)


def test_a_file_of_settings_that_cannot_be_read_is_named(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    env_file.write_text("DEPUTY_PORT=1\n")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(Invalid, match=r"can't be read: Permission denied\.") as caught:
        read(env_file)
    assert caught.value.where == str(env_file)


def test_variables_of_others_are_none_of_ours(env_file: Path) -> None:
    assert settings.read({"PATH": "/bin", "XDEPUTY_PORT": "x", "deputy_port": "x"}, env_file) == Settings()


@pytest.mark.parametrize("source", ["environment", "file"])
def test_an_unknown_setting_is_named_with_those_there_are(env_file: Path, source: str) -> None:
    if source == "file":
        env_file.write_text("DEPUTY_PROT=1")
    with pytest.raises(Invalid, match=r"no such setting.*DEPUTY_PORT") as caught:
        read(env_file, **({"PROT": "1"} if source == "environment" else {}))
    assert caught.value.where == (f"{env_file}:1: DEPUTY_PROT" if source == "file" else "DEPUTY_PROT")


def test_every_wrong_setting_is_named_at_once_with_its_line_in_the_file(env_file: Path) -> None:
    env_file.write_text(
        "# Ours.\n\nDEPUTY_PORT=http\n\nno setting\nexport DEPUTY_COLOUR=red\nDEPUTY_ENTRA_TENANT=contoso\n"
    )
    with pytest.raises(Invalid) as caught:
        read(env_file, PORT="0", SLACK_TEAM="deputy", LOCAL_CHAT="maybe", HOST=" ", SLACK_API="ftp://slack.com")
    assert [fault.where for fault in (caught.value, *caught.value.others)] == [
        f"{env_file}:5",
        "DEPUTY_PORT",
        f"{env_file}:6: DEPUTY_COLOUR",
        *("DEPUTY_LOCAL_CHAT", "DEPUTY_HOST"),
        *("DEPUTY_SLACK_BOT_TOKEN", "DEPUTY_SLACK_TEAM", "DEPUTY_SLACK_API", "DEPUTY_SLACK_API"),
        f"{env_file}:7: DEPUTY_ENTRA_TENANT",
        *("DEPUTY_ENTRA_CLIENT_ID", "DEPUTY_ENTRA_CLIENT_SECRET", "DEPUTY_PUBLIC_URL"),
    ]


def test_what_is_right_of_wrong_settings_says_where_the_rest_is_to_be_looked_at(env_file: Path) -> None:
    given = {"DEPUTY_PORT": "http", "DEPUTY_POLICIES_DIR": "ours", "DEPUTY_SLACK_TEAM": "T0DEPUTY"}
    faults: list[Invalid] = []
    assert settings.right(faults, given, env_file).policies_dir == Path("ours")
    assert [fault.where for fault in faults] == ["DEPUTY_PORT", "DEPUTY_SLACK_BOT_TOKEN"]


@pytest.mark.parametrize("text", ["1", "true", "YES", " yes "])
def test_yes_is_said_in_several_ways(env_file: Path, text: str) -> None:
    assert read(env_file, LOCAL_CHAT=text).local_chat


@pytest.mark.parametrize("text", ["0", "False", "no", ""])
def test_no_is_said_in_several_ways(env_file: Path, text: str) -> None:
    assert not read(env_file, LOCAL_CHAT=text).local_chat


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "http", "“http” is not a positive whole number up to 65535."),
        ("PORT", "65536", "“65536” is not a positive whole number up to 65535."),
        ("PORT", "0", "“0” is not"),
        ("PORT", "", "“” is not"),
        ("CONCURRENCY", "1.5", "“1.5” is not a positive whole number."),
        ("CONCURRENCY", "-1", "“-1” is not a positive whole number."),
        ("APPROVAL_TTL", "8h", "“8h” is not a positive number."),
        ("APPROVAL_TTL", "nan", "“nan” is not a positive number."),
        ("PRIVATE_TTL", "inf", "“inf” is not a positive number."),
        ("LOCAL_CHAT", "maybe", "“maybe” is not yes or no."),
        ("DATA_DIR", " ", "It is empty."),
        ("HOST", "", "It is empty."),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_takes(env_file: Path, name: str, value: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(env_file, **{name: value})
    assert str(caught.value).startswith(f"DEPUTY_{name}: {words}")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "deputy.example.com", "::"])
def test_the_local_channel_listens_on_loopback_only(env_file: Path, host: str) -> None:
    assert read(env_file, HOST=host).host == host
    with pytest.raises(Invalid, match="loopback only") as caught:
        read(env_file, HOST=host, LOCAL_CHAT="yes")
    assert caught.value.where == "DEPUTY_HOST"


def test_the_local_channel_turned_on_later_listens_on_loopback_only(env_file: Path) -> None:
    with pytest.raises(Invalid, match="loopback only") as caught:
        replace(read(env_file, HOST="0.0.0.0"), local_chat=True)
    assert caught.value.where == "DEPUTY_HOST"


def test_entra_is_set_up_by_four_settings_and_its_secret_is_not_shown(env_file: Path) -> None:
    found = read(env_file, **ENTRA)
    assert found.entra_client_secret == "secret-of-the-app"
    assert "secret-of-the-app" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ENTRA_TENANT", "contoso.onmicrosoft.com", "takes a GUID"),
        ("ENTRA_TENANT", "common", "takes a GUID"),
        ("ENTRA_CLIENT_ID", "", "takes a GUID"),
        ("ENTRA_CLIENT_SECRET", "", "DEPUTY_ENTRA_CERTIFICATE"),
        ("PUBLIC_URL", "", "by which address they reach"),
        ("PUBLIC_URL", "http://deputy.example.com", "must begin with https"),
        ("PUBLIC_URL", "deputy.example.com", "not an address like"),
        ("PUBLIC_URL", "https://deputy.example.com/", "without a path"),
        ("PUBLIC_URL", "https://me:pw@deputy.example.com", "not an address like"),
        ("PUBLIC_URL", "https://[deputy", "not an address like"),
        ("ENTRA_AUTHORITY", "http://localhost", "must begin with https"),
        ("GRAPH_URL", "https://graph.microsoft.com/v1.0", "without a path"),
        ("LINK_DAYS", "4000", "3650 is the most"),
    ],
)
def test_a_wrong_setting_of_entra_is_named(env_file: Path, name: str, value: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        read(env_file, **{**ENTRA, name: value})
    assert caught.value.where == f"DEPUTY_{name}"


def test_a_secret_and_a_certificate_at_once_are_one_too_many(env_file: Path) -> None:
    with pytest.raises(Invalid, match="give one"):
        read(env_file, **ENTRA, ENTRA_CERTIFICATE="deputy.pem")


def test_the_local_channel_is_in_no_process_that_is_reached_from_elsewhere(env_file: Path) -> None:
    """A proxy on this machine comes from loopback, for everybody behind it."""
    with pytest.raises(Invalid, match="lets anybody be anybody") as caught:
        read(env_file, **ENTRA, LOCAL_CHAT="1")
    assert caught.value.where == "DEPUTY_PUBLIC_URL"


def test_the_data_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    make_data_dir(folder)
    make_data_dir(folder)
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o077 == 0


def test_a_data_folder_that_cannot_be_made_is_named_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    for folder in (tmp_path / "data", tmp_path / "data" / "below"):
        with pytest.raises(Unavailable, match=f"{folder} can't be made.*DEPUTY_DATA_DIR"):
            make_data_dir(folder)
