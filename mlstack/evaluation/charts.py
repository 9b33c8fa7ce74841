"""Charts as SVG, drawn by leather, in one style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mlstack.runtime.arrays import FloatArray

TRAINING, HOLDOUT, MODEL, BOUND = "#bbb", "#ff7f0e", "#1f77b4", "#9ecae1"
FORMER = "#9467bd"  # the version that was current
PALETTE = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b")
WIDTH, HEIGHT = 560, 420
_MOST_POINTS = 1000  # more points make the file larger and show nothing more
_MOST_LETTERS = 24
_FONT = "system-ui, sans-serif"
_SHARES = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


class Picture(NamedTuple):
    """A chart, and the text for who cannot see it."""

    chart: Any  # leather's
    description: str

    @property
    def svg(self) -> str:
        """The chart as a document of its own."""
        return str(self.chart.to_svg(width=WIDTH, height=HEIGHT))


def grid(pictures: Sequence[Picture]) -> str:
    """Return all pictures in one SVG document."""
    found = _leather().Grid()
    found.add_many([picture.chart for picture in pictures])
    return str(found.to_svg())


def new_chart(title: str, x: str, y: str) -> Any:
    """Return an empty chart with named axes."""
    chart = _leather().Chart(title)
    chart.add_x_axis(name=printable(x))
    chart.add_y_axis(name=printable(y))
    return chart


def unit_chart(title: str, x: str, y: str) -> Any:
    """Return an empty chart of shares: both axes from 0 to 1."""
    chart = _leather().Chart(title)
    chart.add_x_scale(0, 1)
    chart.add_y_scale(0, 1)
    chart.add_x_axis(ticks=_SHARES, tick_formatter=_share, name=printable(x))
    chart.add_y_axis(ticks=_SHARES, tick_formatter=_share, name=printable(y))
    return chart


def dots(chart: Any, x: FloatArray, y: FloatArray, name: str, colour: str) -> None:
    """Add the first points."""
    chart.add_dots(_points(x, y, _MOST_POINTS), fill_color=colour, name=name, radius=2)


def line(chart: Any, x: FloatArray, y: FloatArray, name: str, colour: str) -> None:
    """Add a line through the points; of many, through evenly spaced ones."""
    chosen = np.unique(np.linspace(0, len(x) - 1, 200).astype(int)) if len(x) > 200 else slice(None)
    chart.add_line(_points(x[chosen], y[chosen]), stroke_color=colour, name=name, width=1.5)


def bars(title: str, x: str, y: str, heights: Sequence[tuple[str, float]]) -> Any:
    """Return a chart of named bars."""
    chart = _leather().Chart(title)
    chart.add_x_axis(name=x)
    chart.add_y_axis(name=y)
    chart.add_columns(list(heights), fill_color=MODEL)
    return chart


def printable(text: str, most: int = _MOST_LETTERS) -> str:
    """Return `text` on one line, shortened, without the characters that XML does not have."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _points(x: FloatArray, y: FloatArray, most: int | None = None) -> list[tuple[float, float]]:
    return list(zip(x[:most].tolist(), y[:most].tolist(), strict=True))


def _share(value: float, _index: int, _count: int) -> str:
    return f"{value:.1f}"


def _leather() -> Any:
    import leather  # noqa: PLC0415 - only a new version has a report

    theme = leather.theme
    theme.background_color, theme.label_color = "#fff", "#555"
    theme.default_chart_width, theme.default_chart_height = WIDTH, HEIGHT
    for part in ("title", "legend", "axis_title", "tick"):
        setattr(theme, f"{part}_font_family", _FONT)
    for part in ("legend", "axis_title", "tick"):
        setattr(theme, f"{part}_font_size", 12)
        setattr(theme, f"{part}_font_char_width", 7)
    theme.legend_font_char_width = 9  # leather wraps a legend too late
    return leather
