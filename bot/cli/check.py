"""`deputy check`: are actions, policies, cases and settings consistent?"""

from pathlib import Path

import typer

from bot.core.errors import DeputyError, Invalid, noted
from bot.settings import Settings, right


def check() -> None:
    """Prove actions, policies, cases and settings consistent; every fault is named with file, line and field."""
    wrong: list[Invalid] = []
    settings = right(wrong)
    found = [*map(str, wrong), *faults(settings), *people_faults(settings)]
    for fault in found:
        print(fault)
    if found:
        print(f"{len(found)} fault{'s' * (len(found) > 1)} to mend.")
        raise typer.Exit(1)
    print(summary(settings))


def faults(settings: Settings) -> list[str]:
    """Return a sentence for every fault of actions, policies and cases, with its file, line and field."""
    return [*_catalog_faults(settings), *_policy_faults(settings)]


def people_faults(settings: Settings) -> list[str]:
    """Return a sentence for every fault of the file of people, where there is one."""
    from bot.identity.linkfile import LinkFile

    if not settings.links_file:
        return []
    path = Path(settings.links_file)
    try:
        LinkFile(path, frozenset).links()
    except DeputyError as error:
        return [_placed(path.parent, fault) for fault in (error, *getattr(error, "others", ()))]
    return []


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
    from bot.chat.slack.routes import read_routes, unknown
    from bot.oncall import schedule
    from bot.policy.cases import FILE, run_cases
    from bot.policy.cases import read as read_cases
    from bot.policy.cedar import CedarPolicy
    from bot.policy.coverage import uncovered
    from bot.policy.strangers import strangers

    catalog = catalog_of(settings).catalog()
    broken: list[Invalid] = []
    with noted(broken):
        schedule.read(settings.policies_dir / schedule.FILE)
    with noted(broken):
        routes = read_routes(settings.policies_dir)
    with noted(broken):
        bench = CedarPolicy(settings.policies_dir).bench()
    with noted(broken):
        cases = read_cases(settings.policies_dir / FILE)
    if broken:
        return [_placed(settings.policies_dir, fault) for fault in broken]
    results = run_cases(bench, catalog, cases)
    wrong = [f"{one.where}: {one.name}: {one.sentence}" for one in results if not one.ok]
    wrong += [str(fault) for fault in strangers(bench.book, catalog)]
    titles = [role.title for role in bench.book.roles.values()]
    wrong += [str(fault) for fault in unknown(settings.policies_dir, routes, catalog.actions, titles)]
    if not wrong:
        missing = uncovered(bench, catalog, cases)
        wrong = [f"{rule.where}: no case of {FILE} would fail if “{rule.id}” {words}." for rule, words in missing]
    return [f"{settings.policies_dir}/{one}" for one in wrong]


def _placed(folder: Path, fault: DeputyError) -> str:
    """Put the folder before a fault that names a file in it; one of the whole folder names it already."""
    return str(fault) if str(fault).startswith(str(folder)) else f"{folder}/{fault}"


def summary(settings: Settings) -> str:
    """Say how much there is, where there are no faults."""
    from bot.app import catalog_of
    from bot.policy.cases import FILE
    from bot.policy.cases import read as read_cases

    actions = len(catalog_of(settings).catalog())
    cases = len(read_cases(settings.policies_dir / FILE))
    many = "1 action" if actions == 1 else f"{actions} actions"
    return f"All is consistent: {many}, the policies, and {cases} cases that come out as expected."
