"""Being away: reading until when, and what those concerned are told."""

from datetime import UTC, datetime, time, timedelta

from bot.core import wording
from bot.core.approval import Absence
from bot.core.card import Card, Fact
from bot.core.errors import Invalid
from bot.core.text import visible

LONGEST = timedelta(days=90)
EXAMPLE = "/deputy away until 2026-12-01 approvals to @name"


def until(text: str, now: datetime) -> datetime:
    """Read `2026-12-01` (to the end of that day) or `2026-12-01T17:00`, in UTC unless an offset is given.

    Raises Invalid for what is no moment, is over, or is further away than 90 days.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(f"“{visible(text[:40])}” is no date. Write it like this: {EXAMPLE}", "until") from None
    if moment.time() == time.min and ":" not in text:
        moment = datetime.combine(moment.date(), time(23, 59, 59))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= now:
        raise Invalid(f"{text.strip()} is over already.", "until")
    if moment > now + LONGEST:
        raise Invalid(f"That is more than {LONGEST.days} days; say it again when those are over.", "until")
    return moment.astimezone(UTC)


def away_card(absence: Absence, *, idle: bool = False) -> Card:
    """Tell who is away what that means; `idle` says that the policies let their stand-in approve nothing."""
    deputy = wording.name(absence.deputy)
    means = (
        f"Until then {deputy} may approve in your place what you may approve and the policies let {deputy} "
        "approve for you. Nobody can pass that on, and every such approval names you both in the audit log."
    )
    warning = " As far as can be told now, that is nothing: name somebody else, or nobody approves in your place."
    return Card(
        "You are away",
        lead=f"{means}{warning * idle}",
        facts=(wording.when("Until", absence.until), Fact("Approvals to", deputy)),
        footnote="/deputy back ends it.",
    )


def stand_in_card(absence: Absence) -> Card:
    """Tell somebody that they have been named."""
    holder = wording.name(absence.holder)
    return Card(
        f"{holder} is away",
        lead=f"Until {wording.clock(absence.until)} you may approve in their place what {holder} may approve and "
        "the policies let you approve for them.",
        footnote="/deputy approvals shows what waits for you.",
    )


def ended_card(absence: Absence, *, back: bool) -> Card:
    """Tell somebody that they stand in no longer: their holder is back, or has named somebody else."""
    holder = wording.name(absence.holder)
    title = f"{holder} is back" if back else f"{holder} has named somebody else"
    return Card(title, lead=f"You no longer approve in {holder}’s place.")


def back_card() -> Card:
    """Tell somebody that they are no longer away."""
    return Card("You are back", lead="Nobody approves in your place any more.")
