import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.chat.slack.routes import FILE, ON_CALL, Routes, read_routes, unknown
from bot.core.errors import Invalid

SHOWN = """
approvals = "C012APPROVE"

[actions.reset-password]
approvals = "C012SECURITY"
asked_in = ["C012HELPDESK", "G012ADMINS"]

[actions.show-account]
asked_in = ["C012HELPDESK"]

[mention]
"IT manager" = ["S012MANAGERS", "U012MAYA"]
"On-call" = ["S012ONCALL", "U012MAYA"]
"""


def routes(folder: Path, text: str) -> Routes:
    (folder / FILE).write_text(text, encoding="utf-8")
    return read_routes(folder)


def test_without_a_file_everything_happens_where_it_was_asked(tmp_path: Path) -> None:
    none = read_routes(tmp_path)
    assert none == Routes() == routes(tmp_path, "")
    assert none.approvals_for("reset-password") == ""
    assert none.elsewhere("reset-password", "C012ANY") == ()
    assert (none.called(("IT manager",)), none.channels, none.actions) == ((), (), frozenset())


def test_approvals_go_to_the_actions_own_channel_or_to_the_one_for_all(tmp_path: Path) -> None:
    read = routes(tmp_path, SHOWN)
    assert read.approvals_for("reset-password") == "C012SECURITY"
    assert read.approvals_for("show-account") == "C012APPROVE"
    assert read.approvals_for("no-such-action") == "C012APPROVE"


def test_an_action_may_keep_its_approvals_where_it_was_asked(tmp_path: Path) -> None:
    read = routes(tmp_path, f'{SHOWN}\n[actions.disk-usage]\napprovals = ""\n')
    assert read.approvals_for("disk-usage") == ""


def test_who_is_needed_is_called_once_in_the_order_of_the_roles(tmp_path: Path) -> None:
    read = routes(tmp_path, SHOWN)
    assert read.called(("On-call", "IT manager", "Nobody")) == ("S012ONCALL", "U012MAYA", "S012MANAGERS")


def test_whoever_is_on_call_is_called_by_that_word(tmp_path: Path) -> None:
    read = routes(tmp_path, '[mention]\n"On-call" = ["on-call", "U012MAYA"]\n')
    assert read.called(("On-call",)) == (ON_CALL, "U012MAYA")
    with pytest.raises(Invalid, match="on-call"):
        routes(tmp_path, '[mention]\n"On-call" = ["oncall"]\n')


def test_an_action_is_asked_for_in_its_channels_and_any_other_anywhere(tmp_path: Path) -> None:
    read = routes(tmp_path, SHOWN)
    assert read.elsewhere("reset-password", "G012ADMINS") == ()
    assert read.elsewhere("reset-password", "C012ANY") == ("C012HELPDESK", "G012ADMINS")
    assert read.elsewhere("reset-password", "D012HANNA") == ("C012HELPDESK", "G012ADMINS")
    assert read.elsewhere("unlock-account", "C012ANY") == ()


def test_every_channel_and_action_that_is_named_is_known_once(tmp_path: Path) -> None:
    read = routes(tmp_path, SHOWN)
    assert read.channels == ("C012APPROVE", "C012SECURITY", "C012HELPDESK", "G012ADMINS")
    assert read.actions == {"reset-password", "show-account"}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("approval = 'C012APPROVE'", "1: approval"),
        ("approvals = '#approvals'", "1: approvals"),
        ("approvals = 7", "1: approvals"),
        ("approvals = 'U012MAYA'", "1: approvals"),
        ("actions = 1", "1: actions"),
        ("actions.reset-password = 'C012SECURITY'", "1: actions.reset-password"),
        ("[actions.reset-password]\napprovals = ['C012SECURITY']", "2: actions.reset-password.approvals"),
        ("[actions.reset-password]\nasked_in = 'C012HELPDESK'", "2: actions.reset-password.asked_in"),
        ("[actions.reset-password]\nasked_in = ['c012helpdesk']", "2: actions.reset-password.asked_in"),
        ("[actions.reset-password]\naskedin = ['C012HELPDESK']", "2: actions.reset-password.askedin"),
        ("mention = ['S012MANAGERS']", "1: mention"),
        ("[mention]\nBosses = ['C012ALL']", "2: mention.Bosses"),
        ("[mention]\nBosses = ['!channel']", "2: mention.Bosses"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(Invalid) as wrong:
        routes(tmp_path, text)
    assert wrong.value.where == f"{FILE}:{where}"


def test_all_that_is_wrong_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    text = (
        f"approval = 'C012'\n{SHOWN}Bosses = ['!channel']\n\n[actions.disk-usage]\naskedin = []\napprovals = 7\n"
    )
    with pytest.raises(Invalid) as wrong:
        routes(tmp_path, text)
    assert [fault.where for fault in (wrong.value, *wrong.value.others)] == [
        f"{FILE}:1: approval",
        f"{FILE}:18: actions.disk-usage.askedin",
        f"{FILE}:19: actions.disk-usage.approvals",
        f"{FILE}:15: mention.Bosses",
    ]


def test_actions_and_roles_that_there_are_not_are_named_with_their_lines(tmp_path: Path) -> None:
    read = routes(tmp_path, SHOWN)
    faults = unknown(tmp_path, read, ["show-account"], ["On-call"])
    assert [fault.where for fault in faults] == [
        f"{FILE}:4: actions.reset-password",
        f"{FILE}:12: mention.IT manager",
    ]


@pytest.mark.parametrize(
    ("text", "line"), [("approvals = ", 1), ("approvals = 'C012APPROVE'\napprovals = 'C012SECURITY'", 2)]
)
def test_what_is_no_toml_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(Invalid, match="isn't valid TOML") as wrong:
        routes(tmp_path, text)
    assert wrong.value.where == f"{FILE}:{line}"


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"approvals = '\xff'")
    with pytest.raises(Invalid, match=f"{FILE}:1: It is not UTF-8"):
        read_routes(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80) | st.builds("approvals = {!r}".format, st.text(max_size=20)))
def test_whatever_stands_there_is_read_or_named(tmp_path: Path, text: str) -> None:
    try:
        text.encode()
        read = routes(tmp_path, text)
    except (UnicodeEncodeError, Invalid):
        return
    tomllib.loads(text)
    assert all(channel[0] in "CGD" for channel in read.channels)
