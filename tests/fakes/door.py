"""A door whose answers are given beforehand, and a timeline in memory: for tests of a chat alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.core.card import Card, Verb
from bot.core.errors import Invalid, NotFound
from bot.core.principal import Account, Principal, Who
from bot.core.run import Place
from bot.ports import Delivery, Message, Post
from bot.service.door import Suggestion
from bot.service.reply import Reply


def who(name: str) -> Who:
    """Return the identity of a fake person."""
    return Who("fake-tenant", f"oid-{name}", name)


@dataclass(frozen=True)
class Call:
    """One call of the door: its method, who called, what with, and the delivery it came in."""

    method: str
    account: Account
    given: tuple[object, ...]
    delivery: Delivery | None = None


@dataclass
class FakeDoor:
    """Satisfies `service.door.Door`. `answer` makes the reply to a call, or raises what it should fail with.

    `outputs` maps (account name, run) to what that person may see; `cards` maps references to audit cards.
    """

    answer: Callable[[Call], Reply] = lambda call: Reply()
    outputs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    diffs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    cards: Mapping[str, Card] = field(default_factory=dict)
    suggestions: Sequence[Suggestion] = ()
    calls: list[Call] = field(default_factory=list)

    async def person(self, account: Account) -> Principal:
        return Principal(who(account.id), frozenset())

    async def say(self, account: Account, place: Place, text: str, delivery: Delivery) -> Reply:
        return self._called(Call("say", account, (text,), delivery))

    async def fill(
        self,
        account: Account,
        place: Place,
        action: str,
        values: Mapping[str, object],
        reason: str,
        delivery: Delivery,
    ) -> Reply:
        return self._called(Call("fill", account, (action, dict(values), reason), delivery))

    async def press(
        self, account: Account, place: Place, verb: Verb, subject: str, comment: str, delivery: Delivery
    ) -> Reply:
        reply = self._called(Call("press", account, (verb, subject, comment), delivery))
        if verb in (Verb.DENY, Verb.REVIEW) and not comment:
            raise Invalid("Say why.")
        return reply

    async def complete(self, account: Account, text: str) -> Sequence[Suggestion]:
        return [one for one in self.suggestions if one.text.startswith(text)]

    async def output(self, account: Account, run: str) -> str:
        if (account.id, run) not in self.outputs:
            raise NotFound(f"There is no output of {run} that you may see.")
        return self.outputs[account.id, run]

    async def changes(self, account: Account, run: str) -> str:
        if (account.id, run) not in self.diffs:
            raise NotFound(f"There are no changes of {run} that you may see.")
        return self.diffs[account.id, run]

    async def audit(self, account: Account, reference: str) -> Card:
        if reference not in self.cards:
            raise NotFound(f"There is no entry {reference} that you may see.")
        return self.cards[reference]

    def _called(self, call: Call) -> Reply:
        self.calls.append(call)
        return self.answer(call)


class FakeTimeline:
    """Satisfies `ports.Timeline`, in memory."""

    def __init__(self) -> None:
        self._messages: dict[tuple[Place, str], Message] = {}

    async def show(self, post: Post, now: datetime) -> Message:
        before = self._messages.get((post.place, post.key))
        if before is None:
            return self._keep(post.place, Message(self._next(), post.key, 1, now, post.only, card=post.card))
        if before.card == post.card:
            return before
        return self._keep(post.place, replace(before, version=before.version + 1, card=post.card))

    async def say(self, place: Place, author: str, text: str, key: str, now: datetime) -> Message:
        before = self._messages.get((place, key))
        return before or self._keep(place, Message(self._next(), key, 1, now, author=author, text=text))

    async def messages(self, place: Place, limit: int = 200) -> Sequence[Message]:
        return [message for (where, _), message in self._messages.items() if where == place][-limit:]

    def _keep(self, place: Place, message: Message) -> Message:
        self._messages[place, message.key] = message
        return message

    def _next(self) -> int:
        return len(self._messages) + 1


class FakeClock:
    """A clock that stands still until it is set."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time
