"""The catalogue: every action that loaded, and the fault of every one that didn't."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from bot.core.action import Action
from bot.core.errors import Invalid


@dataclass(frozen=True)
class Catalog:
    """Actions by id. `faults` maps the id of a broken action to what is wrong and where."""

    actions: Mapping[str, Action]
    faults: Mapping[str, Invalid] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Action]:
        return iter(self.actions.values())

    def __len__(self) -> int:
        return len(self.actions)

    def get(self, name: str) -> Action | None:
        """Find an action as people type it: case, `_` and `-` make no difference."""
        return self.actions.get(plain(name))

    def similar(self, name: str, among: list[str]) -> list[str]:
        """Return up to three ids out of `among` that somebody may have meant by `name`.

        First come those that begin with it, then those of which it is nearly a word, then those it is nearly.
        """
        wanted = plain(name)
        if len(wanted) > LONGEST_NAME:
            return []
        begin = [one for one in among if one.startswith(wanted)]
        word = [one for one in among if get_close_matches(wanted, one.split("-"), n=1, cutoff=0.8)]
        close = get_close_matches(wanted, among, n=3, cutoff=0.55)
        return list(dict.fromkeys((*begin, *word, *close)))[:3]


LONGEST_NAME = 100  # characters that could be meant for an id


def plain(name: str) -> str:
    """Return the id that a typed name stands for."""
    return name.strip().lower().replace("_", "-")
