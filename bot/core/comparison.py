"""Two runs of one action side by side: what was asked for, by which script, how each ended, and what differs."""

from dataclasses import replace

from bot.core import lifecycle, wording
from bot.core.background import FileChange, file_change, shortened
from bot.core.card import Block, Card, Fact, Table, Text
from bot.core.cards import argument_facts, whole_text
from bot.core.run import Run
from bot.core.text import visible

_NOTHING = "–"


def compared(first: Run, second: Run, script: FileChange | None = None) -> Card:
    """Compare two runs, the earlier one first; `script` says how the script was changed between them."""
    labels = {**first.labels, **second.labels}  # of one argument the same, though its .toml has changed between
    asked = _rows(_asked(replace(first, labels=labels)), _asked(replace(second, labels=labels)))
    ended = _rows({**_ended(first), **_told(first)}, {**_ended(second), **_told(second)})
    around = _rows(_around(first), _around(second))
    said = _said(first, second)
    differing = [row for row in (*asked, *ended, *around) if row[1] != row[2]]
    same = [row[0] for row in asked if row[1] == row[2]]
    table = Table(("", first.id, second.id), tuple(differing))
    changes = [_change(f"How the script was changed: {_size(script)}", script)] if script else []
    changes += [_change(f"How what they said differs: {_size(said)}", said)] if said else []
    blocks: tuple[Block, ...] = (*([table] if differing else []), *changes)
    return Card(
        title=f"{second.title}: two runs compared",
        lead=" ".join(_lead(first, second, asked, said)),
        facts=(
            *([] if differing else [Fact("Compared", f"{first.id} and {second.id}", code=True)]),
            *([Fact("The same in both", wording.listed(same))] if same else []),
        ),
        blocks=blocks,
        footnote="What a private action said is not compared." if _private(first, second) else "",
    )


def _asked(run: Run) -> dict[str, str]:
    """What decides what a run does, by what people call it."""
    request = run.request
    return {
        **{fact.label: fact.value for fact in argument_facts(run)},
        "Target": visible(request.target),
        "Credential": ", ".join(sorted(request.credentials.values())) or _NOTHING,
        "Script": request.script[:12],
    }


def _ended(run: Run) -> dict[str, str]:
    outcome = run.outcome
    verified = {None: _NOTHING, True: "yes", False: "no"}[outcome.verified]
    code = _NOTHING if outcome.code is None else str(outcome.code)
    return {"Ended": lifecycle.wording(run.state), "Exit code": code, "Verified": verified}


def _told(run: Run) -> dict[str, str]:
    """Return in which words it ended; none of a private action, whose words the run doesn't hold."""
    return {"Result": visible(run.outcome.summary) or _NOTHING, "Check": visible(run.outcome.check) or _NOTHING}


def _around(run: Run) -> dict[str, str]:
    took = wording.seconds(run.outcome.seconds) if run.started and run.state.ended else _NOTHING
    return {
        "Asked by": wording.name(run.request.requester),
        "Asked": wording.clock(run.created),
        "Reason": visible(run.request.reason) or _NOTHING,
        "Approvals": str(len(run.tally.counted)),
        "Took": took,
    }


def _rows(first: dict[str, str], second: dict[str, str]) -> list[tuple[str, str, str]]:
    names = dict.fromkeys((*first, *second))
    rows = [(name, first.get(name, _NOTHING), second.get(name, _NOTHING)) for name in names]
    return [row for row in rows if row[1:] != (_NOTHING, _NOTHING)]


def _said(first: Run, second: Run) -> FileChange | None:
    """Return how their results and outputs differ; None where they don't, or are private."""
    if _private(first, second) or not (first.state.ended and second.state.ended):
        return None
    before, after = (whole_text(run.outcome.result, run.outcome.output) for run in (first, second))
    return file_change("output", before.encode(), after.encode()) if before != after else None


def _lead(first: Run, second: Run, asked: list[tuple[str, str, str]], said: FileChange | None) -> list[str]:
    """Say in words what the comparison comes to."""
    changed = [f"“{name}”" for name, before, after in asked if before != after]
    told = [f"They differ in {wording.listed(changed)}." if changed else "Both asked for exactly the same."]
    waiting = [run.id for run in (first, second) if not run.state.ended]
    if waiting:
        return [*told, f"{wording.listed(waiting)} {'has' if len(waiting) == 1 else 'have'} not ended yet."]
    if _ended(first) == _ended(second):
        same = said is None and _told(first) == _told(second)
        alike = " and said the same" if same and not _private(first, second) else ""
        return [*told, f"They ended the same way{alike}."]
    elsewhere = "" if changed else " So the reason is not in the request: it is in what the script found."
    return [*told, f"They ended differently.{elsewhere}"]


def _private(first: Run, second: Run) -> bool:
    return first.private or second.private


def _change(title: str, change: FileChange) -> Text:
    short = shortened(change)
    return Text(short.diff, code=True, cut=short.cut, title=title)


def _size(change: FileChange | None) -> str:
    return f"{wording.count(change.added, 'line')} added, {change.removed:,} removed" if change else ""
