"""The report on a version: report.svg, and report.html with that picture and the numbers in one file."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlstack.registry.atomic_files import replace_file
from mlstack.runtime.arrays import FloatArray

if TYPE_CHECKING:
    from mlstack.evaluation.comparison import Comparison

_MOST_POINTS = 1000  # more points make the file larger and show nothing more
_TRAINING, _HOLDOUT, _MODEL, _BOUND = "#bbb", "#ff7f0e", "#1f77b4", "#9ecae1"


def write_report(comparison: Comparison, directory: Path) -> None:
    """Write report.svg and report.html into the version's directory."""
    image = _draw(comparison)
    replace_file(directory / "report.svg", image.encode())
    replace_file(directory / "report.html", _page(comparison, image).encode())


def _page(comparison: Comparison, image: str) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - only a new version has a report

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return templates.get_template("report.html").render(
        title=f"Model version {comparison.candidate.version}: {comparison.evaluation.verdict}",
        reason=comparison.evaluation.reason,
        image=base64.b64encode(image.encode()).decode(),
        rows=_rows(comparison),
    )


def _rows(comparison: Comparison) -> dict[str, object]:
    """Return the rows of the report's table: names and values."""
    model, evaluation = comparison.candidate, comparison.evaluation
    return {
        "estimator": model.estimator_name,
        "parameters": model.manifest.parameters,
        "trained at": model.manifest.provenance.created,
        "rows": f"{model.manifest.provenance.rows} from {model.manifest.provenance.table}",
        **{f"coefficient of {name}": value for name, value in model.manifest.coefficients.items()},
        **{f"hold-out {name}": value for name, value in model.metrics.items()},
        "current version compared with": evaluation.current_version or "none",
        "its RMSE on the same hold-out": "-" if evaluation.current_rmse is None else evaluation.current_rmse,
        "digest": model.digest,
    }


def _draw(comparison: Comparison) -> str:
    import leather  # noqa: PLC0415

    pictures = leather.Grid()
    fit = _fit if comparison.candidate.n_features == 1 else _agreement
    pictures.add_many([fit(leather, comparison), _residuals(leather, comparison)])
    return str(pictures.to_svg())


def _fit(leather: Any, comparison: Comparison) -> Any:
    """Data, model and 95 % interval over the only feature."""
    model, training, holdout = comparison.candidate, comparison.training, comparison.holdout
    chart = _chart(leather, "fit", model.features[0], model.target)
    _dots(chart, training.x[:, 0], training.y, "training", _TRAINING)
    _dots(chart, holdout.x[:, 0], holdout.y, "hold-out", _HOLDOUT)
    grid = np.linspace(training.x.min(), training.x.max(), 200)
    found = model.predict(grid.reshape(-1, 1))
    _line(chart, grid, found.values, model.estimator_name, _MODEL)
    _line(chart, grid, found.lower, "95 % interval: lower", _BOUND)
    _line(chart, grid, found.upper, "upper", _BOUND)
    return chart


def _agreement(leather: Any, comparison: Comparison) -> Any:
    """Predicted against actual values of the hold-out: several features have no common axis."""
    actual, predicted = _holdout(comparison)
    chart = _chart(leather, "hold-out", f"actual {comparison.candidate.target}", "predicted")
    _dots(chart, actual, predicted, "hold-out", _HOLDOUT)
    ends = np.array([min(actual.min(), predicted.min()), max(actual.max(), predicted.max())])
    _line(chart, ends, ends, "perfect", _MODEL)
    return chart


def _residuals(leather: Any, comparison: Comparison) -> Any:
    actual, predicted = _holdout(comparison)
    chart = _chart(leather, "residuals of the hold-out", "predicted", "actual - predicted")
    _dots(chart, predicted, actual - predicted, "hold-out", _HOLDOUT)
    return chart


def _chart(leather: Any, title: str, x: str, y: str) -> Any:
    chart = leather.Chart(title)
    chart.add_x_axis(name=x)
    chart.add_y_axis(name=y)
    return chart


def _dots(chart: Any, x: FloatArray, y: FloatArray, name: str, colour: str) -> None:
    chart.add_dots(_points(x, y), fill_color=colour, name=name, radius=2)


def _line(chart: Any, x: FloatArray, y: FloatArray, name: str, colour: str) -> None:
    chart.add_line(_points(x, y), stroke_color=colour, name=name, width=1)


def _points(x: FloatArray, y: FloatArray) -> list[tuple[float, float]]:
    return list(zip(_few(x).tolist(), _few(y).tolist(), strict=True))


def _holdout(comparison: Comparison) -> tuple[FloatArray, FloatArray]:
    rows = np.ascontiguousarray(_few(comparison.holdout.x))
    return _few(comparison.holdout.y), comparison.candidate.predict(rows).values


def _few(values: FloatArray) -> FloatArray:
    return values[:_MOST_POINTS]
