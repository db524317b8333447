"""Running again: a fresh request by whoever presses, decided anew; no approval carries over (P9, P13)."""

from collections.abc import Mapping

from bot.core.errors import Conflict
from bot.core.form import Form
from bot.ports import Delivery, Ports
from bot.service.authorise import could
from bot.service.query import visible_run
from bot.service.record import secret_reference
from bot.service.reply import Caller, Reply
from bot.service.submit import Asked, find, form, submit


async def rerun(ports: Ports, caller: Caller, run_id: str, delivery: Delivery) -> Reply:
    """Ask again for what a run asked for; where it took a secret, its form opens for a new one."""
    run = await visible_run(ports, caller, run_id)
    if not run.state.ended:
        raise Conflict(f"{run_id} has not ended yet; it can be run again when it has.")
    arguments = {
        name: value for name, value in run.request.arguments.items() if secret_reference(value, run) is None
    }
    if len(arguments) < len(run.request.arguments):
        return Reply(form=await _form(ports, caller, run.request.action, arguments))
    asked = Asked(run.request.action, arguments, reason=run.request.reason, rerun_of=run.id)
    return await submit(ports, caller, asked, delivery)


async def _form(ports: Ports, caller: Caller, name: str, arguments: Mapping[str, object]) -> Form:
    action = find(ports, caller, name)
    return await form(ports, caller, action, arguments, None, could(ports, caller.principal, action, caller.door))
