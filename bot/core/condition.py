"""When a parameter applies: only where another one, declared before it, has one of some values."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """`name` is a parameter of kind choice or boolean, `values` those of its values that it holds for."""

    name: str
    values: tuple[str | bool, ...]

    def holds(self, arguments: Mapping[str, object]) -> bool:
        """Whether it holds beside these bound arguments; never where the parameter has no value."""
        return arguments.get(self.name) in self.values

    def words(self, label: str) -> str:
        """Say it of a parameter called `label`: `“How” is move or copy`."""
        return f"“{label}” is {' or '.join(_said(value) for value in self.values)}"


def _said(value: str | bool) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
