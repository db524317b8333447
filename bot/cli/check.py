"""`deputy check`: are actions, policies, cases and settings consistent?"""

from pathlib import Path

import typer

from bot.core.errors import DeputyError
from bot.settings import Settings, read


def check() -> None:
    """Prove actions, policies, cases and settings consistent; every fault is named with file, line and field."""
    settings = read()
    faults = [*_catalog_faults(settings), *_policy_faults(settings)]
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} fault{'s' * (len(faults) > 1)} to mend.")
        raise typer.Exit(1)
    print(_summary(settings))


def _catalog_faults(settings: Settings) -> list[str]:
    from bot.app import catalog_of

    folder = catalog_of(settings)
    faults = [_placed(settings.actions_dir, fault) for fault in folder.faults()]
    for action in folder.catalog():
        try:
            folder.interpreter(action)
        except DeputyError as error:
            faults.append(f"{settings.actions_dir}/{action.path}: {error}")
    return faults


def _policy_faults(settings: Settings) -> list[str]:
    from bot.app import catalog_of
    from bot.policy.cases import FILE, run_cases
    from bot.policy.cases import read as read_cases
    from bot.policy.cedar import CedarPolicy

    policy = CedarPolicy(settings.policies_dir)
    try:
        policy.version()
        results = run_cases(policy, catalog_of(settings).catalog(), read_cases(settings.policies_dir / FILE))
    except DeputyError as error:
        return [_placed(settings.policies_dir, error)]
    return [f"{settings.policies_dir}/{one.where}: {one.name}: {one.sentence}" for one in results if not one.ok]


def _placed(folder: Path, fault: DeputyError) -> str:
    """Put the folder before a fault that names a file in it; one of the whole folder names it already."""
    return str(fault) if str(fault).startswith(str(folder)) else f"{folder}/{fault}"


def _summary(settings: Settings) -> str:
    from bot.app import catalog_of
    from bot.policy.cases import FILE
    from bot.policy.cases import read as read_cases

    actions = len(catalog_of(settings).catalog())
    cases = len(read_cases(settings.policies_dir / FILE))
    return f"All is consistent: {actions} actions, the policies, and {cases} cases that come out as expected."
