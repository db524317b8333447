"""Actions, principals and questions for the policies' tests to vary, and folders of policies to break."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bot.core.action import Action, Risk, Script
from bot.core.catalog import Catalog
from bot.core.parameter import Kind, Parameter, Value
from bot.core.principal import Principal, PrincipalKind, Who
from bot.ports import About, Question

SHIPPED = Path(__file__).parents[3] / "policies"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PERMIT_ALL = '@id("all") permit (principal, action == Deputy::Action::"run", resource);'


def action(name: str, category: str = "accounts", risk: Risk = Risk.CHANGE, **more: object) -> Action:
    """Return an action that differs in what a test is about."""
    script = Script(f"{name}.py", b"")
    return Action(name, category, f"{category}/{name}.toml", name, name, risk, script, **more)  # type: ignore[arg-type]


def person(*roles: str, oid: str = "ann") -> Principal:
    """Return a person with these roles."""
    return Principal(Who("acme", oid, oid.title()), frozenset(roles))


def agent(*roles: str, oid: str = "bot-1") -> Principal:
    """Return an agent with these roles."""
    return Principal(Who("acme", oid), frozenset(roles), kind=PrincipalKind.AGENT)


def ask(
    principal: Principal, what: Action, arguments: Mapping[str, Value] | None = None, *, now: datetime = NOW
) -> Question:
    """Return a question asked in chat."""
    return Question(principal, what, arguments or {}, "chat", now)


def about(principal: Principal, door: str = "chat", *, now: datetime = NOW) -> About:
    """Return what a menu is about, in chat unless said otherwise."""
    return About(principal, door, now)


def folder(path: Path, *policies: str, **files: str) -> Path:
    """Write the shipped schema and roles beside the given policies (each a file), or `files` instead of them."""
    path.mkdir(exist_ok=True)
    for name in ("schema.cedarschema", "roles.toml"):
        (path / name).write_text((SHIPPED / name).read_text())
    for number, text in enumerate(policies):
        (path / f"{number}.cedar").write_text(text)
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(text)
    return path


def catalog() -> Catalog:
    """Return a catalogue of the actions that the shipped cases speak of."""
    account = (
        Parameter("account", Kind.STRING, "Account", required=True),
        Parameter("group", Kind.STRING, "Group"),
    )
    old = (Parameter("path", Kind.STRING, "Directory"), Parameter("days", Kind.INTEGER, "Days"))
    reads = {
        "accounts": ["show-account", "list-groups"],
        "operations": ["disk-usage", "top-processes", "tail-log"],
    }
    changes = {"accounts": ["unlock-account", "reset-password", "add-to-group"], "operations": ["restart-service"]}
    found = [action("clean-old-files", "operations", Risk.DESTRUCTIVE, parameters=old)]
    for risk, names in ((Risk.READ, reads), (Risk.CHANGE, changes)):
        for category, ids in names.items():
            parameters = account if category == "accounts" else ()
            found += [action(name, category, risk, parameters=parameters) for name in ids]
    return Catalog({one.id: one for one in found})
