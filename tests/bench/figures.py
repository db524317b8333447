"""Figures as one table: what was measured, what it was measured against, and what it should reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """One row. `ours` and `bare` are medians in the same `unit`; `goal` is as people read it."""

    name: str
    ours: float
    unit: str
    bare: float | None = None
    goal: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the row as texts."""
        against = "" if self.bare is None else f"{self.bare:.{self._places}f}"
        ratio = f"{self.ours / self.bare:.2f} ×" if self.bare else ""
        return self.name, f"{self.ours:.{self._places}f} {self.unit}", against, ratio, self.goal

    @property
    def _places(self) -> int:
        return 0 if self.unit.endswith("/s") or self.unit == "MB" else 1


def ms(seconds: Sequence[float]) -> float:
    """Return the median of times in milliseconds."""
    return median(seconds) * 1000


def table(figures: Iterable[Figure]) -> str:
    """Lay figures out in columns."""
    rows = [("", "Deputy", "bare", "ratio", "goal"), *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 4) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
