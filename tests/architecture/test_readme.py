"""The README is tested: its diagram is the table's, and it names every setting and command."""

import re

import pytest

from bot.core.lifecycle import diagram
from bot.settings import Settings
from tests.architecture.tree import ROOT

README = ROOT / "README.md"


def test_the_lifecycle_diagram_is_the_tables() -> None:
    drawn = re.findall(r"^```mermaid\n(.*?)\n```$", README.read_text(), re.MULTILINE | re.DOTALL)
    assert diagram() in drawn


def test_every_setting_is_named() -> None:
    told = set(re.findall(r"\bDEPUTY_[A-Z_]+\b", README.read_text()))
    assert told == {f"DEPUTY_{name.upper()}" for name in Settings.__dataclass_fields__}


def test_every_file_it_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", README.read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_part_of_bot_it_names_is_there() -> None:
    named = re.findall(r"`(bot/[\w/.]+)`", README.read_text())
    assert named
    assert [one for one in named if not (ROOT / one).exists()] == []


def test_every_make_target_it_shows_is_there() -> None:
    shown = set(re.findall(r"`make (\w+)`|^    make (\w+)", README.read_text(), re.MULTILINE))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert shown
    assert {one or other for one, other in shown} <= targets


@pytest.mark.parametrize(
    ("language", "shipped"),
    [
        ("python", "actions/accounts/unlock-account.py"),
        ("toml", "actions/accounts/unlock-account.toml"),
        ("cedar", "policies/accounts.cedar"),
    ],
)
def test_what_it_shows_is_what_is_shipped(language: str, shipped: str) -> None:
    (shown,) = re.findall(rf"^```{language}\n(.*?)\n```$", README.read_text(), re.MULTILINE | re.DOTALL)
    assert shown in (ROOT / shipped).read_text()
