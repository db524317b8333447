"""The cards of a run: what its state, its request and its outcome look like to people."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping

from bot.core import wording
from bot.core.approval import Vote
from bot.core.background_blocks import background_blocks
from bot.core.canonical import Json, sha256_bytes
from bot.core.card import Block, Button, Card, Fact, Hidden, Table, Text, Tone, Verb
from bot.core.parameter import Value
from bot.core.run import Run, State
from bot.core.text import in_order, shorten, visible

LONG_ARGUMENT = 600
LONG_OUTPUT = 6_000
MOST_ROWS = 25

_TONES = {
    State.AWAITING_APPROVAL: Tone.WAITING,
    State.QUEUED: Tone.RUNNING,
    State.RUNNING: Tone.RUNNING,
    State.SUCCEEDED: Tone.GOOD,
    State.CANCELLED: Tone.NEUTRAL,
    State.WITHDRAWN: Tone.NEUTRAL,
}
_PRIVATE_ENDS = {
    State.TIMED_OUT: "It was stopped at its time limit.",
    State.CANCELLED: "It was cancelled while it ran.",
    State.INTERRUPTED: "It was interrupted.",
}
_AGAIN = frozenset(
    {
        State.SUCCEEDED,
        State.FAILED,
        State.TIMED_OUT,
        State.CANCELLED,
        State.INTERRUPTED,
        State.EXPIRED,
        State.DENIED,
    }
)


def run_card(run: Run) -> Card:
    """The one card that tells of a run in its channel, whatever its state."""
    return Card(
        title=run.title,
        tone=_TONES.get(run.state, Tone.BAD),
        lead=visible(wording.lead(run), lines=True),
        facts=_facts(run),
        blocks=(*background_blocks(run), *_outcome(run)),
        buttons=_buttons(run),
        run=run.id,
        state=run.state.value,
        footnote=_footnote(run),
    )


def full_card(run: Run) -> Card:
    """The card of a run with nothing shortened: every argument whole, every vote."""
    card, labels = run_card(run), _labels(run)
    long = [
        Text(f"{labels[name]} =\n{_lines(_text(value))}", code=True)
        for name, value in _shown_arguments(run).items()
        if len(_line(_text(value))) > LONG_ARGUMENT
    ]
    votes = tuple(
        Fact(
            f"{wording.voter(vote)} said {'yes' if vote.yes else 'no'}{', which is void' if vote.void else ''}",
            f"{wording.clock(vote.at)} {visible(vote.comment)} {vote.void}".strip(),
        )
        for vote in run.votes
    )
    sealed = (*_request_facts(run), *_sealed_facts(run), *votes)
    return Card(**{**vars(card), "facts": sealed, "blocks": (*long, *card.blocks)})


def private_result(run: Run) -> Card:
    """The card that only the requester of a private action sees."""
    good = run.state is State.SUCCEEDED
    return Card(
        title=f"{run.title}: the result",
        tone=Tone.GOOD if good else Tone.BAD,
        lead="Only you see this, and not for long: note it now."
        if good
        else f"{_PRIVATE_ENDS.get(run.state, 'It failed.')} Only you see what it said.",
        blocks=(Hidden(run.id),),
        run=run.id,
    )


def interrupted_notice(run: Run) -> Card:
    """A message of its own, so that an interruption is not missed in an older card."""
    return Card(
        title=f"{run.title} was interrupted",
        tone=Tone.BAD,
        lead=f"{wording.name(run.request.requester)}, this needs you: {wording.lead(run)}",
        facts=argument_facts(run),
        buttons=(Button("Run again", Verb.RERUN, run.id),),
        run=run.id,
        state=run.state.value,
    )


def outcome_blocks(result: Json, output: str) -> tuple[Block, ...]:
    """Show a structured result as a table or facts, and a text output as it is, cut where it is long."""
    blocks: list[Block] = []
    if isinstance(result, list | tuple) and result and all(isinstance(row, Mapping) for row in result):
        blocks.append(_table(row for row in result if isinstance(row, Mapping)))
    elif isinstance(result, Mapping) and result:
        pairs = [(_head(key), cell(value)) for key, value in list(result.items())[:MOST_ROWS]]
        blocks.append(Table((), tuple(pairs), max(0, len(result) - MOST_ROWS)))
    elif isinstance(result, list | tuple) and result:
        blocks.append(
            Table((), tuple((cell(value),) for value in result[:MOST_ROWS]), max(0, len(result) - MOST_ROWS))
        )
    if output.strip():
        blocks.append(Text(output[:LONG_OUTPUT].rstrip(), code=True, cut=len(output) > LONG_OUTPUT))
    return tuple(blocks)


def whole_text(result: Json, output: str) -> str:
    """Return everything a script left as one text: facts line by line, other results as JSON, then its output."""
    if isinstance(result, Mapping):
        shown = "\n".join(f"{_head(name)}: {cell(value)}" for name, value in result.items())
    else:
        shown = "" if result is None else json.dumps(result, indent=2, ensure_ascii=False)
    return "\n\n".join(part for part in (shown, output.strip("\n")) if part)


def _outcome(run: Run) -> tuple[Block, ...]:
    return () if run.private else outcome_blocks(run.outcome.result, run.outcome.output)


def _table(rows: Iterable[Mapping[str, Json]]) -> Table:
    all_rows = list(rows)
    heads = list(dict.fromkeys(head for row in all_rows for head in row))
    cells = tuple(tuple(cell(row.get(head)) for head in heads) for row in all_rows[:MOST_ROWS])
    return Table(tuple(_head(head) for head in heads), cells, max(0, len(all_rows) - MOST_ROWS))


def _head(name: str) -> str:
    return shorten(visible(wording.label(name)), 60)


def cell(value: Json) -> str:
    """Show one value of a structured result in one line."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return shorten(visible(value.replace("\n", " ⏎ ")), 400)
    if isinstance(value, Mapping):
        return shorten(", ".join(f"{visible(key)}: {cell(item)}" for key, item in value.items()), 400)
    return shorten(", ".join(cell(item) for item in value), 400)


