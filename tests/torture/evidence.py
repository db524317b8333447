"""Gathering what the judge looks at: the ledger, what was asked and told, and what the store has at the end."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from bot.core.audit import GENESIS, Tag, verify
from bot.core.run import State
from bot.store.database import SqlStore
from tests.torture import lines
from tests.torture.ground import FREE, Command, Ground
from tests.torture.judge import Evidence, Kept, Told, Written

EVERYTHING = 1_000_000
PAGE = 5_000


async def gather(store: SqlStore, ground: Ground, commands: list[Command], fell: int) -> Evidence:
    """Return all that is known."""
    starts: Counter[str] = Counter()
    fault = await _fault(store, starts)
    runs = {
        run.id: Kept(str(run.request.arguments["name"]), run.state, run.idempotent, starts[run.id])
        for run in await store.runs(limit=EVERYTHING)
    }
    return Evidence(
        commands=frozenset(command.name for command in commands),
        answers=[(name, run) for name, run in lines.read(ground.asked)],
        ledger=[_written(*line) for line in lines.read(ground.ledger)],
        runs=runs,
        told=[Told(*line) for line in lines.read(ground.chat)],
        fault=fault,
        waiting=await waiting(store),
        fell=fell,
    )


def _written(run: str, command: str, word: str, spot: str) -> Written:
    return Written(run, command, word, "" if spot == FREE else spot)


async def under_way(store: SqlStore) -> bool:
    """Say whether anything is still to be done: a run that hasn't ended, or a post that waits."""
    states = [state for state in State if not state.ended]
    return bool(await store.runs(states=states, limit=1) or await waiting(store))


async def waiting(store: SqlStore) -> int:
    """Count the posts that wait, however long they are to."""
    return len(await store.outbox(datetime.now(UTC) + timedelta(days=1), EVERYTHING))


async def _fault(store: SqlStore, starts: Counter[str]) -> str:
    """Verify the whole chain, counting the starts in it; return what doesn't hold."""
    holds, head = 0, GENESIS
    while page := await store.entries(after=holds, limit=PAGE):
        verdict = verify(page, since=(holds, head))
        if verdict.fault:
            return verdict.fault
        starts.update(entry.subject for entry in page if entry.tag == Tag.RUN_STARTED)
        holds, head = holds + verdict.holds, verdict.head
    return "" if (holds, head) == await store.head() else "the log's head is another than its last entry"
