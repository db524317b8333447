"""Cancelling: a request that waits is withdrawn, a queued run ends, a running script is stopped."""

from bot.core.errors import Conflict, Refused
from bot.core.lifecycle import Event, Happening, advance, wording
from bot.core.principal import Who
from bot.core.run import Run, State
from bot.ports import Delivery, Ports
from bot.service.record import record, refused
from bot.service.reply import Caller, Reply
from bot.service.sight import approver_of, existing_run

_EVENTS = {State.AWAITING_APPROVAL: Event.WITHDRAW, State.QUEUED: Event.CANCEL}


async def cancel(ports: Ports, caller: Caller, run_id: str, delivery: Delivery) -> Reply:
    """Stop a run as far as it can be stopped. Raises Refused, Conflict, NotFound."""
    if await ports.store.delivered_before(delivery) is not None:
        return Reply(run=run_id)
    run = await existing_run(ports, run_id)
    await _check_rights(ports, caller, run)
    by = caller.principal.who
    if run.state is State.RUNNING:
        if not (ports.running.stop(run_id, by) or await _ask_others(ports, run_id, by)):
            raise Conflict(f"{run_id} is just starting or ending. Look at its card and try again.")
        return Reply(run=run_id)
    event = _EVENTS.get(run.state)
    if event is None:
        raise Conflict(f"{run_id} has ended already ({wording(run.state)}); there is nothing to cancel.")
    facts = {"door": caller.door, "roles": sorted(caller.principal.roles)}
    await record(ports, advance(run, Happening(event, by=by, facts=facts), ports.clock.now()), delivery=delivery)
    return Reply(run=run_id)


async def _ask_others(ports: Ports, run: str, by: Who) -> bool:
    """Ask the process that runs a script to stop it, where there are others."""
    return not ports.engine.exclusive and await ports.store.ask_stop(run, by)


async def stop_asked(ports: Ports) -> None:
    """Stop the scripts here that somebody asked another process to stop."""
    for run, by in (await ports.store.asked_to_stop(ports.running.here())).items():
        ports.running.stop(run, by)


async def _check_rights(ports: Ports, caller: Caller, run: Run) -> None:
    """The requester may cancel, and whoever may approve the action. Raises Refused, which is audited."""
    who = caller.principal.who
    if who == run.request.requester or await approver_of(ports, caller, run):
        return
    reason = f"Only who asked for {run.id}, or an approver of it, can cancel it."
    await refused(ports, caller, run.id, reason)
    raise Refused(reason)
