"""The sentences people read about a run: what happened, why, and what comes next."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from bot.core.approval import Vote
from bot.core.card import Fact
from bot.core.principal import Who
from bot.core.run import Run, State
from bot.core.text import visible

RISKS = {
    "read": "reads only",
    "change": "changes things",
    "destructive": "can't be undone",
    "unclassified": "not classified yet",
}


def names(people: tuple[Who, ...] | list[Who]) -> str:
    """Return the names of people as one phrase: `Ann, Bo and Cy`."""
    return listed([name(who) for who in people])


def name(who: Who) -> str:
    """Return what people call somebody, with nothing in it that a reader can't see."""
    return visible(who.name or who.oid)


def listed(words: list[str] | tuple[str, ...], last: str = "and") -> str:
    """Join words as a phrase: `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def quoted(words: str) -> str:
    """Return what somebody said as the end of a sentence: `“not today”.`, `“Not today!”`."""
    return f"“{words}”" if words.endswith((".", "!", "?", "…")) else f"“{words}”."


def label(name: str) -> str:
    """Return what people read for a name: `max_count` is “Max count”."""
    words = re.sub(r"[_-]+", " ", name).strip()
    return words[:1].upper() + words[1:]


def count(number: int, one: str, many: str = "") -> str:
    """Return `1 approval`, `2 approvals`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def seconds(duration: float) -> str:
    """Return a duration in words: `0.8 s`, `3 min 5 s`."""
    if duration < 0.1:
        return "less than 0.1 s"
    if duration < 60:
        return f"{duration:.1f} s"
    return f"{int(duration // 60)} min {int(duration % 60)} s"


def clock(moment: datetime) -> str:
    """Return a moment for reading: `23 Nov 2026, 14:05 UTC`."""
    return moment.strftime("%-d %b %Y, %H:%M UTC")


def when(label: str, moment: datetime) -> Fact:
    """Return a fact that names a moment."""
    return Fact(label, clock(moment), at=moment.isoformat())


def lead(run: Run) -> str:
    """Say in one or two sentences how a run stands."""
    return _LEADS[run.state](run)


def _awaiting(run: Run) -> str:
    why = " ".join((*run.reasons, ""))
    return f"{why}{name(run.request.requester)} asks to run this. {needs(run)}"


def needs(run: Run) -> str:
    """Say which approvals a request still needs."""
    missing = max(run.tally.missing, len(run.seats))
    needed = f"It needs {missing}{' more' * bool(run.tally.approvers)} approval{'s' * (missing != 1)}"
    if not run.seats:
        return f"{needed} from {listed(run.approver_roles, 'or') or 'somebody who may approve it'}."
    if missing == len(run.seats):
        return f"{needed}, {'one each ' * (missing > 1)}from {listed(run.seats)}."
    return f"{needed} from {listed(run.approver_roles, 'or')}, of them one each from {listed(run.seats)}."


def _queued(run: Run) -> str:
    return f"{_approved(run)}It starts at once, or after what it may not run beside."


def _running(run: Run) -> str:
    return f"{_approved(run)}It is running for {name(run.request.requester)}."


def _approved(run: Run) -> str:
    return f"Approved by {voters(run)}. " if run.tally.approvers else ""


def voters(run: Run) -> str:
    """Return who approved a request: `Max and Zed (for Mia)`."""
    return listed([voter(vote) for vote in run.tally.counted])


def voter(vote: Vote) -> str:
    """Return who gave a vote, and in whose place."""
    return f"{name(vote.approver)}{f' (for {name(vote.holder)})' if vote.holder else ''}"


def _succeeded(run: Run) -> str:
    outcome = run.outcome
    if run.private:
        done = f"Done in {seconds(outcome.seconds)}. The result is for {name(run.request.requester)} alone."
    else:
        done = outcome.summary or f"Done in {seconds(outcome.seconds)}."
    if outcome.verified is None:
        return done
    return f"{done} Checked: {outcome.check}" if outcome.check else f"{done} It was checked."


def _failed(run: Run) -> str:
    outcome = run.outcome
    if outcome.verified is False:
        check = outcome.check or f"what it said is for {name(run.request.requester)} alone."
        return f"The script ended well, but the check after it did not: {check}"
    if run.private:
        return f"It failed. What it said is for {name(run.request.requester)} alone."
    return f"It failed: {outcome.summary}" if outcome.summary else f"It failed with exit code {outcome.code}."


def _denied(run: Run) -> str:
    vote = next((vote for vote in run.votes if not vote.yes), None)
    who = voter(vote) if vote else "An approver"
    comment = f": {quoted(vote.comment)}" if vote and vote.comment else "."
    return f"{who} said no{comment} It will not run."


def _timed_out(run: Run) -> str:
    return (
        f"It was stopped after {seconds(run.outcome.seconds)}, its time limit. "
        f"It may have done part of its work: look at the {'target' if run.private else 'output'} "
        "before you run it again."
    )


def _cancelled(run: Run) -> str:
    came = "It had started, so it may have done part of its work." if run.started else "It had not started."
    return f"Cancelled{_by(run)}. {came}"


def _interrupted(run: Run) -> str:
    why = " ".join(run.reasons) or "Deputy was stopped while this was running, so nobody knows how far it came."
    return f"{why} Look at the target first; then run it again if it is needed."


def _expired(run: Run) -> str:
    return "Nobody decided in time, so it will not run. Ask again if it is still needed."


def _withdrawn(run: Run) -> str:
    return f"Withdrawn{_by(run)}. It will not run."


def _refused(run: Run) -> str:
    return " ".join(run.reasons) or "It was refused."


def _by(run: Run) -> str:
    return f" by {name(run.ended_by)}" if run.ended_by else ""


_LEADS: Mapping[State, Callable[[Run], str]] = {
    State.AWAITING_APPROVAL: _awaiting,
    State.QUEUED: _queued,
    State.RUNNING: _running,
    State.SUCCEEDED: _succeeded,
    State.FAILED: _failed,
    State.TIMED_OUT: _timed_out,
    State.CANCELLED: _cancelled,
    State.INTERRUPTED: _interrupted,
    State.DENIED: _denied,
    State.EXPIRED: _expired,
    State.WITHDRAWN: _withdrawn,
    State.REFUSED: _refused,
}
