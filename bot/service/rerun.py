"""Running again: a fresh request by whoever presses, decided anew; no approval carries over (P9, P13)."""

from collections.abc import Mapping
from datetime import timedelta

from bot.core.errors import Conflict
from bot.core.form import Form
from bot.core.principal import Who
from bot.core.run import Run, State
from bot.ports import Delivery, Ports
from bot.service.authorise import could
from bot.service.hand_over import take_up
from bot.service.record import secret_reference
from bot.service.reply import Caller, Reply
from bot.service.sight import visible_run
from bot.service.submit import Asked, find, form, submit

DOUBLE_CLICK = timedelta(seconds=2)


async def rerun(ports: Ports, caller: Caller, run_id: str, delivery: Delivery) -> Reply:
    """Ask again for what a run asked for; where it took a secret, its form opens for a new one."""
    run = await visible_run(ports, caller, run_id)
    if not run.state.ended:
        raise Conflict(f"{run_id} has not ended yet; it can be run again when it has.")
    if await ports.store.delivered_before(delivery) is None:
        await _check_once(ports, caller.principal.who, run)
    arguments = {
        name: value for name, value in run.request.arguments.items() if secret_reference(value, run) is None
    }
    if len(arguments) < len(run.request.arguments):
        return Reply(form=await _form(ports, caller, run.request.action, arguments))
    asked = Asked(run.request.action, arguments, reason=run.request.reason, rerun_of=run.id)
    reply = await submit(ports, caller, asked, delivery)
    if reply.run and caller.principal.who != run.request.requester:
        await take_up(ports, run, caller.principal.who, reply.run)
    return reply


async def _check_once(ports: Ports, who: Who, run: Run) -> None:
    """Take two clicks in a moment for one. Raises Conflict."""
    for last in await ports.store.runs(requester=who, limit=1):
        if last.state is State.REFUSED or last.rerun_of != run.id:
            continue
        if abs(ports.clock.now() - last.created) < DOUBLE_CLICK:
            raise Conflict(f"You asked for it again just now: {last.id}. To ask once more, wait a moment.")


async def _form(ports: Ports, caller: Caller, name: str, arguments: Mapping[str, object]) -> Form:
    action = find(ports, caller, name)
    return await form(ports, caller, action, arguments, None, could(ports, caller.principal, action, caller.door))
