"""What was wanted, and whether it was reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Bar(NamedTuple):
    """What we want of one figure; `at_most` for times, else at least."""

    what: str
    value: float
    bar: float | None
    moonshot: float | None
    unit: str = ""
    at_most: bool = False

    def row(self) -> tuple[str, ...]:
        """Return the cells of its row."""
        sign = "≤" if self.at_most else "≥"
        both = (self.bar, self.moonshot)
        goals = (f"{sign} {goal:g} {self.unit}".rstrip() if goal else "–" for goal in both)
        return (self.what, *goals, f"{self.value:.2f} {self.unit}".rstrip(), self._verdict())

    def _verdict(self) -> str:
        if self._reaches(self.moonshot):
            return "moonshot"
        if self._reaches(self.bar):
            return "reached"
        return "–" if self.bar is None else "**missed**"

    def _reaches(self, goal: float | None) -> bool:
        if goal is None:
            return False
        return self.value <= goal if self.at_most else self.value >= goal


def bar_table(bars: Sequence[Bar]) -> str:
    """Return the bars as a Markdown table."""
    return table(("what", "bar", "moonshot", "measured", ""), [bar.row() for bar in bars])


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
