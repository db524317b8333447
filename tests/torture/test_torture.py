"""Nothing lost, nothing twice: the torture in its short form; `make torture` is the long one."""

from pathlib import Path

import pytest

from tests.fakes.postgres import Cluster
from tests.torture.ground import command, lay, signed_command
from tests.torture.judge import judge
from tests.torture.report import table
from tests.torture.scene import Plan, Storm, play

SHORT = 1_000


@pytest.mark.timeout(300)
async def test_R1_R10_whoever_is_killed_nothing_is_lost_and_nothing_starts_twice(
    tmp_path: Path, cluster: Cluster, database: str
) -> None:
    plan = Plan([command(number) for number in range(SHORT)])
    played = await play(plan, lay(tmp_path, database), cluster)
    findings = judge(played.evidence)
    assert played.tally.kills > 20
    assert played.tally.crashes > 1
    wrong = {finding.name for finding in findings if not finding.good}
    assert wrong <= {"interrupted"}, table(played, findings)
    interrupted = next(finding for finding in findings if finding.name == "interrupted")
    assert len(interrupted.found) <= played.tally.kills, table(played, findings)


@pytest.mark.timeout(300)
async def test_R1_queues_that_run_again_what_a_silent_worker_ran_are_found_out(
    tmp_path: Path, cluster: Cluster, database: str
) -> None:
    storm = Storm(kill_worker=(0.05, 0.1), crash_server=(60.0, 60.0))
    plan = Plan([command(number) for number in range(SHORT)], storm=storm)
    played = await play(plan, lay(tmp_path, database, broken=True), cluster)
    found = {finding.name: finding.found for finding in judge(played.evidence)}
    assert found["started twice"], table(played, judge(played.evidence))


@pytest.mark.timeout(300)
async def test_R5_P5_fifty_approvals_at_once_start_each_run_once(
    tmp_path: Path, cluster: Cluster, database: str
) -> None:
    plan = Plan([signed_command(number) for number in range(30)], rate=10.0, clicks=50, workers=2, storm=None)
    played = await play(plan, lay(tmp_path, database, lease=30.0), cluster)
    findings = judge(played.evidence)
    assert all(finding.good for finding in findings), table(played, findings)
    assert len(played.evidence.runs) == 30
    assert len([line for line in played.evidence.ledger if line.word == "start"]) == 30
