"""From entries to a catalogue: what can only be judged by looking at all actions together."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from bot.catalog.entry import Entry
from bot.core.action import Action, Risk
from bot.core.catalog import Catalog
from bot.core.errors import Invalid


@dataclass(frozen=True)
class Assembled:
    """The catalogue and all faults; `entries` are those that stand for an id, by id."""

    catalog: Catalog
    faults: tuple[Invalid, ...]
    entries: Mapping[str, Entry]


def assemble(entries: Iterable[Entry], outside: Mapping[str, Invalid]) -> Assembled:
    """Put entries together, in order of their paths; `outside` are faults that belong to no entry, by name."""
    first, second = _by_id(entries)
    found = {id_: entry.faults for id_, entry in first.items() if entry.faults}
    actions = {id_: entry.action for id_, entry in first.items() if entry.action}
    # One that goes may be where another's choices come from, so it is asked until none goes.
    while bad := _all_strays(actions, first):
        found |= bad
        actions = {id_: action for id_, action in actions.items() if id_ not in bad}
    every = (*outside.values(), *chain.from_iterable(found.values()), *second.values())
    named = {id_: faults[0] for id_, faults in found.items()} | second | dict(outside)
    return Assembled(Catalog(actions, named), every, first)


def _by_id(entries: Iterable[Entry]) -> tuple[dict[str, Entry], dict[str, Invalid]]:
    """Return the first entry of every id, and a fault for each later one, under its path without the ending."""
    first: dict[str, Entry] = {}
    second: dict[str, Invalid] = {}
    for entry in entries:
        holder = first.setdefault(entry.id, entry)
        if holder is not entry:
            words = f"“{entry.id}” is the id of {holder.path} too, and that one keeps it; rename this file."
            second[entry.path.removesuffix(".toml")] = Invalid(words, f"{entry.path}:1")
    return first, second


def _all_strays(actions: Mapping[str, Action], entries: Mapping[str, Entry]) -> dict[str, tuple[Invalid, ...]]:
    found = {id_: tuple(_strays(action, entries[id_], actions)) for id_, action in actions.items()}
    return {id_: faults for id_, faults in found.items() if faults}


def _strays(action: Action, entry: Entry, actions: Mapping[str, Action]) -> Iterator[Invalid]:
    """Find the fields whose choices should come from an action that can't give them."""
    for parameter in action.parameters:
        if parameter.choices_from is None:
            continue
        source = actions.get(parameter.choices_from)
        if source is None or source.risk is not Risk.READ:
            what = "is no action that loads" if source is None else f"has the risk {source.risk.value}"
            yield Invalid(
                f"“choices_from” names “{parameter.choices_from}”, which {what}; name an action of risk read.",
                entry.where("parameters", parameter.name, "choices_from"),
            )
