"""`deputy policy`: test the policies by their cases, and explain a decision."""

import asyncio
from typing import Annotated

import typer

from bot.core.action import Action
from bot.core.errors import Invalid
from bot.core.parameter import Value, bind
from bot.settings import Settings, read

app = typer.Typer(no_args_is_help=True, help="Policies: test them by their cases, explain what they decide.")


@app.command("test")
def test_() -> None:
    """Ask every question of policies/cases.toml and compare the answers."""
    from bot.app import catalog_of
    from bot.policy.cases import FILE, run_cases
    from bot.policy.cases import read as read_cases
    from bot.policy.cedar import CedarPolicy

    settings = read()
    policy = CedarPolicy(settings.policies_dir)
    policy.version()
    results = run_cases(policy, catalog_of(settings).catalog(), read_cases(settings.policies_dir / FILE))
    for one in results:
        print(f"{'✔' if one.ok else '✖'} {one.name}{'' if one.ok else f' ({one.where}): {one.sentence}'}")
    failed = sum(not one.ok for one in results)
    print(f"{len(results) - failed} as expected, {failed} not.")
    raise typer.Exit(1 if failed else 0)


@app.command()
def explain(
    who: Annotated[str, typer.Option("--as", help="helpdesk, manager, oncall, engineer or nobody")],
    action: Annotated[str, typer.Argument(help="The action's id")],
    arguments: Annotated[list[str] | None, typer.Argument(help="name=value …")] = None,
) -> None:
    """Say what would be decided, by which policies, and who else could or who approves."""
    asyncio.run(_explain(read(), who, action, arguments or []))


async def _explain(settings: Settings, who: str, name: str, words: list[str]) -> None:
    from bot.app import SystemClock, catalog_of
    from bot.core.principal import Account
    from bot.identity.local import LocalDirectory
    from bot.policy.cedar import CedarPolicy
    from bot.policy.explain import explain as explained
    from bot.ports import Question

    policy = CedarPolicy(settings.policies_dir)
    policy.version()
    principal = await LocalDirectory(policy.roles).principal(Account("local", who))
    action = catalog_of(settings).action(name)
    question = Question(principal, action, _arguments(action, words), "cli", SystemClock().now())
    for line in explained(policy, question):
        print(line)


def _arguments(action: Action, words: list[str]) -> dict[str, Value]:
    """Bind what is given; what isn't is left out of the question."""
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise Invalid("Give arguments as name=value.", word)
        given[name] = value
    bound = bind(action.parameters, given)
    for fault in bound.faults:
        if fault.field in given:
            raise Invalid(fault.sentence, fault.field)
    return dict(bound.arguments)
