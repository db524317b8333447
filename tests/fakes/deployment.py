"""Deputy as it is deployed: processes that come and go over one store that stays, for a company in memory."""

import asyncio
from asyncio import TimerHandle
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from bot.core.action import Script
from bot.core.card import Verb
from bot.core.decision import Decision, Deny, Permit
from bot.core.errors import Busy, DeputyError, Unavailable
from bot.core.principal import Account, Principal, Who
from bot.core.work import Exit, Work
from bot.engine.embedded import EmbeddedEngine
from bot.engine.running import RunningHere
from bot.ports import Delivery, Ports, Post, Question, Store
from bot.service.desk import Desk
from bot.service.execute import execute
from bot.service.postman import Postman
from bot.service.sweep import expire, recover, requeue
from tests.fakes.company import PLACE, Company, People, Rules, Safe, Wall, action
from tests.fakes.crashing_store import STEADY, CrashingStore, CrashNow, Fault, Keeping
from tests.fakes.expected_life import World
from tests.fakes.paused_scripts import PausedScripts

HOME = {"ann": "desk", "abe": "desk", "max": "boss", "mia": "boss", "zed": ""}  # the roles people begin with
TOKEN = "hunter2-and-more"
GIVEN: dict[str, dict[str, object]] = {
    "look": {},
    "tidy": {},
    "change": {"account": "alice"},
    "wipe": {"account": "alice"},
    "secretive": {"token": TOKEN},
}
# What each version of the policies needs for an action; one that isn't named is not allowed.
NEEDS = {
    "1": {"look": 0, "tidy": 0, "change": 1, "wipe": 2, "secretive": 0},
    "2": {"tidy": 1, "change": 2, "wipe": 1, "secretive": 1},
}


class HastyLoop(asyncio.SelectorEventLoop):
    """A loop in which every pause is over at once."""

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any, **more: Any) -> TimerHandle:
        return super().call_later(0, callback, *args, **more)


class TwoAccounts(People):
    """Everybody has a second account, on another platform, that spells the same identity differently."""

    async def principal(self, account: Account) -> Principal:
        if account.platform == "local":
            return await self.live(Who("acme", account.id))
        return await self.live(Who("ACME", account.id.upper(), f"{account.id} on the phone"))

    async def live(self, who: Who) -> Principal:
        known = await super().live(Who("acme", who.oid.lower()))
        return replace(known, who=who)


class LaxRules(Rules):
    """Policies that leave it to Deputy to refuse that people approve what they asked for themselves."""

    def may_approve(self, approver: Principal, question: Question) -> Decision:
        return Permit() if "boss" in approver.roles else Deny()


class StiffSafe(Safe):
    """A vault that takes credentials back, but can't say so while it is `stiff`."""

    stiff = False

    async def revoke(self, reference: str, run: str) -> None:
        await super().revoke(reference, run)
        if self.stiff:
            raise Unavailable("The vault can't be reached.")


class BrokenLine(Wall):
    """A chat where the next posts fail as `fails` says."""

    fails: Sequence[bool] = ()

    async def post(self, post: Post) -> None:
        self.down, self.fails = any(self.fails[:1]), self.fails[1:]
        await super().post(post)


