"""`deputy policy`: test the policies by their cases, explain a decision, say who may, replay what was decided."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import show
from bot.settings import read

app = typer.Typer(no_args_is_help=True, help="Policies: test, explain and compare them.")

At = Annotated[str, typer.Option("--at", help="When, like 2026-12-24T22:00+01:00; now unless given")]
Words = Annotated[list[str] | None, typer.Argument(help="name=value …")]
Id = Annotated[str, typer.Argument(help="The action's id")]


@app.command("test")
def test_() -> None:
    """Ask every question of policies/cases.toml, compare the answers, and name the rules that no case shows."""
    from bot.app import catalog_of
    from bot.cli.asking import opened
    from bot.policy.cases import FILE, run_cases
    from bot.policy.cases import read as read_cases
    from bot.policy.coverage import uncovered

    settings = read()
    bench, catalog = opened(settings.policies_dir).bench(), catalog_of(settings).catalog()
    cases = read_cases(settings.policies_dir / FILE)
    results = run_cases(bench, catalog, cases)
    for one in results:
        print(f"{'✔' if one.ok else '✖'} {one.name}{'' if one.ok else f' ({one.where}): {one.sentence}'}")
    failed = sum(not one.ok for one in results)
    print(f"{len(results) - failed} as expected, {failed} not.")
    if failed:
        raise typer.Exit(1)
    missing = uncovered(bench, catalog, cases)
    unshown = [f"✖ {rule.id} ({rule.where}): no case would fail if it {words}." for rule, words in missing]
    print("\n".join(unshown) or f"The cases show each of the {len(bench.book.rules)} rules both ways.")
    raise typer.Exit(1 if unshown else 0)


@app.command()
def explain(
    who: Annotated[str, typer.Option("--as", help="A role, several with commas between, or nobody")],
    action: Id,
    words: Words = None,
    at: At = "",
    door: Annotated[str, typer.Option(help="chat, cli, api, schedule or agent")] = "chat",
    agent: Annotated[bool, typer.Option("--agent", help="An agent asks")] = False,
    on_call: Annotated[bool, typer.Option("--on-call", help="Who asks is on call")] = False,
    incident: Annotated[str, typer.Option(help="What the open incident is called")] = "",
    break_glass: Annotated[bool, typer.Option("--break-glass", help="It is asked as an emergency")] = False,
) -> None:
    """Say what would be decided, by which policies, and who else could or who approves."""
    from bot.app import SystemClock, catalog_of
    from bot.cli.asking import arguments, holding, moment, opened
    from bot.policy.explain import explain as explained
    from bot.ports import Question, Situation

    settings = read()
    policy = opened(settings.policies_dir)
    asker = holding(policy, who, agent=agent)
    found = catalog_of(settings).action(action)
    situation = Situation(frozenset({asker.who.key} if on_call else ()), incident)
    now = moment(at, SystemClock().now())
    question = Question(asker, found, arguments(found, words or []), door, now, situation, break_glass)
    print("\n".join(explained(policy, question)))


@app.command()
def who(action: Id, words: Words = None, at: At = "") -> None:
    """Say role by role who may run an action, ask for it, approve it, or review an emergency with it."""
    from bot.app import SystemClock, catalog_of
    from bot.cli.asking import arguments, holding, moment, opened
    from bot.policy.who import rights
    from bot.ports import Question

    settings = read()
    policy = opened(settings.policies_dir)
    found = catalog_of(settings).action(action)
    now = moment(at, SystemClock().now())
    question = Question(holding(policy, "nobody"), found, arguments(found, words or []), "chat", now)
    rows = [tuple(vars(one).values()) for one in rights(policy.bench(), question)]
    heads = ("Role", "Runs it", "In an emergency", "Approves it", "Reviews emergencies")
    print("\n".join(show.aligned([heads, *rows], widest=80)))


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(help="The folder of policies to try")],
    days: Annotated[int, typer.Option(help="How far back", min=1, max=3650)] = 30,
) -> None:
    """Decide what was decided again by other policies. Exit code 0: all the same, 3: something would differ."""
    from bot.cli.replaying import replayed

    raise typer.Exit(asyncio.run(replayed(read(), folder, days)))
