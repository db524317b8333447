"""The door that every chat platform opens: what a person typed, filled in or pressed, and the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.core.card import Card, Verb
from bot.core.principal import Account, Principal
from bot.core.run import Place
from bot.ports import Delivery
from bot.service.reply import Reply


@dataclass(frozen=True)
class Suggestion:
    """One way to complete what is being typed: the whole text it would become, and what it means."""

    text: str
    label: str
    detail: str = ""


class Door(Protocol):
    """What a chat platform calls. Every method raises only `DeputyError`, whose text is for the person."""

    async def person(self, account: Account) -> Principal:
        """Return who an account is."""

    async def say(self, account: Account, place: Place, text: str, delivery: Delivery) -> Reply:
        """Understand a command (without its `/deputy`) and do it."""

    async def fill(
        self,
        account: Account,
        place: Place,
        action: str,
        values: Mapping[str, object],
        reason: str,
        delivery: Delivery,
    ) -> Reply:
        """Take a filled form; a form comes back where something in it is wrong."""

    async def press(
        self, account: Account, place: Place, verb: Verb, subject: str, comment: str, delivery: Delivery
    ) -> Reply:
        """Take the press of a card's button."""

    async def complete(self, account: Account, text: str) -> Sequence[Suggestion]:
        """Suggest how to go on with a command that is being typed."""

    async def output(self, account: Account, run: str) -> str:
        """Return the whole output of a run that this person may see."""

    async def changes(self, account: Account, run: str) -> str:
        """Return all that has changed in the scripts of a run that this person may see, nothing cut."""

    async def audit(self, account: Account, reference: str) -> Card:
        """Return the card of an audit entry that this person may see."""
