"""After an emergency: another person looks at what was done, and gives the right to the next one back."""

from bot.core import emergency_cards, lifecycle
from bot.core.audit import Draft, Tag
from bot.core.canonical import Json
from bot.core.decision import Decision, Deny
from bot.core.errors import Conflict, Invalid, Refused
from bot.core.principal import Principal
from bot.core.run import Run
from bot.core.text import checked_words
from bot.ports import Change, Delivery, Ports, Post
from bot.service.authorise import decided, may_review
from bot.service.emergency import reviewed
from bot.service.record import note
from bot.service.reply import Caller, Reply
from bot.service.sight import existing_run


async def review_emergency(ports: Ports, caller: Caller, run_id: str, finding: str, delivery: Delivery) -> Reply:
    """Take another person's finding on an emergency: its requester may break the glass again from here on.

    Raises Refused where policy doesn't let them, Conflict where there is nothing to review.
    """
    if await ports.store.delivered_before(delivery) is not None:
        return Reply(run=run_id)
    run = await existing_run(ports, run_id)
    reviewer = await ports.directory.live(caller.principal.who)
    decision = await _right(ports, run, reviewer, caller.door)
    await _check_open(ports, run)
    words = checked_words(finding, "Finding")
    if not words:
        raise Invalid(f"Say what you found: /deputy review {run.id} it was needed, and it helped")
    entry = Draft(
        Tag.EMERGENCY_REVIEWED,
        reviewer.who,
        run.id,
        ports.clock.now(),
        {"finding": words, **_facts(ports, run, reviewer, caller.door, decision)},
    )
    card = emergency_cards.reviewed(run, reviewer.who, words)
    await ports.store.commit(
        Change(entries=(entry,), posts=(Post(run.place, emergency_cards.key(run), card),), delivery=delivery)
    )
    ports.engine.knock()
    return Reply(run=run.id)


async def _right(ports: Ports, run: Run, reviewer: Principal, door: str) -> Decision:
    """Return the decision by which somebody may review a run. Raises Refused, which is audited."""
    try:
        requester = await ports.directory.live(run.request.requester)
    except Refused:
        requester = Principal(run.request.requester, frozenset())  # who left can be answered for all the same
    action = ports.catalog.action(run.request.action)
    decision = may_review(ports, reviewer, requester, action, run.request.arguments, run.request.door)
    if isinstance(decision, Deny):
        reason = " ".join(one.sentence for one in decision.reasons if one.sentence) or "You may not review this."
        facts: dict[str, Json] = {"reason": reason, **_facts(ports, run, reviewer, door, decision)}
        await note(ports, Draft(Tag.EMERGENCY_REVIEW_REFUSED, reviewer.who, run.id, ports.clock.now(), facts))
        raise Refused(reason)
    return decision


def _facts(ports: Ports, run: Run, reviewer: Principal, door: str, decision: Decision) -> dict[str, Json]:
    known: dict[str, Json] = {"action": run.request.action, "digest": run.digest, "door": door}
    return {**known, "roles": sorted(reviewer.roles), **decided(ports, decision)}


async def _check_open(ports: Ports, run: Run) -> None:
    if not run.request.break_glass:
        raise Conflict(f"{run.id} was no emergency, so there is nothing to review.")
    if run.started is None or not run.state.ended:
        raise Conflict(f"{run.id} {lifecycle.standing(run.state)}; it can be reviewed once it has run.")
    if await reviewed(ports, run):
        raise Conflict(f"{run.id} has been reviewed already.")
