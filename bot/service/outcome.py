"""What a run that was started came to: its event, its outcome for people, and its whole output to be kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.core.canonical import Json, sha256_bytes
from bot.core.cards import whole_text
from bot.core.lifecycle import DEPUTY, Event, Happening
from bot.core.run import Outcome, Run
from bot.core.text import shorten
from bot.core.work import ExitReason
from bot.ports import Output, Ports
from bot.service.perform import Performed

LONGEST_SUMMARY = 300
MOST_OUTPUT = 20_000  # characters kept with the run itself; the whole is kept apart
MOST_ROWS = 200


@dataclass(frozen=True)
class Ended:
    """How a run ends, and the output to be kept with it."""

    happening: Happening
    output: Output | None = None


def ended(ports: Ports, run: Run, done: Performed, check: Performed | None) -> Ended:
    """Judge a script that has ended, and its check where it came to one."""
    event, outcome = event_of(done), _outcome(done)
    if check:
        outcome = replace(outcome, verified=_verified(check), check=_check_sentence(check))
        event = event_of(check) if event_of(check) is Event.CANCEL else event
        event = Event.FAIL if event is Event.SUCCEED and not outcome.verified else event
    by = ports.running.stopped_by(run.id) if event is Event.CANCEL else None
    if event is Event.CANCEL and by is None:
        event = Event.INTERRUPT
    kept, output = _private(ports, run, outcome) if run.private else _shown(run, outcome)
    content = output.sealed if output.sealed is not None else output.text.encode()
    facts: dict[str, Json] = {"output_sha256": sha256_bytes(content), "seconds": f"{outcome.seconds:.3f}"}
    return Ended(Happening(event, by=by or DEPUTY, outcome=kept, facts=facts), output)


def not_started(why: str) -> Ended:
    """Say that a script never began."""
    return Ended(Happening(Event.FAIL, outcome=Outcome(summary=f"it was not started. {why}")))


def unknown(why: str) -> Ended:
    """Say that nobody knows how far a script came."""
    return Ended(Happening(Event.INTERRUPT, reasons=(why,)))


def event_of(done: Performed) -> Event:
    """Return what the end of a script means for its run."""
    if done.exit.reason is ExitReason.TIMED_OUT:
        return Event.TIME_OUT
    if done.exit.reason is ExitReason.STOPPED:
        return Event.CANCEL
    return Event.SUCCEED if done.exit.reason is ExitReason.EXITED and done.exit.code == 0 else Event.FAIL


def _outcome(done: Performed) -> Outcome:
    """Put what a script left into a summary of one line, an output and a result; each is said once."""
    text = done.result if isinstance(done.result, str) else ""
    short = "\n" not in text and len(text) <= LONGEST_SUMMARY
    output = done.output if short else "\n".join(part for part in (text, done.output) if part)
    summary = done.exit.sentence or text.partition("\n")[0] or _last_line(done)
    summary = shorten(summary, LONGEST_SUMMARY)
    return Outcome(
        summary=summary,
        code=done.exit.code,
        seconds=done.exit.seconds,
        output="" if output.strip() == summary else output,
        result=None if isinstance(done.result, str) else done.result,
        truncated=done.truncated,
    )


def _last_line(done: Performed) -> str:
    """Return the last line of what failed without a word."""
    lines = done.output.split("\n") if done.exit.code else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _shown(run: Run, outcome: Outcome) -> tuple[Outcome, Output]:
    text = whole_text(outcome.result, outcome.output) or outcome.summary
    return replace(outcome, output=outcome.output[:MOST_OUTPUT], result=_small(outcome.result)), Output(
        run.id, text
    )


def _private(ports: Ports, run: Run, outcome: Outcome) -> tuple[Outcome, Output]:
    """Leave only the bare facts in the run; all that was said is sealed, for the requester and for a while."""
    text = whole_text(outcome.result, outcome.output)
    whole = "\n".join(part for part in (outcome.summary, text, outcome.check) if part)
    sealed = ports.vault.seal_text(run.id, whole)
    until = ports.clock.now() + timedelta(seconds=ports.private_ttl)
    bare = Outcome(code=outcome.code, seconds=outcome.seconds, verified=outcome.verified)
    return bare, Output(run.id, sealed=sealed, expires=until)


def _verified(check: Performed) -> bool:
    result = check.result
    return event_of(check) is Event.SUCCEED and isinstance(result, Mapping) and result.get("ok") is True


def _check_sentence(check: Performed) -> str:
    message = check.result.get("message") if isinstance(check.result, Mapping) else None
    words = message if isinstance(message, str) else check.exit.sentence or "it gave no clear answer."
    return shorten(words.replace("\n", " "), LONGEST_SUMMARY)


def _small(result: Json) -> Json:
    """Leave a result too large for a card to the whole output, where it can be read."""
    if isinstance(result, list | tuple):
        return result[:MOST_ROWS]
    if isinstance(result, Mapping):
        return dict(list(result.items())[:MOST_ROWS])
    return result
