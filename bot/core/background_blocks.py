"""What an approver should know beside the request, as a card shows it."""

from bot.core import wording
from bot.core.background import Background, FileChange
from bot.core.card import Block, Table, Text
from bot.core.run import Run, State
from bot.core.text import shorten

LONGEST_SAID = 200


def background_blocks(run: Run) -> tuple[Block, ...]:
    """Show how the scripts differ, until the decision or where that ended the run, and how the last runs went."""
    if run.state not in (State.AWAITING_APPROVAL, State.REFUSED):
        return ()
    known = run.background
    changes = tuple(_change(change, known) for change in known.changes)
    if run.state is State.REFUSED or not known.past:
        return changes
    rows = tuple(
        (wording.clock(one.at), one.asked_by, one.state, shorten(one.said, LONGEST_SAID) or "–")
        for one in known.past
    )
    return (*changes, Table(("Ran before", "Asked by", "Ended", "Summary"), rows))


def _change(change: FileChange, known: Background) -> Text:
    lines = wording.count(change.added, "line")
    told = f"{lines}, not approved before"
    if known.before:
        told = f"{lines} added, {change.removed:,} removed {known.since}"
    return Text(change.diff, code=True, cut=change.cut, title=f"{change.name}: {told}")
