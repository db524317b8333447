"""The judge: what was lost, doubled, left open or not told, by the ledger, the store and the chat. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.audit import read_reference
from bot.core.run import State


@dataclass(frozen=True)
class Written:
    """One line of the ledger: a run's script says that it starts, or ends. `spot` is what it had for itself."""

    run: str
    command: str
    word: str
    spot: str = ""


@dataclass(frozen=True)
class Kept:
    """A run as the store has it at the end. `starts` are those in the audit log."""

    command: str
    state: State
    idempotent: bool = False
    starts: int = 1


@dataclass(frozen=True)
class Told:
    """One post in the chat: its key (the run's id for its card), the state it shows, its audit reference."""

    key: str
    state: str
    reference: str


@dataclass(frozen=True)
class Evidence:
    """All that is known at the end. `commands` are all that people were to ask, `answers` what they were told.

    `fault` is what a verifier says of the audit chain, `fell` the processes that ended by themselves.
    """

    commands: frozenset[str]
    answers: Sequence[tuple[str, str]]
    ledger: Sequence[Written]
    runs: Mapping[str, Kept]
    told: Sequence[Told]
    fault: str = ""
    waiting: int = 0
    fell: int = 0


@dataclass(frozen=True)
class Finding:
    """What was counted, what the most is that may be, and some of what was found."""

    name: str
    found: Sequence[str] = field(default=())
    most: int = 0

    @property
    def good(self) -> bool:
        return len(self.found) <= self.most


def judge(evidence: Evidence) -> list[Finding]:
    """Say what is wrong, row by row; a row without anything found is what everybody hopes for."""
    starts = Counter(line.run for line in evidence.ledger if line.word == "start")
    return [
        Finding("lost", [*_unanswered(evidence), *_lost(evidence)]),
        Finding("asked once, begun twice", _doubled(evidence)),
        Finding("started twice", _twice(evidence, starts)),
        Finding("started, not in the audit log", _unlogged(evidence, starts)),
        Finding("said to have succeeded, not ended", _unended(evidence)),
        Finding("begun, its outcome not named", _unnamed(evidence, starts)),
        Finding("together where only one may be", _together(evidence.ledger)),
        Finding("audit gaps or forks", [evidence.fault] if evidence.fault else []),
        Finding("end not told", [*_untold(evidence), *["a post waits"] * evidence.waiting]),
        Finding("told in a wrong order", _disordered(evidence.told)),
        Finding("processes that fell by themselves", ["a process"] * evidence.fell),
        Finding("interrupted", _interrupted(evidence), most=len(evidence.commands) // 100),
    ]


def _unanswered(evidence: Evidence) -> Iterable[str]:
    return sorted(evidence.commands - {command for command, _ in evidence.answers})


def _lost(evidence: Evidence) -> Iterable[str]:
    """Yield the runs that people were told of and that have not ended, or are not there."""
    for run in sorted({run for _, run in evidence.answers}):
        if run not in evidence.runs or not evidence.runs[run].state.ended:
            yield run


def _doubled(evidence: Evidence) -> list[str]:
    known = Counter(kept.command for kept in evidence.runs.values())
    told = Counter(command for command, _ in set(evidence.answers))
    return sorted(command for command in known | told if max(known[command], told[command]) > 1)


def _twice(evidence: Evidence, starts: Counter[str]) -> list[str]:
    again = {run for run, kept in evidence.runs.items() if kept.idempotent}
    return [run for run, count in starts.items() if count > 1 and run not in again]


def _unlogged(evidence: Evidence, starts: Counter[str]) -> list[str]:
    logged = {run: kept.starts for run, kept in evidence.runs.items()}
    return [run for run, count in starts.items() if count > logged.get(run, 0)]


def _unended(evidence: Evidence) -> list[str]:
    ended = {line.run for line in evidence.ledger if line.word == "end"}
    return [run for run, kept in evidence.runs.items() if kept.state is State.SUCCEEDED and run not in ended]


def _unnamed(evidence: Evidence, starts: Counter[str]) -> list[str]:
    """Return what has started but ended as if it had not: neither done nor named as interrupted."""
    named = (State.SUCCEEDED, State.INTERRUPTED)
    return [run for run in starts if run in evidence.runs and evidence.runs[run].state not in named]


def _together(ledger: Sequence[Written]) -> list[str]:
    """Return the scripts during which another one started on the same spot; one that died is no matter."""
    begun: defaultdict[str, list[str]] = defaultdict(list)
    found: list[str] = []
    for line in ledger:
        here = begun[line.spot]
        if line.word == "start":
            here.append(line.run)
        elif line.spot and line.run in here:
            found += [f"{line.run} and {other}" for other in here[here.index(line.run) + 1 :]]
            here.remove(line.run)
    return found


def _untold(evidence: Evidence) -> list[str]:
    """Return the runs whose card shows no end, or another than theirs, and the interrupted ones not spoken of."""
    shown = {told.key: told.state for told in evidence.told}
    silent = [run for run, kept in evidence.runs.items() if shown.get(run) != kept.state.value]
    return silent + [f"{run}:interrupted" for run in _interrupted(evidence) if f"{run}:interrupted" not in shown]


def _disordered(told: Sequence[Told]) -> list[str]:
    """Return the posts that show a card as it was before it was shown; the same again is no matter."""
    newest: dict[str, int] = {}
    found: list[str] = []
    for one in told:
        sequence, _ = read_reference(one.reference) or (0, "")
        if sequence < newest.get(one.key, 0):
            found.append(f"{one.key} as of {one.reference}")
        newest[one.key] = max(sequence, newest.get(one.key, 0))
    return found


def _interrupted(evidence: Evidence) -> list[str]:
    return [run for run, kept in evidence.runs.items() if kept.state is State.INTERRUPTED]
