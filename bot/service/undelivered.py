"""A post that its platform refuses: it is tried for a while, then given up, which the audit log says."""

import logging

from bot.core.audit import Draft, Tag
from bot.core.errors import DeputyError
from bot.core.lifecycle import DEPUTY
from bot.ports import Ports, Waiting
from bot.service.record import note

log = logging.getLogger(__name__)

TRIES = 10  # with the outbox's pauses five minutes: long enough to let Deputy into a channel


async def give_up(ports: Ports, waiting: Waiting, error: Exception) -> bool:
    """Say whether a refused post has been tried often enough; then it is in the audit log that nobody saw it.

    Only for refusals: what can't be reached now is tried for as long as it takes.
    """
    tries = waiting.attempts + 1
    if tries < TRIES:
        return False
    post = waiting.post
    why = (
        str(error) if isinstance(error, DeputyError) else type(error).__name__
    )  # a stranger's text may hold anything
    log.error("a post to %s about %s is given up: %s", post.place.platform, post.card.run or post.key, why)
    facts = {**vars(post.place), "key": post.key, "reason": why, "tries": tries}
    await note(ports, Draft(Tag.POST_GIVEN_UP, DEPUTY, post.card.run or post.key, ports.clock.now(), facts))
    return True
