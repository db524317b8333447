"""The whole lifecycle, driven at random over every store: whatever is done, and whatever fails meanwhile,
each run lives as the model says, every step of it stands in the log, and the channel tells how it stands.

`DEEP=1` looks for much longer.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as drive

from bot.core.audit import GENESIS, Entry, verify
from bot.core.errors import Conflict, Damaged, Unavailable
from bot.core.work import Exit, ExitReason
from bot.ports import Delivery, Post
from bot.service.rerun import DOUBLE_CLICK
from tests.fakes import expected_life as model
from tests.fakes.crashing_store import STEADY, Fault, InMemory, InPostgres, InSqlite, Keeping, Kind
from tests.fakes.deployment import GIVEN, HOME, TOKEN, Deployment, HastyLoop, Operation, Played
from tests.fakes.expected_life import AWAITING, INTERRUPTED, QUEUED, RUNNING, Life, World
from tests.fakes.paused_scripts import FOR_ONE_ONLY

T = TypeVar("T")

DEEP = bool(os.environ.get("DEEP"))
STORES: Mapping[str, tuple[Callable[..., Keeping], int, int]] = {
    "memory": (InMemory, 150, 50),
    "sqlite": (InSqlite, 12, 40),
    "postgresql": (InPostgres, 12, 40),
}
SECRETS = (TOKEN, "correct-horse", FOR_ONE_ONLY)
EVERYTHING = 100_000

EXITS = {
    "succeeded": Exit(ExitReason.EXITED, 0),
    "failed": Exit(ExitReason.EXITED, 1),
    "timed_out": Exit(ExitReason.TIMED_OUT),
    INTERRUPTED: Exit(ExitReason.STOPPED),
}
ENDED_BY = {"deny": ("denied",), "cancel": ("withdrawn", "cancelled")}
FORGED = "another content under the same id"
AT_ONCE = ("approve", "deny", "cancel", "claim", "expire")

people = st.sampled_from(list(HOME))
askers = st.sampled_from(("ann", "abe") * 4 + ("max", "zed"))
approvers = st.sampled_from(("max", "mia") * 4 + ("ann", "zed"))
platforms = st.sampled_from(("local", "slack"))
actions = st.sampled_from(list(GIVEN))
which = st.integers(0, 3)  # of the runs in question, counted from the newest
copies = st.sampled_from((1, 1, 1, 2))
faults = st.sampled_from(
    [STEADY] * 20
    + [Fault(kind, at) for kind in (Kind.CRASH_BEFORE, Kind.CRASH_AFTER) for at in (1, 2)]
    + [Fault(Kind.DOWN, at) for at in (1, 2, 3, 4)]
)
times = st.tuples(st.just("pass_time"), st.sampled_from((0.02, 1, 7, 8, 9, -1, -9)))
moves = st.tuples(
    st.just("move"), people, st.sampled_from(("home", "home", "home", "desk boss", "desk boss", "", "gone"))
)
things = st.sampled_from(("script", "description", "interpreter", "credential", "policy"))
edits = st.tuples(st.just("edit"), things, actions, st.sampled_from((1, 2)))


class Lifecycle(RuleBasedStateMachine):
    """`lives` is what the model knows of each run, read from the log entry by entry."""

    def __init__(self, keeping: Keeping) -> None:
        super().__init__()
        self.loop = asyncio.Runner(loop_factory=HastyLoop)
        self.keeping, self.deputy = keeping, Deployment(keeping)
        self.lives: dict[str, Life] = {}
        self.head = (0, GENESIS)
        self.starts: Counter[str] = Counter()
        self.sent: list[Operation] = []
        self.run(self.deputy.start())

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(what)

    # ---- what is done ----------------------------------------------------------------------------

    @initialize(asked=st.lists(st.tuples(askers, actions), min_size=1, max_size=4))
    def begin(self, asked: list[tuple[str, str]]) -> None:
        for person, action in asked:
            self.say("ask", person, action)

    @rule(person=askers, platform=platforms, action=actions, copies=copies, fault=faults)
    def ask(self, person: str, platform: str, action: str, copies: int, fault: Fault) -> None:
        self.say("ask", person, action, platform, copies, fault)

    @rule(verb=st.sampled_from(("approve", "deny", "cancel", "rerun")), person=people, which=which, fault=faults)
    def press(self, verb: str, person: str, which: int, fault: Fault) -> None:
        self.say(verb, person, self.pick(which), fault=fault)

    @rule(
        which=which,
        person=approvers,
        platform=platforms,
        copies=copies,
        edited=st.sampled_from((0, 0, 1, 2)),
        how=st.sampled_from(list(EXITS)),
        fault=faults,
    )
    def go_on(
        self, which: int, person: str, platform: str, copies: int, edited: int, how: str, fault: Fault
    ) -> None:
        """Bring a run one step nearer to its end, whatever that is: one rule, so that many get there."""
        run = self.pick(which, AWAITING, QUEUED, RUNNING)
        state = self.lives[run].state
        if state == QUEUED:
            self.claim(run, copies, edited, fault)
        elif state == RUNNING:
            self.end_script(run, how, bool(edited), fault)
        else:
            self.say("approve" if state == AWAITING else "rerun", person, run, platform, copies, fault)

    @rule(which=which, forged=st.sampled_from((False, False, True)), copies=copies, fault=faults)
    def deliver_again(self, which: int, forged: bool, copies: int, fault: Fault) -> None:
        again = self.sent[-1 - which % len(self.sent)]
        if forged:
            again = replace(again, delivery=Delivery(again.delivery.id, "forged"))
        self.hand_in(again, copies, fault)

    @rule(which=which, doing=st.lists(st.tuples(st.sampled_from(AT_ONCE), people), min_size=2, max_size=5))
    def do_at_once(self, which: int, doing: list[tuple[str, str]]) -> None:
        run = self.pick(which, AWAITING, QUEUED, RUNNING)
        before = self.lives[run]
        operations = [self.operation(verb, person, run) for verb, person in doing]
        swept = any(operation.verb == "expire" for operation in operations)
        played = self.play(*operations, foretold=self.expired() if swept else {}, open_to={run})
        for operation, answer in zip(operations, played.answers, strict=True):
            if isinstance(answer, str) and operation.verb in ("approve", *ENDED_BY):
                assert counted(operation, before, self.lives[run])

    @rule(late=st.booleans(), fails=st.lists(st.booleans(), max_size=4), fault=faults)
    def look_after(self, late: bool, fails: list[bool], fault: Fault) -> None:
        """Expire what is late, or deliver what waits, to a chat where some posts fail."""
        self.deputy.wall.fails = fails
        foretold = self.expired() if late else {}
        self.play(Operation("expire" if late else "deliver"), fault=fault, foretold=foretold)

    @rule(fault=faults)
    def crash(self, fault: Fault) -> None:
        self.follow(self.crashed(fault))

    @rule(change=st.one_of(times, moves, edits))
    def change(self, change: tuple[str, ...]) -> None:
        """Let the world change: the clock, what somebody may do, what would run."""
        name, *given = change
        getattr(self.deputy, name)(*given)

    def claim(self, run: str, workers: int, edited: int, fault: Fault) -> None:
        """Let workers take a run; the script may be edited right after the start was written."""
        life = self.lives[run]
        held = life.locks and any(one.locks and one.state == RUNNING for one in self.lives.values())
        foretold = [model.claimed(life, self.deputy.world(), held=held), life]
        if fault.kind is Kind.DOWN:
            foretold.append(replace(life, state="failed"))
        edit = partial(self.deputy.edit, "script", life.action, edited) if edited else None
        claims = [Operation("claim", subject=run)] * workers
        self.play(*claims, fault=fault, foretold={run: foretold}, meanwhile=edit)

    def end_script(self, run: str, how: str, stiff: bool, fault: Fault) -> None:
        """Let a script end; a database that is down is waited for, and a vault can't hide how it ended."""
        life = self.lives[run]
        foretold = [model.ended(life, how)] + ([] if fault.kind is Kind.DOWN else [life])
        self.deputy.safe.stiff = stiff
        self.follow(self.deputy.end(run, EXITS[how], fault), foretold={run: foretold})
        self.deputy.safe.stiff = False

    async def crashed(self, fault: Fault) -> Played:
        await self.deputy.die()
        await self.deputy.start(fault)
        return Played((), struck=True, crashed=True)

    # ---- what must hold --------------------------------------------------------------------------

    @invariant()
    def the_store_has_every_run_as_the_log_tells_it(self) -> None:
        stored = self.run(self.deputy.store.steady.runs(limit=EVERYTHING))
        assert {run.id: run.state.value for run in stored} == {run: life.state for run, life in self.lives.items()}

    @invariant()
    def X13_X15_a_script_was_started_once_and_as_it_was_sealed(self) -> None:
        started = Counter(work.run for work in self.deputy.started)
        for work in self.deputy.started:
            life = self.lives[work.run]
            assert work.script.content == life.sealed[0]
            assert started[work.run] <= self.starts[work.run] <= (EVERYTHING if life.idempotent else 1)

    @invariant()
    def what_runs_is_running(self) -> None:
        running = [run for run, life in self.lives.items() if life.state == RUNNING]
        assert sorted(self.deputy.stage.waiting()) == sorted(running)
        changing = [run for run in running if self.lives[run].action == "change"]
        assert self.deputy.safe.leased["vault:directory"] == len(changing)
        assert sum(self.lives[run].locks for run in running) <= 1

    @invariant()
    def what_is_queued_was_told_to_the_workers(self) -> None:
        queued = {run for run, life in self.lives.items() if life.state == QUEUED}
        assert queued <= self.deputy.engine.heard

    @invariant()
    def the_channel_is_told_or_will_be(self) -> None:
        far = self.deputy.clock.now() + timedelta(days=30)
        waiting = self.run(self.deputy.store.steady.outbox(far, EVERYTHING))
        newest = {post.key: post for post in [*self.deputy.wall.posts, *(one.post for one in waiting)]}
        for run, life in self.lives.items():
            assert newest[run].card.state == life.state
            assert (f"{run}:interrupted" in newest) == (life.state == INTERRUPTED)
        self.check_private(newest)

    @invariant()
    def no_newer_card_was_replaced_by_an_older_one(self) -> None:
        shown: dict[str, str] = {}
        for post in self.deputy.wall.posts:
            assert post.card.audit >= shown.get(post.key, "")
            shown[post.key] = post.card.audit

    def teardown(self) -> None:
        try:
            self.check_all_is_told()
            self.run(self.deputy.die())
            raw = self.keeping.raw()
            assert [secret for secret in SECRETS if secret.encode() in raw] == []
        finally:
            self.loop.close()
            self.keeping.drop()

    # ---- how it is checked -----------------------------------------------------------------------

    def pick(self, which: int, *states: str) -> str:
        """Choose a run in one of these states; any run, where there is none."""
        runs = [run for run, life in self.lives.items() if life.state in states] or list(self.lives)
        return runs[-1 - which % len(runs)]

    def operation(self, verb: str, person: str, subject: str, platform: str = "local") -> Operation:
        delivery = self.deputy.delivery(f"{verb} {subject} by {person}")
        return Operation(verb, person, subject, platform, delivery)

    def say(
        self,
        verb: str,
        person: str,
        subject: str,
        platform: str = "local",
        copies: int = 1,
        fault: Fault = STEADY,
    ) -> None:
        if verb == "rerun":  # two clicks in a moment are one, and meant as such
            self.deputy.clock.pass_(DOUBLE_CLICK.total_seconds())
        self.sent.append(self.operation(verb, person, subject, platform))
        self.hand_in(self.sent[-1], copies, fault)

    def hand_in(self, operation: Operation, copies: int, fault: Fault) -> None:
        """Do what a person does, delivered as often as the platform likes, and see that it counts once."""
        before = dict(self.lives)
        earlier = self.run(self.earlier(operation.delivery))
        outside = operation.person not in self.deputy.people.roles
        foretold, born = ({}, None) if outside or earlier is not None else self.foretell(operation)
        played = self.play(*[operation] * copies, fault=fault, foretold=foretold, born=born)
        done = {answer for answer in played.answers if isinstance(answer, str)}
        if played.struck or outside:
            assert done - {""} <= self.lives.keys()
        elif earlier is not None:
            refused = earlier == FORGED or (operation.verb == "rerun" and not done)
            assert done == (set() if refused else {earlier})
        elif operation.verb in ("ask", "rerun"):
            assert done - {""} == self.lives.keys() - before.keys()
        else:
            assert bool(done) == counted(operation, before[operation.subject], self.lives[operation.subject])

    async def earlier(self, delivery: Delivery) -> str | None:
        try:
            return await self.deputy.store.steady.delivered_before(delivery)
        except Conflict:
            return FORGED

    def foretell(self, operation: Operation) -> tuple[Mapping[str, list[Life]], Life | None]:
        """Say what one operation makes of the runs there are, and which new one comes of it."""
        world, person, subject = self.deputy.world(), operation.person, operation.subject
        if operation.verb == "ask":
            return {}, model.begun(person, subject, world)
        life = self.lives[subject]
        if operation.verb == "rerun":
            again = life.ended and model.may_see(life, person, world) and life.action != "secretive"
            return {}, model.begun(person, life.action, world) if again else None
        if operation.verb == "cancel":
            return {subject: [model.cancelled(life, person, world), life]}, None
        return {subject: [model.voted(life, person, operation.verb == "approve", world), life]}, None

    def expired(self) -> dict[str, list[Life]]:
        """What a sweep makes of each run: it looks at all of them, not only at the one in hand."""
        world = self.deputy.world()
        return {run: [model.expired(life, world), life] for run, life in self.lives.items()}

    def play(
        self,
        *operations: Operation,
        fault: Fault = STEADY,
        meanwhile: Callable[[], None] | None = None,
        **more: Any,
    ) -> Played:
        return self.follow(self.deputy.perform(*operations, fault=fault, meanwhile=meanwhile), **more)

    def follow(
        self,
        doing: Coroutine[Any, Any, Played],
        foretold: Mapping[str, list[Life]] = MappingProxyType({}),
        born: Life | None = None,
        open_to: Collection[str] = (),
    ) -> Played:
        """See what comes of it: for each run the first life foretold, or any of them where a fault struck."""
        before, world = dict(self.lives), self.deputy.world()
        played = self.run(doing)
        self.read_log(world, played.crashed)
        for run, life in before.items():
            allowed = foretold.get(run, [life])[: None if played.struck else 1]
            allowed = [model.recovered(one) for one in allowed] if played.crashed else allowed
            assert run in open_to or self.lives[run] in allowed
        new = [life for run, life in self.lives.items() if run not in before]
        assert new == ([born] if born else []) or (played.struck and not new)
        assert played.struck or not [one for one in played.answers if isinstance(one, Unavailable | Damaged)]
        return played

    def read_log(self, world: World, crashed: bool) -> None:
        """Follow each new entry: the chain holds, and the model allows what it tells."""
        sequence = self.head[0]
        entries = self.run(self.deputy.store.steady.entries(after=sequence, limit=EVERYTHING))
        verdict = verify(entries, since=self.head)
        assert not verdict.fault
        self.head = (sequence + len(entries), verdict.head)
        assert self.run(self.deputy.store.steady.head()) == self.head
        for entry in entries:
            self.read_entry(entry, world, crashed)

    def read_entry(self, entry: Entry, world: World, crashed: bool) -> None:
        run, person, life = entry.subject, entry.actor.lower(), self.lives.get(entry.subject)
        if life and entry.tag in ("request:approval:refused", "access:refused"):
            assert not may(entry.tag, life, person, world)
            return
        after = model.told(life, entry.tag, person, world) if life else self.first(entry, world)
        assert after != life, f"{entry.tag} can't happen to {life}"
        assert after.state == entry.facts["state"]
        assert crashed or entry.tag != "run:requeued"
        self.starts[run] += entry.tag == "run:started"
        self.lives[run] = after

    def first(self, entry: Entry, world: World) -> Life:
        return model.begun(entry.actor.lower(), str(entry.facts["action"]), world)

    def check_private(self, newest: Mapping[str, Post]) -> None:
        """See that the result of a private action, and of no other, is told to its requester alone."""
        for run, life in self.lives.items():
            private = life.action == "secretive" and self.run(self.deputy.store.steady.output(run))
            told = newest.get(f"{run}:result")
            assert (told.only if told else "") == (f"acme/{life.requester}" if private else "")

    def check_all_is_told(self) -> None:
        """Chat and database work for long enough: nothing waits any more, and the wall tells it all."""
        far = self.deputy.clock.now() + timedelta(days=30)
        for _ in range(20):
            self.deputy.pass_time(24)
            self.look_after(False, [], STEADY)
            if not self.run(self.deputy.store.steady.outbox(far)):
                break
        assert not self.run(self.deputy.store.steady.outbox(far))
        self.the_channel_is_told_or_will_be()


def may(tag: str, life: Life, person: str, world: World) -> bool:
    """Say whether somebody may do what an audit entry says was refused: an approval counts for what may run."""
    if tag == "request:approval:refused":
        return model.may_decide(life, person, world) and model.may_run(life, world)
    return model.may_cancel(life, person, world)


def counted(operation: Operation, before: Life, after: Life) -> bool:
    """Say whether a vote or a cancelling came to something."""
    if operation.verb == "approve":
        return operation.person in after.approvers - before.approvers
    return before != after and after.state in ENDED_BY[operation.verb]


@pytest.mark.timeout(0 if DEEP else 600)
@pytest.mark.parametrize("store", STORES)
def test_P5_X14_whatever_fails_every_run_lives_as_the_log_and_the_channel_tell(
    store: str, request: pytest.FixtureRequest
) -> None:
    keeping, examples, steps = STORES[store]
    if keeping is InPostgres:
        keeping = partial(InPostgres, request.getfixturevalue("cluster"), request.getfixturevalue("template"))
    drive(
        cast("type[Lifecycle]", lambda: Lifecycle(keeping())),
        settings=settings(
            max_examples=examples * (30 if DEEP else 1),
            stateful_step_count=steps * (2 if DEEP else 1),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