def _facts(run: Run) -> tuple[Fact, ...]:
    if run.state is State.AWAITING_APPROVAL:
        return (*_request_facts(run), *_sealed_facts(run), *_approvals(run))
    return (*_request_facts(run), *_approvals(run), *_rule(run))


def _rule(run: Run) -> tuple[Fact, ...]:
    """Name the policies that refused it, for whoever looks them up."""
    named = run.state is State.REFUSED and run.policies
    return (Fact("Rule", wording.listed(run.policies), code=True),) if named else ()


def _request_facts(run: Run) -> tuple[Fact, ...]:
    reason = (Fact("Reason", visible(run.request.reason)),) if run.request.reason else ()
    emergency = (Fact("Emergency", "the glass is broken for this"),) if run.request.break_glass else ()
    return (Fact("Asked by", wording.name(run.request.requester)), *argument_facts(run), *reason, *emergency)


def _sealed_facts(run: Run) -> tuple[Fact, ...]:
    request = run.request
    credentials = ", ".join(sorted(request.credentials.values()))
    return (
        Fact("Risk", wording.RISKS.get(run.risk, run.risk)),
        Fact("Target", visible(request.target)),
        *([Fact("Credential", credentials, code=True)] if credentials else []),
        Fact("Script", f"{request.action} {request.script[:12]}", code=True),
        *_unchanged(run),
        *([wording.when("Decide by", request.expires_at)] if not run.state.ended else []),
    )


def _unchanged(run: Run) -> tuple[Fact, ...]:
    known = run.background
    same = run.needed and known.before and not known.changes
    return (Fact("Changes", f"none {known.since}"),) if same else ()


