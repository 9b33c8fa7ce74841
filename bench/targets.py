"""Targets for the measured figures, and whether they are reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Target(NamedTuple):
    """A measured value with its target and an ambitious one; upper limits if `at_most`, else lower limits."""

    what: str
    value: float
    target: float | None
    ambitious: float | None
    unit: str = ""
    at_most: bool = False

    def row(self) -> tuple[str, ...]:
        """Return the cells of its row."""
        sign = "≤" if self.at_most else "≥"
        limits = (self.target, self.ambitious)
        cells = (f"{sign} {limit:g} {self.unit}".rstrip() if limit else "–" for limit in limits)
        return (self.what, *cells, f"{self.value:.2f} {self.unit}".rstrip(), self._verdict())

    def _verdict(self) -> str:
        if self._reaches(self.ambitious):
            return "ambitious target reached"
        if self._reaches(self.target):
            return "reached"
        return "–" if self.target is None else "**not reached**"

    def _reaches(self, limit: float | None) -> bool:
        if limit is None:
            return False
        return self.value <= limit if self.at_most else self.value >= limit


def target_table(targets: Sequence[Target]) -> str:
    """Return the targets as a Markdown table."""
    headings = ("what", "target", "ambitious target", "measured", "")
    return table(headings, [target.row() for target in targets])


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
