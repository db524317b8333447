"""Voting on a request: approve or deny what is sealed, nothing else."""

from bot.core.action import Action
from bot.core.approval import Vote
from bot.core.audit import Draft, Tag
from bot.core.decision import Deny
from bot.core.errors import Conflict, DeputyError, Refused
from bot.core.lifecycle import Event, Happening, advance, wording
from bot.core.principal import Principal
from bot.core.request import Request, changes
from bot.core.run import Run, State
from bot.core.text import checked_words
from bot.ports import Delivery, Ports
from bot.service.authorise import may_approve, seal
from bot.service.query import existing_run
from bot.service.record import note, record
from bot.service.reply import Caller, Reply

TRIES = 60


async def review(ports: Ports, caller: Caller, run_id: str, yes: bool, comment: str, delivery: Delivery) -> Reply:
    """Cast a vote. Two approvers at the same moment both count: a lost compare-and-set looks again."""
    for _ in range(TRIES):
        if await ports.store.delivered_before(delivery) is not None:
            return Reply(run=run_id)
        run = await existing_run(ports, run_id)
        approver = await ports.directory.live(caller.principal.who)
        await _check(ports, run, approver, yes)
        vote = Vote(approver.who, yes, run.digest, ports.clock.now(), checked_words(comment, "Reason"))
        try:
            await record(ports, advance(run, _happening(run, vote, caller), vote.at), delivery=delivery)
        except Conflict:
            continue
        return Reply(run=run_id)
    raise Conflict(f"Many people are deciding on {run_id} at once. Look at the card and try again.")


def _happening(run: Run, vote: Vote, caller: Caller) -> Happening:
    facts = {"door": caller.door, "roles": sorted(caller.principal.roles)}
    if not vote.yes:
        return Happening(Event.DENY, by=vote.approver, vote=vote, facts=facts)
    missing = run.tally.missing - 1
    return Happening(Event.VOTE if missing > 0 else Event.APPROVE, by=vote.approver, vote=vote, facts=facts)


async def _check(ports: Ports, run: Run, approver: Principal, yes: bool) -> None:
    """Raise where this person may not vote on this run now; a request that no longer holds ends here."""
    await _check_rights(ports, run, approver)
    if run.state is not State.AWAITING_APPROVAL:
        raise Conflict(f"{run.id} is {wording(run.state)} by now, so there is nothing to decide.")
    if yes and any(vote.approver == approver.who for vote in run.votes):
        raise Conflict(f"Your approval of {run.id} counts already; it needs {run.tally.missing} more from others.")
    now = ports.clock.now()
    if now >= run.request.expires_at:
        await record(ports, advance(run, Happening(Event.EXPIRE), now))
        raise Conflict(f"{run.id} has expired: nobody decided in time. It has to be asked for again.")
    broken = await broken_seal(ports, run, ports.catalog.action(run.request.action))
    if broken:
        await record(ports, advance(run, Happening(Event.REFUSE, reasons=broken), now))
        raise Conflict(" ".join(broken))


async def _check_rights(ports: Ports, run: Run, approver: Principal) -> None:
    if approver.who == run.request.requester:
        reason = "You can't approve your own request: another person has to. They have been asked in the channel."
    else:
        action = ports.catalog.action(run.request.action)
        requester = await ports.directory.live(run.request.requester)
        decision = may_approve(ports, approver, requester, action, run.request.arguments, run.request.door)
        if not isinstance(decision, Deny):
            return
        why = " ".join(reason.sentence for reason in decision.reasons if reason.sentence)
        may = " or ".join(run.approver_roles)
        reason = f"{why or 'You may not approve this.'}{f' {may} may.' if may else ''}"
    facts = {"reason": reason, "digest": run.digest}
    await note(ports, Draft(Tag.APPROVAL_REFUSED, approver.who, run.id, ports.clock.now(), facts))
    raise Refused(reason)


async def broken_seal(ports: Ports, run: Run, action: Action) -> tuple[str, ...]:
    """Compare a sealed request with the same request made now; say in words what no longer holds.

    `action` is what the catalogue has now under the name that was asked for.
    """
    if run.request.digest != run.digest:
        return ("The stored request is not the one that was sealed, so it will not run. Ask for it again.",)
    try:
        now = await sealed_now(ports, run, action)
    except DeputyError as error:
        return (f"What was asked for can't be run any more: {error}",)
    changed = changes(run.request, now)
    if not changed:
        return ()
    what = " and ".join(changed)
    verb = "have" if len(changed) > 1 or what.endswith("policies") else "has"
    return (
        f"{what[0].upper()}{what[1:]} {verb} changed since it was asked for, so nothing runs. Ask for it again.",
    )


async def sealed_now(ports: Ports, run: Run, action: Action) -> Request:
    """Build the request that the same asking would give now."""
    request = run.request
    return await seal(
        ports,
        request.requester,
        action,
        request.arguments,
        door=request.door,
        reason=request.reason,
        nonce=request.nonce,
        expires_at=request.expires_at,
        policy_version=ports.policy.version(),
    )
