"""Who may see a run: who asked for it, who may run its action, and who may approve it."""

from bot.core.audit import Tag
from bot.core.decision import Deny
from bot.core.errors import DeputyError, NotFound
from bot.core.run import Run, State
from bot.core.text import visible
from bot.ports import Ports
from bot.service.authorise import authorise
from bot.service.record import refused
from bot.service.reply import Caller
from bot.service.votes import Matter, Right, right


async def visible_run(ports: Ports, caller: Caller, run_id: str) -> Run:
    """Return a run that this person may see: their own, one they may approve, or of an action they may run."""
    run = await existing_run(ports, run_id)
    if await sees(ports, caller, run):
        return run
    await refused(ports, caller, run.id, "They may not see this run.")
    raise _no_run(run_id)


async def sees(ports: Ports, caller: Caller, run: Run) -> bool:
    """Say whether this person may see a run."""
    if caller.principal.who == run.request.requester or await _may_run(ports, caller, run):
        return True
    return await approver_of(ports, caller, run)


async def existing_run(ports: Ports, run_id: str) -> Run:
    """Return a run by its id as people type it. Raises NotFound in the words for one that is hidden."""
    try:
        return await ports.store.run(run_id.strip().upper())
    except NotFound:
        raise _no_run(run_id) from None


def _no_run(run_id: str) -> NotFound:
    return NotFound(
        f"There is no run {visible(run_id.strip().upper()[:20])} that you may see. "
        "More than its card is for who asked for it, may run its action or may approve it."
    )


async def _may_run(ports: Ports, caller: Caller, run: Run) -> bool:
    if run.state is State.REFUSED and not await was_handed_over(ports, run):
        return False
    try:
        action = ports.catalog.action(run.request.action)
    except DeputyError:
        return False
    return not isinstance(authorise(ports, caller.principal, action, run.request.arguments, caller.door), Deny)


async def was_handed_over(ports: Ports, run: Run) -> bool:
    """Say whether a refused request was shown to those who could run it."""
    entries = await ports.store.entries(subject=run.id, limit=100) if run.could else ()
    return any(entry.tag == Tag.REQUEST_HANDED_OVER for entry in entries)


async def approver_of(ports: Ports, caller: Caller, run: Run) -> bool:
    """Say whether somebody may vote on a run's request: by their own right or in the place of who is away."""
    find = ports.directory.recent
    try:
        about = Matter(run, ports.catalog.action(run.request.action), await find(run.request.requester))
        return isinstance(await right(ports, about, caller.principal, find), Right)
    except DeputyError:
        return False
