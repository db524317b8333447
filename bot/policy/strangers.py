"""What policies speak of and the catalogue doesn't have: a rule about it never holds, or never again."""

from collections.abc import Iterator

from bot.core.catalog import Catalog
from bot.core.errors import Invalid
from bot.policy.rules import Rulebook
from bot.policy.tree import literals

SCRIPT, CATEGORY = "Deputy::Script", "Deputy::Category"


def strangers(book: Rulebook, catalog: Catalog) -> Iterator[Invalid]:
    """Yield a fault, with file and line, for every action and category in a policy that nobody knows."""
    actions = {*catalog.actions, *catalog.faults}
    categories = {action.category for action in catalog}
    for rule in book.rules.values():
        for kind, name in dict.fromkeys(literals(rule.tree)):
            if kind == SCRIPT and name not in actions:
                yield Invalid(f"“{rule.id}” speaks of the action “{name}”, which there is not.", rule.where)
            if kind == CATEGORY and name not in categories and not catalog.faults:
                yield Invalid(f"“{rule.id}” speaks of the category “{name}”, which has no action.", rule.where)
