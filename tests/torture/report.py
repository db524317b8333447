"""What a scene came to, as one table for people."""

from collections.abc import Sequence

from tests.torture.judge import Finding
from tests.torture.scene import Played

SHOWN = 3  # of what was found, to be looked into


def table(played: Played, findings: Sequence[Finding]) -> str:
    """Lay out what was done, and what was found of it."""
    tally, runs = played.tally, len(played.evidence.runs)
    done = (
        f"{len(played.evidence.commands):,} commands came to {runs:,} runs in {tally.seconds:.0f} s; "
        f"{tally.kills} processes killed, the database {tally.crashes} times; "
        f"the chat silent {tally.silences} times"
    )
    return "\n".join([done, *(_row(finding) for finding in findings)])


def _row(finding: Finding) -> str:
    allowed = f"at most {finding.most}" if finding.most else ""
    some = "" if finding.good else "  e.g. " + ", ".join(finding.found[:SHOWN])
    return f"{'' if finding.good else '!':1} {finding.name:34}{len(finding.found):>7}  {allowed}{some}".rstrip()
