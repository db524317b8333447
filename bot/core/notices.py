"""Messages of their own about a request, so that it isn't missed in an older card."""

from dataclasses import replace
from enum import StrEnum

from bot.core import wording
from bot.core.card import Button, Card, Fact, Verb
from bot.core.cards import argument_facts, run_card
from bot.core.principal import Who
from bot.core.run import Run, State


class Notice(StrEnum):
    """Why a request that waits is told of again."""

    REMINDER = "reminder"
    ESCALATION = "escalation"
    VOID = "void"


_TITLES = {
    Notice.REMINDER: "still waits for a decision",
    Notice.ESCALATION: "waits, and others may decide as well now",
    Notice.VOID: "needs approval again",
}


def given(run: Run) -> tuple[Notice, ...]:
    """Return the notices that a run has been told by."""
    told = {Notice.REMINDER: run.reminded, Notice.ESCALATION: run.escalated, Notice.VOID: run.asked_again}
    return tuple(kind for kind, so in told.items() if so)


def notice(run: Run, kind: Notice) -> Card:
    """Return the run's card under another title; once it no longer waits, only how it stands."""
    card = run_card(run)
    if run.state is State.AWAITING_APPROVAL:
        return replace(card, title=f"{run.title} {_TITLES[kind]}")
    return Card(f"{run.title} no longer waits", card.tone, card.lead, run=run.id, state=card.state)


def handed_over(run: Run) -> Card:
    """Ask those who could run what its requester may not: whoever presses asks for it as their own request."""
    card = run_card(replace(run, state=State.AWAITING_APPROVAL))
    asker, could = wording.name(run.request.requester), wording.listed(run.could, "or")
    return replace(
        card,
        title=f"{run.title}: who runs this?",
        lead=f"{asker} may not run this and asks {could} to. Whoever does asks for it in their own name.",
        facts=tuple(fact for fact in card.facts if fact.at == ""),  # nothing is decided here by any time
        buttons=(Button("Run it", Verb.RERUN, run.id, style="primary"),),
        state="",
    )


def taken_up(run: Run, who: Who, taken: str) -> Card:
    """Say that somebody asked for what was handed over: by the run `taken`, which has its own message."""
    return Card(
        f"{run.title}: {wording.name(who)} runs this",
        lead=f"{wording.name(who)} asked for it in their own name: {taken}.",
        facts=(Fact("First asked by", wording.name(run.request.requester)), *argument_facts(run)),
        run=run.id,
    )
