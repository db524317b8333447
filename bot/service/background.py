"""What approvers should know beside the request: how the scripts have changed, and how the last runs went."""

from collections.abc import Mapping

from bot.core import lifecycle, wording
from bot.core.action import Action
from bot.core.background import Background, FileChange, Past, file_change, shortened
from bot.core.request import Request
from bot.core.run import Run
from bot.core.text import visible
from bot.ports import Ports

LOOKED_AT = 50  # runs, to find the last that was approved
SHOWN = 3  # of the last runs


async def background(ports: Ports, action: Action) -> Background:
    """Compare an action with what was last approved of it, and tell how its last runs went."""
    runs = await ports.store.runs(action=action.id, limit=LOOKED_AT)
    approved = next((run for run in runs if run.needed and run.tally.complete), None)
    before = _hashes(approved.request, action) if approved else {}
    since = f"since it was approved last ({approved.id}, {wording.clock(approved.created)})" if approved else ""
    after = {script.name: script.sha for script in action.scripts}
    fresh = {script.sha: script.content for script in action.scripts}
    changes = [shortened(change) for change in await _changes(ports, before, after, fresh)]
    past = tuple(_past(run) for run in runs if run.started and run.ended)
    return Background(since, before, after, tuple(changes), past[:SHOWN])


async def since_sealed(ports: Ports, run: Run, action: Action) -> Background:
    """Compare what was sealed with the action as it lies there now."""
    before = _hashes(run.request, action)
    after = {script.name: script.sha for script in action.scripts}
    fresh = {script.sha: script.content for script in action.scripts}
    changes = [shortened(change) for change in await _changes(ports, before, after, fresh)]
    return Background("since it was asked for", before, after, tuple(changes), run.background.past)


async def whole(ports: Ports, run: Run) -> str:
    """Return all the changes that a run's card tells of, nothing cut. Raises NotFound, Damaged."""
    known = run.background
    changes = await _changes(ports, known.before, known.after, {})
    return "\n\n".join(f"{change.name}\n{change.diff}" for change in changes)


async def _changes(
    ports: Ports, before: Mapping[str, str], after: Mapping[str, str], fresh: Mapping[str, bytes]
) -> list[FileChange]:
    """Compare files by their hashes; `fresh` are those that the store needn't have yet."""

    async def content(sha: str | None) -> bytes:
        if sha is None:
            return b""
        return fresh[sha] if sha in fresh else await ports.store.script(sha)

    names = dict.fromkeys((*after, *before))
    differ = [name for name in names if before.get(name) != after.get(name)]
    return [file_change(name, await content(before.get(name)), await content(after.get(name))) for name in differ]


def _hashes(request: Request, action: Action) -> dict[str, str]:
    """Return the hashes that a request sealed, by the names that its files have now."""
    check = {(action.verify.name if action.verify else "the check"): request.verify} if request.verify else {}
    return {action.script.name: request.script, **request.libraries, **check}


def _past(run: Run) -> Past:
    said = "" if run.private else visible(run.outcome.summary)
    return Past(run.created, wording.name(run.request.requester), lifecycle.wording(run.state), said)
