"""Voting on a request: approve or deny what is sealed, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from bot.core import lifecycle, wording
from bot.core.approval import Quorum, Tally, Vote
from bot.core.audit import Draft, Tag
from bot.core.canonical import Json
from bot.core.decision import Decision, Deny, NeedsApproval, Permit, Reason, policies
from bot.core.errors import Conflict, Invalid, Refused
from bot.core.lifecycle import Event, Happening, advance
from bot.core.principal import Principal, Who
from bot.core.run import Run, State
from bot.core.text import checked_words
from bot.ports import Delivery, Ports
from bot.service.authorise import decided, known
from bot.service.record import note, record
from bot.service.refusal import of_another
from bot.service.reply import Caller, Reply
from bot.service.sealed import broken_seal, refuse_changed
from bot.service.sight import existing_run
from bot.service.votes import Matter, Right, decide, matter, quorum, recount, right, voided

TRIES = 60
OWN = "You can't approve your own request: another person has to. Whose approval counts is said on its card."
OWN_NO = "You can't decide on your own request. To take it back, withdraw it: its button, or /deputy cancel {}"
_OWN = Deny((Reason("self-approval"),))


@dataclass(frozen=True)
class Refusal:
    """Whose vote is not taken, with which roles and through which door, and the decision that says so."""

    who: Who
    roles: tuple[str, ...]
    door: str
    decision: Decision = _OWN


async def review(ports: Ports, caller: Caller, run_id: str, yes: bool, comment: str, delivery: Delivery) -> Reply:
    """Cast a vote; a no says why. Raises Refused, Conflict, Invalid.

    Two approvers at the same moment both count: a lost compare-and-set looks again.
    """
    for _ in range(TRIES):
        if await ports.store.delivered_before(delivery) is not None:
            return Reply(run=run_id)
        run = await existing_run(ports, run_id)
        approver = await ports.directory.live(caller.principal.who)
        about, why = await _check(ports, run, approver, caller.door, yes=yes)
        roles = tuple(sorted(approver.roles))
        words = checked_words(comment, "Comment" if yes else "Reason")
        if not (yes or words):
            raise Invalid(f"Say why not, for who asked will read it: /deputy deny {run.id} it can wait")
        vote = Vote(approver.who, yes, run.digest, ports.clock.now(), words, roles, why.holder)
        facts: dict[str, Json] = {"door": caller.door, **known(ports, approver)}
        happening = await (_yes if yes else _no)(ports, about, vote, why, facts)
        try:
            await record(ports, advance(run, happening, vote.at), delivery=delivery)
        except Conflict:
            continue
        return Reply(run=run_id)
    raise Conflict(f"Many people are deciding on {run_id} at once. Look at the card and try again.")


async def _no(ports: Ports, about: Matter, vote: Vote, why: Right, facts: Mapping[str, Json]) -> Happening:
    return Happening(Event.DENY, by=vote.approver, vote=vote, policies=why.policies, facts=facts)


async def _yes(ports: Ports, about: Matter, vote: Vote, why: Right, facts: Mapping[str, Json]) -> Happening:
    """Count an approval beside those that still count, and ask policy whether it may run with them."""
    run, votes = about.run, await recount(ports, about)
    before, after = _tally(run, votes), _tally(run, (*votes, vote))
    if len(after.approvers) == len(before.approvers):
        raise Conflict(f"{_spent(before, vote)} counts already; {run.id} needs {before.missing} more from others.")
    decision = decide(ports, about, (*votes, vote))
    if isinstance(decision, Deny):
        told = of_another(decision, about.requester).reasons
        said = " ".join(reason.sentence for reason in told if reason.sentence)
        asker = wording.name(run.request.requester)
        reason = f"It can't be approved now, for {asker} may not run it. {said}".strip()
        await _refuse(ports, run, Refusal(vote.approver, vote.roles, str(facts["door"]), decision), reason)
    enough = isinstance(decision, Permit) and after.complete
    gone = voided(run, votes)
    return Happening(
        Event.APPROVE if enough else Event.VOTE,
        by=vote.approver,
        vote=vote,
        voided=gone,
        reasons=tuple(one.void for one in gone),
        quorum=_needed(ports, run, decision),
        policies=tuple(dict.fromkeys((*why.policies, *policies(decision)))),
        facts=facts,
    )


def _spent(tally: Tally, vote: Vote) -> str:
    """Say whose approval it is that can't be counted a second time."""
    used = next((one for one in tally.counted if one.holder == vote.approver), None)
    if used:
        return f"What {wording.name(used.approver)} approved in your place"
    return f"{wording.name(vote.holder)}’s approval" if vote.holder else "Your approval"


def _needed(ports: Ports, run: Run, decision: Decision) -> Quorum:
    """Return what is needed from here on: never less than was sealed with the request."""
    if isinstance(decision, NeedsApproval):
        return quorum(ports, decision, run.needed)
    return Quorum(run.needed, run.approver_roles)


def _tally(run: Run, votes: tuple[Vote, ...]) -> Tally:
    return replace(run, votes=votes).tally


async def _check(ports: Ports, run: Run, approver: Principal, door: str, *, yes: bool) -> tuple[Matter, Right]:
    """Raise where this person may not vote on this run now; a request that no longer holds ends here."""
    about, why = await _check_rights(ports, run, approver, door, yes=yes)
    if run.state is not State.AWAITING_APPROVAL:
        stands = lifecycle.standing(run.state)
        if any(vote.yes and vote.approver == approver.who for vote in run.votes):
            raise Conflict(f"You have approved {run.id} already, and it {stands}: nothing is left to decide.")
        raise Conflict(f"{run.id} {stands} already, so there is nothing to decide.")
    now = ports.clock.now()
    if now >= run.request.expires_at:
        await record(ports, advance(run, Happening(Event.EXPIRE), now))
        raise Conflict(f"{run.id} has expired: nobody decided in time. It has to be asked for again.")
    broken = await broken_seal(ports, run, about.action)
    if broken:
        await refuse_changed(ports, run, about.action, broken)
        raise Conflict(" ".join(broken))
    return about, why


async def _check_rights(
    ports: Ports, run: Run, approver: Principal, door: str, *, yes: bool
) -> tuple[Matter, Right]:
    refusal = Refusal(approver.who, tuple(sorted(approver.roles)), door)
    if approver.who == run.request.requester:
        await _refuse(ports, run, refusal, OWN if yes else OWN_NO.format(run.id))
    about = await matter(ports, run)
    why = await right(ports, about, approver)
    if isinstance(why, Deny):
        said = (
            " ".join(reason.sentence for reason in why.reasons if reason.sentence) or "You may not approve this."
        )
        may = wording.listed([ports.policy.role(role).title for role in why.roles], "or")
        await _refuse(ports, run, replace(refusal, decision=why), f"{said}{f' {may} may.' if may else ''}")
    return about, why


async def _refuse(ports: Ports, run: Run, refusal: Refusal, reason: str) -> NoReturn:
    """Write down that somebody's vote was not taken, and tell them why."""
    facts: dict[str, Json] = {"reason": reason, "action": run.request.action, "digest": run.digest}
    facts |= {"roles": refusal.roles, "door": refusal.door, **decided(ports, refusal.decision)}
    await note(ports, Draft(Tag.APPROVAL_REFUSED, refusal.who, run.id, ports.clock.now(), facts))
    raise Refused(reason)
