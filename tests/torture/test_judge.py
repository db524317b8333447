"""The judge itself: made-up evidence in which one thing is wrong is found to be wrong in that, and in no more."""

from dataclasses import replace

import pytest

from bot.core.run import State
from tests.torture.judge import Evidence, Kept, Told, Written, judge

GOOD = Evidence(
    commands=frozenset({"c1", "c2"}),
    answers=[("c1", "R-1"), ("c2", "R-2"), ("c2", "R-2")],
    ledger=[
        Written("R-1", "c1", "start", "s1"),
        Written("R-1", "c1", "end", "s1"),
        Written("R-2", "c2", "start", "s1"),
        Written("R-2", "c2", "end", "s1"),
    ],
    runs={"R-1": Kept("c1", State.SUCCEEDED), "R-2": Kept("c2", State.SUCCEEDED)},
    told=[
        Told("R-1", "running", "AUD-000002-aaaaaa"),
        Told("R-1", "succeeded", "AUD-000003-aaaaaa"),
        Told("R-2", "succeeded", "AUD-000006-aaaaaa"),
    ],
)


def wrong(evidence: Evidence) -> set[str]:
    return {finding.name for finding in judge(evidence) if not finding.good}


def test_where_all_is_well_nothing_is_found() -> None:
    assert wrong(GOOD) == set()


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"answers": GOOD.answers[:1]}, {"lost"}),
        (
            {"runs": {**GOOD.runs, "R-2": Kept("c2", State.QUEUED)}},
            {"lost", "end not told", "begun, its outcome not named"},
        ),
        ({"answers": [*GOOD.answers, ("c2", "R-1")]}, {"asked once, begun twice"}),
        (
            {
                "ledger": [*GOOD.ledger, *GOOD.ledger[2:]],
                "runs": {**GOOD.runs, "R-2": Kept("c2", State.SUCCEEDED, starts=2)},
            },
            {"started twice"},
        ),
        ({"ledger": [*GOOD.ledger, Written("R-3", "c3", "start")]}, {"started, not in the audit log"}),
        ({"ledger": GOOD.ledger[:3]}, {"said to have succeeded, not ended"}),
        (
            {"ledger": [GOOD.ledger[0], GOOD.ledger[2], GOOD.ledger[1], GOOD.ledger[3]]},
            {"together where only one may be"},
        ),
        ({"fault": "entry 3 is missing"}, {"audit gaps or forks"}),
        ({"told": GOOD.told[:2]}, {"end not told"}),
        ({"waiting": 1}, {"end not told"}),
        ({"told": [*GOOD.told, GOOD.told[0], GOOD.told[1]]}, {"told in a wrong order"}),
        ({"fell": 1}, {"processes that fell by themselves"}),
    ],
)
def test_what_is_wrong_is_found_and_nothing_else(changed: dict, names: set[str]) -> None:
    assert wrong(replace(GOOD, **changed)) == names


def test_an_idempotent_run_may_start_twice_and_few_may_be_interrupted() -> None:
    twice = [*GOOD.ledger, *GOOD.ledger[2:]]
    again = {**GOOD.runs, "R-2": Kept("c2", State.SUCCEEDED, idempotent=True, starts=2)}
    assert wrong(replace(GOOD, ledger=twice, runs=again)) == set()
    lost = {**GOOD.runs, "R-2": Kept("c2", State.INTERRUPTED)}
    told = [*GOOD.told[:2], Told("R-2", "interrupted", "AUD-6"), Told("R-2:interrupted", "", "AUD-6")]
    many = GOOD.commands | {f"x{number}" for number in range(98)}
    answers = [*GOOD.answers, *((f"x{number}", "R-1") for number in range(98))]
    few = replace(GOOD, runs=lost, told=told, commands=many, answers=answers)
    assert "interrupted" not in wrong(few)
    assert "interrupted" in wrong(replace(few, commands=GOOD.commands))
