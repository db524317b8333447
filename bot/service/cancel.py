"""Cancelling: a request that waits is withdrawn, a queued run ends, a running script is stopped."""

from bot.core.decision import Deny
from bot.core.errors import Conflict, DeputyError, Refused
from bot.core.lifecycle import Event, Happening, advance, wording
from bot.core.run import Run, State
from bot.ports import Delivery, Ports
from bot.service.authorise import may_approve
from bot.service.record import record
from bot.service.reply import Caller, Reply

_EVENTS = {State.AWAITING_APPROVAL: Event.WITHDRAW, State.QUEUED: Event.CANCEL}


async def cancel(ports: Ports, caller: Caller, run_id: str, delivery: Delivery) -> Reply:
    """Stop a run as far as it can be stopped. Raises Refused, Conflict, NotFound."""
    if await ports.store.delivered_before(delivery) is not None:
        return Reply(run=run_id)
    run = await ports.store.run(run_id)
    await _check_rights(ports, caller, run)
    by = caller.principal.who
    if run.state is State.RUNNING:
        if not ports.running.stop(run_id, by):
            raise Conflict(f"{run_id} is just starting or ending. Look at its card and try again.")
        return Reply(run=run_id)
    event = _EVENTS.get(run.state)
    if event is None:
        raise Conflict(f"{run_id} is {wording(run.state)} already; there is nothing to cancel.")
    facts = {"door": caller.door}
    await record(ports, advance(run, Happening(event, by=by, facts=facts), ports.clock.now()), delivery=delivery)
    return Reply(run=run_id)


async def _check_rights(ports: Ports, caller: Caller, run: Run) -> None:
    """The requester may cancel, and whoever may approve the action."""
    if caller.principal.who == run.request.requester:
        return
    try:
        action = ports.catalog.action(run.request.action)
        requester = await ports.directory.live(run.request.requester)
    except DeputyError as error:
        raise Refused(f"Only {run.request.requester.name}, who asked for it, can cancel {run.id} now.") from error
    decision = may_approve(ports, caller.principal, requester, action, run.request.arguments, run.request.door)
    if isinstance(decision, Deny):
        raise Refused(f"Only {run.request.requester.name}, who asked for it, or an approver can cancel {run.id}.")