def _approvals(run: Run) -> tuple[Fact, ...]:
    if not run.needed:
        return ()
    against = {vote.approver for vote in run.votes if not vote.yes}
    said = [_said(vote) for vote in run.tally.counted if vote.approver not in against]
    nobody = "nobody" if run.state.ended else "nobody yet"
    return (Fact("Approvals", f"{len(said)} of {run.needed}: {wording.listed(said) or nobody}"),)


def _said(vote: Vote) -> str:
    return f"{wording.voter(vote)}{f' (“{visible(vote.comment)}”)' if vote.comment else ''}"


def argument_facts(run: Run) -> tuple[Fact, ...]:
    """Show every argument under the label of its form, in one line each."""
    labels = _labels(run)
    return tuple(_argument(labels[name], _text(value)) for name, value in _shown_arguments(run).items())


def _labels(run: Run) -> Mapping[str, str]:
    """Return what people read for each argument; of two with one label each has its name too."""
    labels = {name: visible(run.labels.get(name) or wording.label(name)) for name in run.request.arguments}
    times = Counter(labels.values())
    return {name: label if times[label] == 1 else f"{label} ({name})" for name, label in labels.items()}


def _shown_arguments(run: Run) -> Mapping[str, Value]:
    """Arguments as people may see them: a secret one is a reference to the vault and shows as dots."""
    secret = f"vault:run/{run.id.lower()}/"
    return {
        name: "••••••" if isinstance(value, str) and value.startswith(secret) else value
        for name, value in run.request.arguments.items()
    }


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, tuple):
        return str(value)
    # Two items and one with a comma in it must not look alike to who approves them.
    return ", ".join(f"“{item}”" if "," in item else item for item in value)


def _argument(label: str, text: str) -> Fact:
    """Show an argument; a long one never hides its tail silently (attack O3)."""
    shown = _line(text)
    if len(shown) <= LONG_ARGUMENT:
        return Fact(label, shown, code=True)
    size = f"{len(text):,} characters in all, SHA-256 {sha256_bytes(text.encode())[:12]}"
    return Fact(label, f"{shown[:LONG_ARGUMENT]}… ({size}; `status` shows it whole)", code=True, cut=True)


def _line(text: str) -> str:
    return in_order(visible(text.replace("\n", " ⏎ ")))


def _lines(text: str) -> str:
    return "\n".join(in_order(visible(line, lines=True)) for line in text.split("\n"))


def _buttons(run: Run) -> tuple[Button, ...]:
    if run.state is State.REFUSED:
        return _refused_buttons(run)
    if run.state is State.AWAITING_APPROVAL:
        return (
            Button("Approve", Verb.APPROVE, run.id, style="primary", comment="Comment"),
            Button("Deny", Verb.DENY, run.id, style="danger", asks="Reason"),
            Button("Withdraw", Verb.CANCEL, run.id),
        )
    if run.state in (State.QUEUED, State.RUNNING):
        return (Button("Cancel", Verb.CANCEL, run.id),)
    again = (Button("Run again", Verb.RERUN, run.id),) if run.state in _AGAIN else ()
    return (*again, Button("Compare", Verb.COMPARE, run.id)) if again and run.comparable else again


def _refused_buttons(run: Run) -> tuple[Button, ...]:
    """Offer what may help: to ask those who could, to ask in the ordinary way, or again what was let in once."""
    if run.could and not run.request.break_glass:
        return (Button(f"Ask {wording.listed(run.could, 'or')} to run it", Verb.HAND_OVER, run.id),)
    if run.request.break_glass:
        return (Button("Ask without breaking the glass", Verb.RERUN, run.id),)
    return (Button("Ask again", Verb.RERUN, run.id),) if run.revision > 1 else ()


def _footnote(run: Run) -> str:
    if run.state is State.SUCCEEDED and run.outcome.summary and not run.private:
        return f"Took {wording.seconds(run.outcome.seconds)}."
    if run.outcome.truncated:
        return "The output was longer than Deputy keeps; the rest is gone."
    return ""
