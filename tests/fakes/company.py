"""A small company in memory: people, a catalogue, policies, a clock that stands still, scripts that obey.

Everything but the services is a fake; the services are the real ones.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.core.action import Action, Risk, Script
from bot.core.card import Button, Card
from bot.core.catalog import Catalog, plain
from bot.core.decision import DEFAULT, Decision, Deny, NeedsApproval, Permit, Reason
from bot.core.errors import NotFound, Refused, Unavailable
from bot.core.parameter import Kind, Parameter
from bot.core.principal import Account, Principal, Who
from bot.core.run import Place, Run, State
from bot.core.secret import Secret
from bot.core.work import Exit, ExitReason, Work
from bot.engine.embedded import EmbeddedEngine
from bot.engine.running import RunningHere
from bot.ports import About, Delivery, Ports, Post, Question, RoleInfo, SecretRow, Stop
from bot.service.desk import Desk
from bot.service.execute import execute
from bot.service.reply import Caller
from bot.worker import Worker
from tests.fakes.memory_store import MemoryStore

PLACE = Place("local", "general")


class StillClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class People:
    """Ann and Abe may ask, Max and Mia approve, Zed may nothing."""

    def __init__(self) -> None:
        self.roles = {"ann": {"desk"}, "abe": {"desk"}, "max": {"boss"}, "mia": {"boss"}, "zed": set()}
        self.down = False

    async def principal(self, account: Account) -> Principal:
        return await self.live(Who("acme", account.id, account.id.capitalize()))

    async def recent(self, who: Who) -> Principal:
        return await self.live(who)

    async def live(self, who: Who) -> Principal:
        if self.down:
            raise Unavailable("The directory can't be reached.")
        if who.oid not in self.roles:
            raise Refused(f"{who.name} is no longer in the directory.")
        return Principal(replace(who, name=who.oid.capitalize()), frozenset(self.roles[who.oid]))


class Rules:
    """`needs` maps an action to the approvals that role `desk` needs; role `boss` approves."""

    def __init__(self) -> None:
        self.needs: dict[str, int] = {"look": 0, "change": 1, "wipe": 2, "secretive": 0, "hold": 0}
        self.text = "1"
        self.broken: Exception | None = None
        self.open_at: datetime | None = None
        self.frozen = ""

    def version(self) -> str:
        if self.broken:
            raise self.broken
        return self.text

    def decide(self, question: Question) -> Decision:
        if self.broken:
            raise self.broken
        if self.frozen:
            return Deny((Reason("freeze", self.frozen),))
        needs = self.needs.get(question.action.id)
        if "desk" not in question.principal.roles or needs is None:
            return Deny((Reason(DEFAULT, "No policy allows you to run this."),), ("desk",))
        if question.break_glass:
            open_review = Deny((Reason("review-first", "Not yet."),))
            return open_review if question.unreviewed else Permit((Reason("glass"),))
        if len(question.approvers) < needs:
            roles = ("boss", "second") if question.escalated else ("boss",)
            return NeedsApproval(needs, roles, (Reason("desk-asks"),))
        return Permit((Reason("desk-runs"),))

    def may_approve(self, approver: Principal, question: Question) -> Decision:
        if self.broken:
            raise self.broken
        stands_in = question.delegated and "deputy" in approver.roles
        second = question.escalated and "second" in approver.roles
        if ("boss" in approver.roles or stands_in or second) and approver.who != question.principal.who:
            return Permit((Reason("boss-approves"),))
        return Deny((Reason("default", "You may not approve this."),), ("boss",))

    def may_review(self, reviewer: Principal, question: Question) -> Decision:
        return self.may_approve(reviewer, question)

    def menu(self, about: About, actions: Iterable[Action]) -> Mapping[str, Decision]:
        return {one.id: self.decide(Question(about.principal, one, {}, about.door, about.now)) for one in actions}

    def opens(self, question: Question) -> datetime | None:
        return self.open_at

    def roles(self, groups: Iterable[str], *, guest: bool = False) -> frozenset[str]:
        return frozenset(groups)

    def role(self, name: str) -> RoleInfo:
        return RoleInfo(name, {"boss": "the bosses", "desk": "the desk", "second": "the others"}[name])


def action(name: str, risk: Risk = Risk.CHANGE, **more: object) -> Action:
    values: dict[str, object] = {
        "id": name,
        "category": "things",
        "path": f"things/{name}.toml",
        "title": name.capitalize(),
        "summary": f"Does {name}.",
        "risk": risk,
        "script": Script(f"{name}.py", f"# {name}".encode()),
        "parameters": (Parameter("account", Kind.STRING, "Account", required=True),),
        **more,
    }
    return Action(**values)  # type: ignore[arg-type]


class Shelf:
    """The catalogue; a test may change an action between asking and starting."""

    def __init__(self) -> None:
        secret = Parameter("token", Kind.SECRET, "Token", required=True)
        self.actions = {
            "look": action("look", Risk.READ, parameters=()),
            "change": action("change", credentials={"directory": "vault:directory"}),
            "wipe": action("wipe", Risk.DESTRUCTIVE),
            "secretive": action("secretive", private=True, parameters=(secret,)),
            "hold": action("hold", parameters=()),
        }
        self.running_with = "python 3.11"

    def catalog(self) -> Catalog:
        return Catalog(self.actions)

    def action(self, name: str) -> Action:
        if plain(name) not in self.actions:
            raise NotFound(f"There is no action “{name}”.")
        return self.actions[plain(name)]

    def interpreter(self, action: Action) -> str:
        return self.running_with


class Safe:
    """A vault that keeps fields in the clear; versions can be raised by a test."""

    def __init__(self) -> None:
        self.secrets = {"vault:directory": {"username": "svc", "password": "correct-horse"}}
        self.versions = {"vault:directory": 3}
        self.leased: Counter[str] = Counter()
        self.sealed: dict[str, dict[str, str]] = {}

    async def version(self, reference: str) -> int:
        if reference not in self.versions:
            raise NotFound(f"There is no credential {reference}.")
        return self.versions[reference]

    async def lease(self, reference: str, version: int, run: str) -> Mapping[str, Secret]:
        fields = self.secrets.get(reference) or self.sealed.get(reference.removeprefix("vault:"))
        if fields is None:
            raise NotFound(f"There is no credential {reference}.")
        self.leased[reference] += 1
        return {name: Secret(value) for name, value in fields.items()}

    async def revoke(self, reference: str, run: str) -> None:
        self.leased[reference] -= 1

    def seal(self, name: str, version: int, fields: Mapping[str, str], now: datetime) -> SecretRow:
        self.sealed[name] = dict(fields)
        return SecretRow(name, version, "key", b"wrapped", b"sealed", now)

    def seal_text(self, name: str, text: str) -> bytes:
        return text[::-1].encode()

    def open_text(self, name: str, sealed: bytes) -> str:
        return sealed.decode()[::-1]


@dataclass
class Puppets:
    """A runner whose scripts do as told: `acts` maps a script's name to what it does."""

    acts: dict[str, Callable[[Work], Exit]] = field(default_factory=dict)
    started: list[Work] = field(default_factory=list)
    says: dict[str, bytes] = field(default_factory=dict)

    def expect(self, work: Work) -> None:
        pass

    def forget(self, run: str) -> None:
        pass

    async def run(self, work: Work, output: Callable[[bytes], None], stop: Stop) -> Exit:
        self.started.append(work)
        output(self.says.get(work.script.name, b""))
        if work.action.id == "hold":
            await stop.wait()
            return Exit(ExitReason.STOPPED)
        act = self.acts.get(work.script.name)
        await asyncio.sleep(0)
        return act(work) if act else Exit(ExitReason.EXITED, 0, "Done.", 0.1)


