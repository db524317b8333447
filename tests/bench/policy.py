"""What a decision takes with many policies: `python -m tests.bench.policy` prints the figures.

200 policies speak of 50 roles, of arguments and of places in a directory 8 levels deep; 1,000 entities are asked
about in turn: 500 people with 20 roles each, 400 actions, and 100 places. The bare figure is Cedar's own answer to
one request, prepared beforehand: what is over it, is Deputy's.
"""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bot.core.action import Action, Risk
from bot.core.decision import Decision, Deny, NeedsApproval, Permit
from bot.core.parameter import Kind, Parameter
from bot.core.principal import Principal
from bot.policy.cedar import CedarPolicy
from bot.policy.facts import Matter
from bot.ports import About, Question
from tests.bench.figures import Figure, ms, table
from tests.unit.policy.samples import NOW, action, ask, person

POLICIES, ROLES, PEOPLE, ACTIONS, PLACES = 200, 50, 500, 400, 100
HERE = Path(__file__).parents[2] / "policies"


def main(rounds: int) -> None:
    """Print the figures."""
    with TemporaryDirectory() as folder:
        print(table(measure(write(Path(folder)), rounds)))


def measure(folder: Path, rounds: int) -> Iterator[Figure]:
    """Measure decisions by their outcome, all of them, and the menu."""
    policy, chance = CedarPolicy(folder), Random(1)
    questions = [ask(one, what, {"at": place}) for one, what, place in cast(chance, rounds)]
    bare = ms([seconds(partial(ask_cedar, policy, one))[0] for one in prepared(policy, questions[:200])])
    timed = [seconds(partial(policy.decide, question)) for question in questions]
    for kind in (Permit, NeedsApproval, Deny):
        found = [took for took, decision in timed if isinstance(decision, kind)]
        if found:
            yield Figure(f"a decision: {kind.__name__} ({len(found)} of {rounds})", ms(found), "ms", bare)
    yield Figure("a decision", ms([took for took, _ in timed]), "ms", bare, "1.0 ms")
    yield menu_figure(policy, questions, bare)


def menu_figure(policy: CedarPolicy, questions: list[Question], bare: float) -> Figure:
    """Measure the menu of all actions, for people who have looked at it before."""
    offered = actions()
    abouts = [About(question.principal, "chat", NOW) for question in questions[:20]]
    for about in abouts:
        policy.menu(about, offered)
    took = [seconds(partial(policy.menu, about, offered))[0] for about in abouts]
    return Figure(f"the menu of {ACTIONS} actions, warm", ms(took), "ms", bare, "20.0 ms")


def seconds(work: Callable[[], object]) -> tuple[float, object]:
    """Time something; return the seconds and what came of it."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def prepared(policy: CedarPolicy, questions: list[Question]) -> Iterator[object]:
    """Yield questions as Cedar takes them."""
    bench = policy.bench()
    for question in questions:
        matter = Matter(question, bench.book.calendar)
        yield matter.run(question.principal, 0), matter.entities([question.principal], bench.book.schema)


def ask_cedar(policy: CedarPolicy, prepared: object) -> Decision:
    """Have Cedar answer one request."""
    request, entities = prepared  # type: ignore[misc]
    policy.bench().ask([request], entities)
    return Permit()


def cast(chance: Random, rounds: int) -> Iterator[tuple[Principal, Action, str]]:
    """Yield who asks for what, and where."""
    names = [f"role-{number}" for number in range(ROLES)]
    people = [person(*chance.sample(names, 20), oid=f"person-{number}") for number in range(PEOPLE)]
    places = [place(number) for number in range(PLACES)]
    offered = actions()
    for _ in range(rounds):
        yield chance.choice(people), chance.choice(offered), f"CN=alice,{chance.choice(places)}"


def actions() -> list[Action]:
    """Return actions of 10 categories and 3 risks, each of which takes a place."""
    risks = (Risk.READ, Risk.CHANGE, Risk.DESTRUCTIVE)
    at = (Parameter("at", Kind.DN, "At"),)
    return [
        action(f"action-{number}", f"category-{number % 10}", risks[number % 3], parameters=at)
        for number in range(ACTIONS)
    ]


def place(number: int) -> str:
    """Return a place 8 levels deep."""
    return ",".join([f"OU=unit-{number}", *(f"OU=level-{level}" for level in range(5)), "DC=example", "DC=com"])


def write(folder: Path) -> Path:
    """Write 200 policies and 50 roles."""
    roles = [
        f'[role-{number}]\ntitle = "Role {number}"\ngroups = ["11111111-0000-4000-8000-{number:012d}"]\n'
        for number in range(ROLES)
    ]
    (folder / "roles.toml").write_text("".join(roles))
    (folder / "schema.cedarschema").write_text((HERE / "schema.cedarschema").read_text())
    (folder / "rules.cedar").write_text("".join(rule(number) for number in range(POLICIES)))
    return folder


def rule(number: int) -> str:
    """Return one policy; of ten, six permit runs, two approvals, and two forbid."""
    head = f'@id("rule-{number}") @reason("Rule {number} says so.")'
    role, kind = f'principal in Deputy::Role::"role-{number % ROLES}"', number % 10
    category = f'resource in Deputy::Category::"category-{number // 10 % 10}"'
    run, approve = 'action == Deputy::Action::"run"', 'action == Deputy::Action::"approve"'
    where = 'context.arguments.names.hasTag("at") && context.arguments.names.getTag("at")'
    if kind < 6:
        risk = ("read", "change", "destructive")[kind % 3]
        need = f" && context.approvals >= {kind % 3}" if kind % 3 else ""
        return f'{head} permit ({role}, {run}, {category}) when {{ resource.risk == "{risk}"{need} }};\n'
    if kind < 8:
        return f"{head} permit ({role}, {approve}, {category});\n"
    return f'{head} forbid (principal, {run}, {category}) when {{ {where} in Deputy::OU::"{place(number)}" }};\n'


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