class HearingEngine(EmbeddedEngine):
    """Remembers of which runs it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: set[str] = set()

    async def enqueue(self, run: str) -> None:
        self.heard.add(run)


@dataclass(frozen=True)
class Operation:
    """What a person does (`ask approve deny cancel rerun`) or a worker (`claim expire deliver`).

    `subject` is a run, or the action asked for.
    """

    verb: str
    person: str = ""
    subject: str = ""
    platform: str = "local"
    delivery: Delivery = field(default=Delivery("", ""))


@dataclass(frozen=True)
class Played:
    """What came of operations done at once: their answers, whether the fault struck and killed the process."""

    answers: Sequence[str | BaseException]
    struck: bool = False
    crashed: bool = False


class Deployment:
    """A company's Deputy. Whatever a process holds is gone with it; the rest are attributes."""

    def __init__(self, keeping: Keeping) -> None:
        company = Company()
        self.clock, self.shelf = company.clock, company.shelf
        self.people, self.rules, self.safe, self.wall = TwoAccounts(), LaxRules(), StiffSafe(), BrokenLine()
        self.shelf.actions["tidy"] = action("tidy", parameters=(), idempotent=True)
        for name in ("change", "wipe"):
            self.shelf.actions[name] = replace(self.shelf.actions[name], locks=("account:{account}",))
        self.rules.needs = NEEDS["1"]
        self.started: list[Work] = []
        self._nonce, self._keeping, self._outside = company.ports.nonce, keeping, company.ports

    def delivery(self, content: str) -> Delivery:
        return Delivery(self._nonce(), content)

    def world(self) -> World:
        """Return this moment as the model of a run's life sees it."""
        sealed = {
            name: (
                one.script.content,
                one.definition,
                self.shelf.running_with,
                self.rules.text,
                *(self.safe.versions[reference] for reference in one.credentials.values()),
            )
            for name, one in self.shelf.actions.items()
        }
        roles = {name: frozenset(roles) for name, roles in self.people.roles.items()}
        return World(self.clock.now(), roles, self.rules.needs, sealed)

    def pass_time(self, hours: float) -> None:
        """Set the clock on, or back."""
        self.clock.pass_(hours * 3600)

    def move(self, person: str, roles: str) -> None:
        """Give somebody other roles, those they began with (`home`), or let them leave (`gone`)."""
        self.people.roles.pop(person, None)
        if roles != "gone":
            self.people.roles[person] = set((HOME[person] if roles == "home" else roles).split())

    def edit(self, what: str, name: str, version: int) -> None:
        """Change what lies under an action's seal: there are two versions of everything."""
        one = self.shelf.actions[name]
        if what == "script":
            one = replace(one, script=Script(one.script.name, f"# {name} {version}".encode()))
        elif what == "description":
            one = replace(one, definition=str(version))
        elif what == "interpreter":
            self.shelf.running_with = f"python {version}"
        elif what == "credential":
            self.safe.versions["vault:directory"] = version
        else:
            self.rules.text, self.rules.needs = str(version), NEEDS[str(version)]
        self.shelf.actions[name] = one

    # ---- processes -------------------------------------------------------------------------------

    async def start(self, fault: Fault = STEADY) -> None:
        """Start as a process does; one that fails at it is started once more."""
        self.store, self.stage = CrashingStore(await self._keeping.open()), PausedScripts(self.started)
        self.engine, self._executions = HearingEngine(), dict[asyncio.Task[str], str]()
        self.ports: Ports = replace(
            self._outside,
            directory=self.people,
            policy=self.rules,
            vault=self.safe,
            store=cast("Store", self.store),
            engine=self.engine,
            runners={"local": self.stage},
            chats={"local": self.wall},
            running=RunningHere(),
        )
        self.store.brace(fault)
        try:
            await recover(self.ports)
            await requeue(self.ports)
        except (CrashNow, Unavailable):
            await self.die()
            await self.start()
        self.store.brace(STEADY)

    async def die(self) -> None:
        """End as a process does that is killed: nothing of it writes any more."""
        self.store.dead = True
        for execution in self._executions:
            execution.cancel()
        await asyncio.gather(*self._executions, return_exceptions=True)
        await self._keeping.close()

    # ---- what is done in them --------------------------------------------------------------------

    async def perform(
        self, *operations: Operation, fault: Fault = STEADY, meanwhile: Callable[[], None] | None = None
    ) -> Played:
        """Do operations at once, until each is done or its script waits; after a crash, start again."""
        self.store.brace(fault, meanwhile)
        doing = [asyncio.create_task(self._do(operation)) for operation in operations]
        told = zip(doing, operations, strict=True)
        self._executions |= {execution: one.subject for execution, one in told if one.verb == "claim"}
        return await self._played(doing)

    async def end(self, run: str, how: Exit, fault: Fault = STEADY) -> Played:
        """Let a run's script end and the run be ended."""
        self.store.brace(fault)
        self.stage.end(run, how)
        return await self._played([])

    async def _do(self, operation: Operation) -> str:
        verb, subject, delivery = operation.verb, operation.subject, operation.delivery
        account, desk = Account(operation.platform, operation.person), Desk(self.ports)
        if verb == "claim":
            await execute(self.ports, subject, "worker")
        elif verb == "expire":
            await expire(self.ports)
        elif verb == "deliver":
            await Postman(self.ports).deliver()
        elif verb == "ask":
            return (await desk.fill(account, PLACE, subject, GIVEN[subject], "", delivery)).run
        else:
            words = "not now" if verb == "deny" else ""
            return (await desk.press(account, PLACE, Verb(verb), subject, words, delivery)).run
        return ""

    async def _played(self, doing: Sequence[asyncio.Task[str]]) -> Played:
        while busy := self._busy(doing):
            await asyncio.wait({*busy, self.stage.begun}, return_when=asyncio.FIRST_COMPLETED)
        played = Played([_answer(one) for one in doing], self.store.struck, self.store.dead)
        for ended in [one for one in self._executions if one.done()]:
            error = _answer(ended)
            assert not error or played.struck or isinstance(error, Busy), f"an execution failed: {error!r}"
            del self._executions[ended]
        self.store.brace(STEADY)
        if played.crashed:
            await self.die()
            await self.start()
        return played

    def _busy(self, doing: Sequence[asyncio.Task[str]]) -> set[asyncio.Task[str]]:
        """Return what is still under way: an execution is where its script doesn't wait."""
        undone = {one: run for one, run in self._executions.items() if not one.done()}
        still = Counter(undone.values()) - Counter(self.stage.waiting())
        busy = {one for one in doing if not one.done() and one not in undone}
        return busy | {one for one, run in undone.items() if run in still}


def _answer(doing: asyncio.Task[str]) -> str | BaseException:
    """Return what came of it: empty where it goes on. Raises what Deputy should never raise."""
    error = doing.exception() if doing.done() else None
    if error and not isinstance(error, DeputyError | CrashNow):
        raise error
    return error or (doing.result() if doing.done() else "")
