"""The report on a version: report.png, and report.html with that picture and the numbers in one file."""

from __future__ import annotations

import base64
import io
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlstack.registry.atomic_files import replace_file
from mlstack.runtime.arrays import FloatArray

if TYPE_CHECKING:
    from mlstack.evaluation.comparison import Comparison

_FONT_LIST = Path("/opt/matplotlib")  # made by the Dockerfile
_MOST_POINTS = 2000  # more points take longer to draw and show nothing more


def write_report(comparison: Comparison, directory: Path) -> None:
    """Write report.png and report.html into the version's directory."""
    image = _draw(comparison)
    replace_file(directory / "report.png", image)
    replace_file(directory / "report.html", _page(comparison, image).encode())


def _page(comparison: Comparison, image: bytes) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - as matplotlib below

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return templates.get_template("report.html").render(
        title=f"Model version {comparison.candidate.version}: {comparison.evaluation.verdict}",
        reason=comparison.evaluation.reason,
        image=base64.b64encode(image).decode(),
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


def _take_font_list() -> None:
    """Copy the image's list of fonts to a folder that can be written: matplotlib uses no other."""
    folder = os.environ.get("MPLCONFIGDIR")
    if folder and _FONT_LIST.is_dir():
        shutil.copytree(_FONT_LIST, folder, dirs_exist_ok=True)


def _draw(comparison: Comparison) -> bytes:
    _take_font_list()
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - takes a second
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(11, 4.5), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2)
    if comparison.candidate.n_features == 1:
        _draw_fit(left, comparison)
    else:
        _draw_agreement(left, comparison)
    _draw_residuals(right, comparison)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _draw_fit(axes: Any, comparison: Comparison) -> None:
    """Data, model and 95 % interval over the only feature."""
    model, training, holdout = comparison.candidate, comparison.training, comparison.holdout
    axes.plot(_few(training.x[:, 0]), _few(training.y), ".", color="0.7", label="training")
    axes.plot(_few(holdout.x[:, 0]), _few(holdout.y), ".", color="tab:orange", label="hold-out")
    grid = np.linspace(training.x.min(), training.x.max(), 200)
    found = model.predict(grid.reshape(-1, 1))
    axes.plot(grid, found.values, color="tab:blue", label=model.estimator_name)
    axes.fill_between(grid, found.lower, found.upper, color="tab:blue", alpha=0.2, label="95 % interval")
    axes.set(xlabel=model.features[0], ylabel=model.target, title="fit")
    axes.legend()


def _draw_agreement(axes: Any, comparison: Comparison) -> None:
    """Predicted against actual values of the hold-out: several features have no common axis."""
    actual, predicted = _holdout(comparison)
    axes.plot(actual, predicted, ".", color="tab:orange", label="hold-out")
    ends = [min(actual.min(), predicted.min()), max(actual.max(), predicted.max())]
    axes.plot(ends, ends, color="0.5", label="perfect")
    axes.set(xlabel=f"actual {comparison.candidate.target}", ylabel="predicted", title="hold-out")
    axes.legend()


def _draw_residuals(axes: Any, comparison: Comparison) -> None:
    actual, predicted = _holdout(comparison)
    axes.plot(predicted, actual - predicted, ".", color="tab:orange")
    axes.axhline(0, color="0.5")
    axes.set(xlabel="predicted", ylabel="actual - predicted", title="residuals of the hold-out")


def _holdout(comparison: Comparison) -> tuple[FloatArray, FloatArray]:
    rows = np.ascontiguousarray(_few(comparison.holdout.x))
    return _few(comparison.holdout.y), comparison.candidate.predict(rows).values


def _few(values: FloatArray) -> FloatArray:
    return values[:_MOST_POINTS]
