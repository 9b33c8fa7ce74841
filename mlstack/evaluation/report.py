"""The report on a version: report.html in one file, and its pictures in report.svg."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from mlstack.evaluation.charts import Picture, grid
from mlstack.evaluation.classification_pictures import classification_pictures
from mlstack.evaluation.holdout import PredictedClasses, PredictedValues
from mlstack.evaluation.regression_pictures import regression_pictures
from mlstack.evaluation.tables import confusion_matrix, error_rows, metric_rows, schema_rows
from mlstack.registry.atomic_files import replace_file
from mlstack.registry.intervals import LeastSquaresInterval

if TYPE_CHECKING:
    from mlstack.evaluation.comparison import Comparison


def write_report(comparison: Comparison, directory: Path) -> None:
    """Write report.svg and report.html into the version's directory."""
    model = comparison.candidate
    holdout = comparison.predicted
    if isinstance(holdout, PredictedClasses):
        pictures = classification_pictures(model.classes, holdout)
    else:
        pictures = regression_pictures(model, comparison.training, holdout)
    if pictures:
        replace_file(directory / "report.svg", grid(pictures).encode())
    replace_file(directory / "report.html", _page(comparison, holdout, pictures).encode())


def _page(
    comparison: Comparison, holdout: PredictedValues | PredictedClasses, pictures: list[Picture]
) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - only a new version has a report

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    model = comparison.candidate
    classified = isinstance(holdout, PredictedClasses)
    return templates.get_template("report.html").render(
        title=f"Model version {model.version}: {comparison.evaluation.verdict}",
        reason=comparison.evaluation.reason,
        metrics=metric_rows(comparison),
        current_version=comparison.evaluation.current_version,
        uncertainty=_uncertainty(comparison, holdout),
        pictures=[(_data_uri(picture.svg), picture.description) for picture in pictures],
        confusion=confusion_matrix(model.classes, holdout) if isinstance(holdout, PredictedClasses) else [],
        error_name="error rate" if classified else "RMSE",
        errors=error_rows(model.columns, holdout),
        target=model.target,
        schema=schema_rows(model.columns, comparison.training.x),
        origin=_origin(comparison),
    )


def _uncertainty(
    comparison: Comparison, holdout: PredictedValues | PredictedClasses
) -> dict[str, float | str]:
    """Return how well the prediction sets or intervals hold on the hold-out, names and values."""
    calibrated = not isinstance(comparison.candidate.manifest.interval, LeastSquaresInterval)
    found: dict[str, float | str]
    if isinstance(holdout, PredictedClasses):
        found = {
            "prediction sets that hold the actual class": f"{holdout.coverage:.1%}",
            "mean number of classes in a set": holdout.set_size,
        }
    else:
        found = {
            "95 % intervals that hold the actual value": f"{holdout.coverage:.1%}",
            "mean width of an interval": float((holdout.upper - holdout.lower).mean()),
        }
    note = "they were calibrated on these same rows, so the share is about 95 % by construction"
    return found | ({"note": note} if calibrated else {})


def _origin(comparison: Comparison) -> dict[str, object]:
    """Return where the version comes from, names and values."""
    model, provenance = comparison.candidate, comparison.candidate.manifest.provenance
    return {
        "estimator": model.estimator_name,
        "parameters": model.manifest.parameters,
        "trained at": provenance.created,
        "rows": f"{provenance.rows} from {provenance.table}",
        "hold-out": f"{comparison.evaluation.rows} rows",
        **{f"coefficient of {name}": value for name, value in model.manifest.coefficients.items()},
        "digest": model.digest,
    }


def _data_uri(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
