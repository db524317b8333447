"""The card of an emergency: what was done, and that somebody else has to look at it; or what they found."""

from bot.core import wording
from bot.core.card import Button, Card, Fact, Tone, Verb
from bot.core.cards import argument_facts
from bot.core.principal import Who
from bot.core.run import Run
from bot.core.text import visible


def key(run: Run) -> str:
    """Return the key of an emergency's post: the finding takes the place of the call for it."""
    return f"{run.id}:emergency"


def to_review(run: Run) -> Card:
    """Call for a review of an emergency."""
    name = wording.name(run.request.requester)
    return Card(
        title=f"{run.title}: the glass is broken",
        tone=Tone.WAITING,
        lead=f"{name} runs this as an emergency. Another person has to review it; until then {name} can't "
        "break the glass again.",
        facts=_facts(run),
        buttons=(Button("Review", Verb.REVIEW, run.id, asks="What you found"),),
        run=run.id,  # without its state: the card stays, and the run goes on
    )


def reviewed(run: Run, by: Who, finding: str) -> Card:
    """Tell what came of the review."""
    return Card(
        title=f"{run.title}: the emergency is reviewed",
        tone=Tone.GOOD,
        lead=f"{wording.name(by)} reviewed what {wording.name(run.request.requester)} did: "
        f"{wording.quoted(visible(finding))}",
        facts=_facts(run),
        run=run.id,
        state=run.state.value,
    )


def _facts(run: Run) -> tuple[Fact, ...]:
    return (*argument_facts(run), Fact("Reason", visible(run.request.reason)))
