"""The drift report as one HTML page: numbers of every column, and its bins as bars."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from mlstack.drift.check import MIN_ROWS, DriftReport
from mlstack.drift.statistics import ColumnDrift

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="30"><title>Drift</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}}
table{{border-collapse:collapse}}th,td{{text-align:left;padding:.2rem 1.5rem .2rem 0}}
th,td{{border-bottom:1px solid #ddd}}
td{{font-variant-numeric:tabular-nums}}svg{{display:block;margin:.5rem 0 2rem}}
.drifted{{color:#b00020}}</style>
<h1>Drift: {status}</h1><p>{summary}</p>{columns}<h2>Reports of the quality gate</h2><p>{links}</p></html>
"""
_WIDTH, _HEIGHT = 36, 120  # pixels: of a bin, of a share of 1/2


def render_page(report: DriftReport | None, failure: str | None, versions: Sequence[int]) -> str:
    """Return the page for the last report, None before the first pass; `failure` tells why it may be old."""
    links = [
        f'<a href="/versions/{number}/report.html">version {number}</a>' for number in reversed(versions)
    ]
    summary = "No pass has ended yet." if report is None else _summary(report)
    if failure:
        summary += f' <strong class="drifted">The last pass failed: {escape(failure)}</strong>'
    return _PAGE.format(
        status=report.status if report else "not told yet",
        summary=summary,
        columns="".join(map(_column, report.columns)) if report else "",
        links=", ".join(links) or "none yet",
    )


def _summary(report: DriftReport) -> str:
    if report.status == "no model":
        return "No model is current, so there is nothing to compare."
    text = (
        f"The last {report.window_rows} logged rows that version {report.model_version} answered, "
        f"against the {report.training_rows} it was trained on, at {escape(report.checked_at)}."
    )
    if not report.training_data_unchanged:
        text += " The training table has changed since: train again to compare with what it holds now."
    if report.extrapolated_share is None:
        return f"{text} At least {MIN_ROWS} logged rows are needed."
    return f"{text} {report.extrapolated_share:.1%} of the rows lie outside the range of the training data."


def _column(column: ColumnDrift) -> str:
    mark = ' class="drifted"' if column.drifted else ""
    numbers = {
        "PSI": f"{column.psi:.4g} (limit {column.psi_limit:.3g})",
        "Kolmogorov-Smirnov D": f"{column.ks:.4g}",
        "p-value": f"{column.ks_p_value:.3g}",
    }
    rows = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in numbers.items())
    verdict = "drifted" if column.drifted else "stable"
    return f"<h2{mark}>{escape(column.name)}: {verdict}</h2><table>{rows}</table>{_bars(column)}"


def _bars(column: ColumnDrift) -> str:
    """Grey: training data, blue: the window; a pair for each bin of equal share in training."""
    bars = []
    for number, pair in enumerate(zip(column.expected, column.actual, strict=True)):
        for offset, share, colour in ((0, pair[0], "#bbb"), (15, pair[1], "#1f77b4")):
            height = max(1, round(min(share, 0.5) * 2 * _HEIGHT))
            bars.append(
                f'<rect x="{number * _WIDTH + offset}" y="{_HEIGHT - height}" width="14" height="{height}" '
                f'fill="{colour}"><title>{share:.1%}</title></rect>'
            )
    width = len(column.expected) * _WIDTH
    label = f"Share of the rows in each bin of {escape(column.name)}: grey training, blue logged"
    return f'<svg width="{width}" height="{_HEIGHT}" role="img" aria-label="{label}">{"".join(bars)}</svg>'
