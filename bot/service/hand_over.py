"""Handing over: who may not run something asks those who could."""

import logging

from bot.core import wording
from bot.core.audit import Draft, Tag
from bot.core.errors import Conflict, DeputyError, NotFound
from bot.core.notices import handed_over, taken_up
from bot.core.principal import Who
from bot.core.run import Run, State
from bot.ports import Change, Delivery, Ports, Post
from bot.service.reply import Caller, Reply
from bot.service.sight import existing_run, was_handed_over

log = logging.getLogger(__name__)


async def hand_over(ports: Ports, caller: Caller, run_id: str, delivery: Delivery) -> Reply:
    """Show a refused request to those who could run it.

    Raises NotFound for another's request, Conflict where nobody could run it.

    The refusal stays; who takes it up asks anew, in their own name and with their own rights.
    """
    if await ports.store.delivered_before(delivery) is not None:
        return Reply(run=run_id)
    run = await existing_run(ports, run_id)
    if run.request.requester != caller.principal.who:
        raise NotFound(f"There is no refused request {run.id} of yours.")
    if run.state is not State.REFUSED or not run.could:
        raise Conflict(f"There is nobody to ask to run {run.id}: it was not refused for want of a role.")
    if await was_handed_over(ports, run):
        asked = "has" if len(run.could) == 1 else "have"
        raise Conflict(f"{wording.listed(run.could, 'and')} {asked} been asked to run {run.id} already.")
    facts = {"action": run.request.action, "digest": run.digest, "asked": run.could, "door": caller.door}
    entry = Draft(Tag.REQUEST_HANDED_OVER, caller.principal.who, run.id, ports.clock.now(), facts)
    post = Post(run.place, _key(run), handed_over(run))
    await ports.store.commit(Change(entries=(entry,), posts=(post,), delivery=delivery))
    ports.engine.knock()
    return Reply(run=run.id)


async def take_up(ports: Ports, run: Run, who: Who, taken: str) -> None:
    """Show where those who could were asked that one of them asked for it, by the run `taken`; once.

    They have asked for it, whatever becomes of this: where it fails, the older message stands.
    """
    try:
        await _take_up(ports, run, who, taken)
    except DeputyError as error:
        log.warning("that %s was taken up by %s is not shown: %s", run.id, taken, error)


async def _take_up(ports: Ports, run: Run, who: Who, taken: str) -> None:
    if not await was_handed_over(ports, run) or (await ports.store.run(taken)).state is State.REFUSED:
        return
    entries = await ports.store.entries(subject=run.id, limit=100)
    if any(entry.tag == Tag.REQUEST_TAKEN_UP and entry.facts.get("run") == taken for entry in entries):
        return
    facts = {"action": run.request.action, "digest": run.digest, "run": taken}
    entry = Draft(Tag.REQUEST_TAKEN_UP, who, run.id, ports.clock.now(), facts)
    await ports.store.commit(Change((entry,), posts=(Post(run.place, _key(run), taken_up(run, who, taken)),)))
    ports.engine.knock()


def _key(run: Run) -> str:
    return f"{run.id}:handed-over"
