"""The seal: whatever changes in a request, its digest is another; how it is written makes no difference."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.action import Action, Risk, Script
from bot.core.principal import Who
from bot.core.request import Request, changes, script_hashes

CHANGED: dict[str, Any] = {
    "requester": Who("acme", "bob-1", "Ann"),
    "action": "lock-account",
    "arguments": {"account": "mallory", "tries": 3, "notify": True, "groups": ("staff", "vpn")},
    "target": "dc02.acme.test",
    "script": "5d" * 32,
    "interpreter": "python 3.11.9 1c",
    "policy_version": "9f" * 32,
    "nonce": "n-2",
    "door": "api",
    "libraries": {"ldap.py": "7e" * 32},
    "verify": None,
    "definition": "0d" * 32,
    "credentials": {"directory": "vault:directory@5"},
    "reason": "called in at one",
    "break_glass": True,
}


@pytest.mark.parametrize("field", sorted({*CHANGED, "expires_at"}))
def test_P7_P8_P10_a_change_of_any_field_breaks_the_seal(asked: Request, field: str) -> None:
    value = CHANGED.get(field, asked.expires_at + timedelta(microseconds=1))
    assert replace(asked, **{field: value}).digest != asked.digest


def test_no_field_is_outside_the_seal() -> None:
    assert {field.name for field in fields(Request)} == {*CHANGED, "expires_at"}


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"account": "alice"},
        {"account": "alice", "tries": "3", "notify": True, "groups": ("staff", "vpn")},
        {"account": "alice", "tries": 3, "notify": 1, "groups": ("staff", "vpn")},
        {"account": "alice", "tries": 3, "notify": True, "groups": ("staff, vpn",)},
        {"account": "alice", "tries": 3, "notify": True, "groups": ("vpn", "staff")},
        {"account": "alice ", "tries": 3, "notify": True, "groups": ("staff", "vpn")},
        {"account": "\u0430lice", "tries": 3, "notify": True, "groups": ("staff", "vpn")},
    ],
    ids=ascii,
)
def test_P7_arguments_that_only_look_alike_break_the_seal(asked: Request, arguments: dict[str, Any]) -> None:
    assert replace(asked, arguments=arguments).digest != asked.digest


@pytest.mark.parametrize("libraries", [{}, {"ldap.py": "7d" * 32, "more.py": "00" * 32}, {"other.py": "7d" * 32}])
def test_P8_a_library_more_less_or_renamed_breaks_the_seal(asked: Request, libraries: dict[str, str]) -> None:
    assert replace(asked, libraries=libraries).digest != asked.digest


def test_D2_the_same_object_id_in_another_tenant_breaks_the_seal(asked: Request) -> None:
    assert replace(asked, requester=Who("globex", "ann-1", "Ann")).digest != asked.digest


def test_D2_D6_another_display_name_or_case_of_an_id_does_not(asked: Request) -> None:
    assert replace(asked, requester=Who("ACME", "Ann-1", "Ann of Sales")).digest == asked.digest


def test_the_order_of_names_does_not_break_the_seal(asked: Request) -> None:
    turned = dict(reversed([*asked.arguments.items()]))
    assert list(turned) != list(asked.arguments)
    assert replace(asked, arguments=turned).digest == asked.digest


def test_a_list_read_back_from_json_does_not_break_the_seal(asked: Request) -> None:
    read_back: Any = {**asked.arguments, "groups": ["staff", "vpn"]}
    assert replace(asked, arguments=read_back).digest == asked.digest


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("script", "the script"),
        ("libraries", "a library of the script"),
        ("verify", "the script's check"),
        ("definition", "the action's description"),
        ("interpreter", "the interpreter"),
        ("credentials", "a credential"),
        ("policy_version", "the policies"),
        ("target", "the target"),
        ("arguments", "an argument"),
    ],
)
def test_P8_P10_what_changed_since_is_named(asked: Request, field: str, words: str) -> None:
    assert changes(asked, replace(asked, **{field: CHANGED[field]})) == (words,)


def test_what_changed_is_named_all_at_once_and_nothing_where_nothing_did(asked: Request) -> None:
    assert changes(asked, asked) == ()
    assert changes(asked, replace(asked, target="x", script="y")) == ("the script", "the target")


def test_script_hashes_name_every_file_that_will_run() -> None:
    script, library, check = (Script(name, name.encode()) for name in ("a.py", "lib.py", "check.py"))
    action = Action("a", "things", "things/a.toml", "A", "Does a.", Risk.READ, script)
    assert script_hashes(action) == (script.sha, {}, None)
    more = replace(action, libraries=(library,), verify=check)
    assert script_hashes(more) == (script.sha, {"lib.py": library.sha}, check.sha)
    assert more.scripts == (script, library, check)
