"""Policies in a terminal: tested, explained, compared with what was decided; and an emergency from end to end."""

import re
import shutil
from pathlib import Path

from tests.acceptance.conftest import Process

SHIPPED = Path(__file__).parents[2] / "policies"


def run_in(text: str) -> str:
    """Return the first run that a text names."""
    found = re.search(r"R-[0-9A-Z]{8}", text)
    assert found, text
    return found[0]


async def test_who_may_is_told_role_by_role(process: Process) -> None:
    code, out, err = await process.deputy("policy", "who", "clean-old-files", "path=/srv", "days=400")
    assert (code, err) == (0, "")
    rows = {line.strip().split("  ")[0]: line for line in out.splitlines()}
    assert "1 approval from Identity managers or Engineers" in rows["On-call"]
    assert "at once" in rows["On-call"]
    assert rows["Helpdesk"].split()[1:] == ["no", "no", "no", "no"]


async def test_a_decision_is_explained_for_another_time_and_circumstance(process: Process) -> None:
    asked = ("policy", "explain", "--as", "oncall", "restart-service", "--at", "2025-12-24T09:00")
    code, out, _ = await process.deputy(*asked)
    assert code == 0
    assert "changes-rest-in-a-freeze: Changes rest: Year-end closing" in out
    code, out, _ = await process.deputy(*asked, "--break-glass")
    assert "may run it at once" in out
    code, _, err = await process.deputy("policy", "explain", "--as", "boss", "restart-service")
    assert code == 1
    assert "There is no such role. The roles are helpdesk" in err


async def test_a_rule_that_no_case_shows_fails_the_test_and_the_check(process: Process, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(SHIPPED, policies)
    (policies / "extra.cedar").write_text(
        '@id("extra") permit (principal in Deputy::Role::"manager", action == Deputy::Action::"run", '
        'resource == Deputy::Script::"paint-it-black");\n'
    )
    process.environment["DEPUTY_POLICIES_DIR"] = str(policies)
    code, out, _ = await process.deputy("policy", "test")
    assert code == 1
    assert "✖ extra (extra.cedar:1): no case would fail if it were left out." in out
    code, out, _ = await process.deputy("check")
    assert code == 1
    assert "extra.cedar:1: “extra” speaks of the action “paint-it-black”, which there is not." in out


async def test_replay_names_the_runs_that_a_tightened_rule_would_have_stopped(
    demo: Process, tmp_path: Path
) -> None:
    code, out, _ = await demo.deputy("say", "--as", "helpdesk", "unlock-account alice")
    assert code == 0
    run = run_in(out)
    tightened = tmp_path / "tightened"
    shutil.copytree(SHIPPED, tightened)
    code, out, err = await demo.deputy("policy", "replay", str(tightened))
    assert (code, err) == (0, ""), out
    assert "All of them would be the same." in out
    rules = tightened / "guardrails.cedar"
    rules.write_text(
        f'{rules.read_text()}\n@id("rest") @reason("Nothing is unlocked.") forbid (principal, '
        'action == Deputy::Action::"run", resource == Deputy::Script::"unlock-account");\n'
    )
    code, out, _ = await demo.deputy("policy", "replay", str(tightened))
    assert code == 3
    stopped = out.partition("Runs that would have been refused")[2]
    assert run in stopped
    assert "rest: Nothing is unlocked." in stopped
    assert "Hanna Weber" in out.partition("Who loses")[2]


async def test_an_emergency_runs_at_once_and_takes_a_review_before_the_next(demo: Process, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    glass = f'break-glass clean-old-files path={tmp_path / "old"} days=30 reason="the disk is full"'
    code, out, _ = await demo.deputy("say", "--as", "oncall", glass)
    assert code == 0, out
    run = run_in(out)
    code, out, _ = await demo.deputy("say", "--as", "oncall", glass)
    assert code == 2
    assert "Your last emergency has not been reviewed yet" in out
    code, out, _ = await demo.deputy("say", "--as", "oncall", f"review {run} all fine")
    assert code == 2
    assert "Nobody reviews their own emergency" in out
    code, out, _ = await demo.deputy("say", "--as", "engineer", f"review {run} it was needed")
    assert code == 0, out
    code, out, _ = await demo.deputy("say", "--as", "oncall", glass)
    assert code == 0, out
