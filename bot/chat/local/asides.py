"""What Deputy answered one person alone, so that their page has it again when it is loaded anew.

It is kept in this process's memory, for a while and no longer: an answer may hold what is for one pair of eyes,
and in the database it would outlive them all.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.card import Block, Card, Item, Menu, Tone
from bot.ports import Clock, Message

MOST = 40  # answers to one account, each with the words it answers
AGE = timedelta(hours=1)


class Asides:
    """The newest answers by account. `viewer` is whose the account is (`tenant/oid`, empty for nobody's)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, str], dict[str, tuple[Message, ...]]] = {}

    def keep(self, account: str, viewer: str, delivery: str, card: Card, text: str = "") -> None:
        """Keep an answer to a delivery, and the words that were sent; one answered before stays as it was."""
        now = self._clock.now()
        for other in [one for one in self._kept if one[0] == account and one[1] != viewer]:
            del self._kept[other]  # the account is somebody else's now
        answers = self._kept.setdefault((account, viewer), {})
        words = Message(0, f"{delivery}:words", 1, now, only=_only(account, viewer), author=account, text=text)
        answer = replace(words, key=f"{delivery}:answer", author="", text="", card=card)
        answers.setdefault(delivery, (words, answer) if text else (answer,))
        self._forget(now)

    def of(self, account: str, viewer: str) -> list[Message]:
        """Return what an account was answered while it was this person's, oldest first."""
        self._forget(self._clock.now())
        return [one for said in self._kept.get((account, viewer), {}).values() for one in said]

    def mark(self, account: str, viewer: str, action: str, *, favourite: bool) -> None:
        """Show an action as a favourite, or as none any more, in the menus among the answers."""
        answers = self._kept.get((account, viewer), {})
        for delivery, said in answers.items():
            answers[delivery] = tuple(
                replace(one, card=_marked(one.card, action, favourite)) if one.card else one for one in said
            )

    def _forget(self, now: datetime) -> None:
        for whose, answers in list(self._kept.items()):
            late = [one for one, (said, *_) in answers.items() if said.at <= now - AGE]
            for delivery in dict.fromkeys((*late, *list(answers)[:-MOST])):
                del answers[delivery]
            if not answers:
                del self._kept[whose]


def failure(sentence: str) -> Card:
    """Return the card of something that did not work, as the page shows it too."""
    return Card("That did not work", Tone.BAD, lead=sentence)


def _marked(card: Card, action: str, favourite: bool) -> Card:
    def item(one: Item) -> Item:
        return replace(one, favourite=favourite) if one.subject == action else one

    def block(one: Block) -> Block:
        return replace(one, items=tuple(map(item, one.items))) if isinstance(one, Menu) else one

    return replace(card, blocks=tuple(map(block, card.blocks)))


def _only(account: str, viewer: str) -> str:
    return viewer or f"local:{account}"
