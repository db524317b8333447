"""cases.toml: the shipped cases hold, and a wrong policy or a wrong case shows."""

from pathlib import Path

import pytest

from bot.core.action import Risk
from bot.core.catalog import Catalog
from bot.core.errors import Invalid
from bot.policy.cases import FILE, Result, read, run_cases
from bot.policy.cedar import CedarPolicy
from tests.unit.policy.samples import SHIPPED, action, catalog

CASE = """
[[case]]
name = "Helpdesk resets"
as = "helpdesk"
action = "reset-password"
arguments = { account = "alice" }
expect = "approval"
by = ["manager"]
"""


def written(path: Path, text: str) -> Path:
    """Write a file of cases."""
    (path / FILE).write_text(text)
    return path / FILE


def result(path: Path, text: str) -> Result:
    """Run the one case in `text` over the shipped policies."""
    (only,) = run_cases(CedarPolicy(SHIPPED).bench(), catalog(), read(written(path, text)))
    return only


def test_every_shipped_case_holds() -> None:
    results = run_cases(CedarPolicy(SHIPPED).bench(), catalog(), read(SHIPPED / FILE))
    assert len(results) > 25
    assert [one for one in results if not one.ok] == []


def test_a_case_that_holds_says_so_and_where_it_stands(tmp_path: Path) -> None:
    assert result(tmp_path, CASE) == Result("Helpdesk resets", True, "As expected.", "cases.toml:2")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"approval"', '"permit"', "Expected permit, but policy says approval (1 by manager)"),
        (
            'by = ["manager"]',
            "count = 2",
            "Expected approval (2 by anybody), but policy says approval (1 by manager)",
        ),
        ('["manager"]', '["engineer"]', "Expected approval (1 by engineer), but policy says approval"),
        ('"helpdesk"', '"oncall"', "but policy says deny because of default-deny"),
        ('"helpdesk"', '["helpdesk", "boss"]', "There is no role “boss” in roles.toml."),
        ('"reset-password"', '"reset"', "There is no action “reset” in the catalogue."),
        ("account =", "acount =", "“acount” is not a parameter of this action."),
    ],
)
def test_a_case_that_does_not_hold_says_what_is_decided_instead(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    found = result(tmp_path, CASE.replace(old, new))
    assert not found.ok
    assert sentence in found.sentence


def test_a_deny_for_another_reason_does_not_hold(tmp_path: Path) -> None:
    text = CASE.replace("helpdesk", "oncall").replace('"approval"\nby = ["manager"]', '"deny"\nbecause = "x"')
    assert result(tmp_path, text).sentence.startswith("Expected deny because of x")
    assert result(tmp_path, text.replace('"x"', '"default-deny"')).ok


def test_an_action_nobody_classified_is_denied_by_its_guardrail(tmp_path: Path) -> None:
    odd = Catalog({"odd": action("odd", risk=Risk.UNCLASSIFIED)})
    text = '[[case]]\nname = "Odd"\nas = "engineer"\naction = "odd"\nexpect = "deny"\n'
    (only,) = run_cases(
        CedarPolicy(SHIPPED).bench(), odd, read(written(tmp_path, f'{text}because = "unclassified-never-runs"'))
    )
    assert only.ok


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('name = "Helpdesk resets"', "", 2, "“name” is missing"),
        ("by =", "buy =", 8, "“buy” is unknown"),
        ('"approval"', '"maybe"', 7, "“expect” is permit, approval or deny, not “maybe”"),
        ('by = ["manager"]', 'count = "1"', 8, "“count” is '1', which is of the wrong kind"),
        ('by = ["manager"]', "count = true", 8, "“count” is True, which is of the wrong kind"),
        ('by = ["manager"]', "at = 2026-11-23T09:00:00", 8, "“at” needs its offset"),
        ('by = ["manager"]', "approve = true", 8, "“approve” or “review” and “requester” come together"),
        ('by = ["manager"]', 'requester = "self"', 8, "“approve” or “review” and “requester” come together"),
        ('by = ["manager"]', 'approve = true\nrequester = "self"', 7, "“expect” is permit or deny"),
        ('by = ["manager"]', 'risk = "none"', 8, "“risk” is read, change"),
    ],
)
def test_a_fault_in_a_case_names_line_and_field(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    with pytest.raises(Invalid) as fault:
        read(written(tmp_path, "# first" + CASE.replace(old, new)))
    assert fault.value.where == f"cases.toml:{line}"
    assert words in fault.value.sentence


def test_every_fault_of_every_case_is_named_at_once(tmp_path: Path) -> None:
    second = CASE.replace('"approval"', '"maybe"').replace("by =", "buy =").replace("action =", "# action")
    with pytest.raises(Invalid) as fault:
        read(written(tmp_path, f"spare = 1\n{CASE.replace('as =', 'who =')}{second}"))
    assert [one.where for one in (fault.value, *fault.value.others)] == [
        f"cases.toml:{line}" for line in (1, 5, 3, 16, 17, 11)
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[case", ":1: This isn't valid TOML"),
        ("[cases]", ":1: .*tables called"),
        ("case = 1", ":1: .*tables"),
        ("case = [1]", ":1: .*tables"),
    ],
)
def test_a_file_that_holds_no_cases_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Invalid, match=f"cases.toml{words}"):
        read(written(tmp_path, text))


def test_no_file_is_no_cases(tmp_path: Path) -> None:
    assert read(tmp_path / FILE) == ()