class Wall:
    """A chat that remembers what it was told."""

    pace = 0.0

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.down = False

    async def post(self, post: Post) -> None:
        if self.down:
            raise Unavailable("The chat can't be reached.")
        self.posts.append(post)

    def progress(self, place: Place, run: str, lines: str) -> None:
        pass


class Company:
    """Everything put together; `say`, `press` and `work` are what tests do."""

    def __init__(self) -> None:
        self.clock, self.people, self.rules, self.shelf = StillClock(), People(), Rules(), Shelf()
        self.safe, self.store, self.puppets, self.wall = Safe(), MemoryStore(), Puppets(), Wall()
        self._count = 0
        self.ports = Ports(
            clock=self.clock,
            directory=self.people,
            policy=self.rules,
            catalog=self.shelf,
            vault=self.safe,
            store=self.store,
            engine=EmbeddedEngine(),
            runners={"local": self.puppets},
            chats={"local": self.wall},
            running=RunningHere(),
            nonce=self._nonce,
        )
        self.desk = Desk(self.ports)

    def _nonce(self) -> str:
        self._count += 1
        return f"{self._count:08d}" + "X" * 18

    def delivery(self, id: str = "", content: str = "c") -> Delivery:
        return Delivery(id or f"d-{self._nonce()}", content)

    async def caller(self, name: str) -> Caller:
        return Caller(await self.people.live(Who("acme", name)), PLACE)

    async def say(self, name: str, text: str, delivery: Delivery | None = None) -> str:
        """Say a command; return the run that came of it."""
        reply = await self.desk.say(Account("local", name), PLACE, text, delivery or self.delivery())
        return reply.run

    async def press(self, name: str, button: Button) -> str:
        """Press a button; return the run that came of it."""
        account = Account("local", name)
        reply = await self.desk.press(account, PLACE, button.verb, button.subject, "", self.delivery())
        return reply.run

    async def card(self, name: str, text: str) -> Card:
        reply = await self.desk.say(Account("local", name), PLACE, text, self.delivery())
        assert reply.card, reply
        return reply.card

    async def work(self) -> None:
        """Execute everything that is queued now."""
        while queued := await self.store.runs(states=(State.QUEUED,)):
            await execute(self.ports, queued[-1].id, "worker-1")

    @asynccontextmanager
    async def at_work(self, concurrency: int = 1, grace: float = 10.0) -> AsyncIterator[None]:
        """Have workers wait for what is asked, and at the end see through what they began, for `grace` seconds."""
        worker = Worker(self.ports, "worker-1", concurrency)
        await worker.start()
        await asyncio.sleep(0.001)
        yield
        await worker.close(grace)

    async def run(self, run: str) -> Run:
        return await self.store.run(run)

    async def state(self, run: str) -> str:
        return (await self.run(run)).state.value

    async def tags(self, subject: str = "") -> list[str]:
        return [entry.tag for entry in await self.store.entries(subject=subject)]

    async def told(self, run: str) -> list[Post]:
        """Return what waits in the outbox about a run."""
        return [
            waiting.post
            for waiting in await self.store.outbox(self.clock.now())
            if waiting.post.key.startswith(run)
        ]
