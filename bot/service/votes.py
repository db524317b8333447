"""Votes: who may give one now and in whose place, and which of those given still count."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.core import wording
from bot.core.action import Action
from bot.core.approval import Absence, Quorum, Vote
from bot.core.decision import Decision, Deny, NeedsApproval, policies
from bot.core.errors import Refused
from bot.core.principal import Principal, Who
from bot.core.run import Run
from bot.ports import Ports
from bot.service.authorise import Emergency, authorise, may_approve
from bot.service.emergency import emergency

Find = Callable[[Who], Awaitable[Principal]]


@dataclass(frozen=True)
class Matter:
    """What is voted on: a run, its action as it lies there now, and its requester with the roles they hold now."""

    run: Run
    action: Action
    requester: Principal
    emergency: Emergency | None = None


@dataclass(frozen=True)
class Right:
    """Why somebody may vote: by which policies, and in whose place where it isn't their own right."""

    policies: tuple[str, ...]
    holder: Who | None = None


async def matter(ports: Ports, run: Run) -> Matter:
    """Look up what a run's votes are about. Raises Refused, NotFound, Unavailable."""
    requester = await ports.directory.live(run.request.requester)
    asked = await emergency(ports, requester.who, run) if run.request.break_glass else None
    return Matter(run, ports.catalog.action(run.request.action), requester, asked)


async def right(ports: Ports, matter: Matter, voter: Principal, find: Find | None = None) -> Right | Deny:
    """Say why somebody may vote: by their own right, or in the place of somebody who is away.

    Standing in takes the rights of both, and none can be passed on: only an absent person's own right counts.
    Who is away has the rights of this moment, or those that `find` finds, where it is only for showing.
    """
    own = _asked(ports, matter, voter)
    if not isinstance(own, Deny):
        return Right(policies(own))
    for absence in await ports.store.absences(ports.clock.now()):
        if absence.deputy == voter.who:
            lent = await _lent(ports, matter, voter, absence, find or ports.directory.live)
            if lent:
                return lent
    return own


async def recount(ports: Ports, matter: Matter) -> tuple[Vote, ...]:
    """Return a run's votes as they stand now: with the roles held now, or void and why. Raises Unavailable."""
    if not matter.run.votes:
        return ()
    return tuple(await asyncio.gather(*(_now(ports, matter, vote) for vote in matter.run.votes)))


def voided(run: Run, votes: tuple[Vote, ...]) -> tuple[Vote, ...]:
    """Return those of a run's recounted votes that counted until now and don't any more."""
    return tuple(now for before, now in zip(run.votes, votes, strict=True) if now.void and not before.void)


def decide(ports: Ports, matter: Matter, votes: tuple[Vote, ...]) -> Decision:
    """Ask policy whether it may run with these votes."""
    run = matter.run
    counted = replace(run, votes=votes).tally.counted
    return authorise(
        ports,
        matter.requester,
        matter.action,
        run.request.arguments,
        run.request.door,
        approvers=tuple(frozenset(vote.roles) for vote in counted),
        escalated=run.escalated,
        emergency=matter.emergency,
    )


def quorum(ports: Ports, needs: NeedsApproval, least: int = 0) -> Quorum:
    """Put what policy needs into titles that people know; never fewer than `least` approvals."""
    roles, seats = (tuple(ports.policy.role(role).title for role in names) for names in (needs.roles, needs.seats))
    return Quorum(max(needs.count, least), roles, seats)


def _asked(ports: Ports, matter: Matter, voter: Principal, *, delegated: bool = False) -> Decision:
    run = matter.run
    return may_approve(
        ports,
        voter,
        matter.requester,
        matter.action,
        run.request.arguments,
        run.request.door,
        escalated=run.escalated,
        delegated=delegated,
    )


async def _lent(ports: Ports, matter: Matter, voter: Principal, absence: Absence, find: Find) -> Right | None:
    try:
        holder = await find(absence.holder)
    except Refused:
        return None
    deputy = _asked(ports, matter, voter, delegated=True)
    if isinstance(deputy, Deny) or isinstance(_asked(ports, matter, holder), Deny):
        return None
    return Right(policies(deputy), holder.who)


async def _now(ports: Ports, matter: Matter, vote: Vote) -> Vote:
    if vote.void or not vote.yes:
        return vote
    try:
        voter = await ports.directory.live(vote.approver)
    except Refused:
        return replace(vote, void=f"{wording.name(vote.approver)} has left, so their approval no longer counts.")
    still = await right(ports, matter, voter)
    if isinstance(still, Deny):
        name = wording.name(vote.approver)
        return replace(vote, void=f"{name} may no longer approve it, so their approval no longer counts.")
    return replace(vote, roles=tuple(sorted(voter.roles)), holder=still.holder)
