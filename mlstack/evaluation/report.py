"""The report on a version: report.html in one file, and its pictures in report.svg."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from mlstack.evaluation.charts import Picture, grid
from mlstack.evaluation.classification_pictures import classification_pictures
from mlstack.evaluation.holdout import PredictedClasses, PredictedValues
from mlstack.evaluation.metric_tables import metric_rows, uncertainty_rows
from mlstack.evaluation.regression_pictures import regression_pictures
from mlstack.evaluation.tables import confusion_matrix, error_rows, schema_rows
from mlstack.registry.atomic_files import replace_file
from mlstack.registry.intervals import LeastSquaresInterval

if TYPE_CHECKING:
    from mlstack.evaluation.comparison import Comparison


def write_report(comparison: Comparison, directory: Path) -> None:
    """Write report.svg and report.html into the version's directory."""
    model = comparison.candidate
    holdout = comparison.predicted
    former = comparison.former
    if isinstance(holdout, PredictedClasses):
        assert not isinstance(former, PredictedValues)
        pictures = classification_pictures(model.classes, holdout, former)
    else:
        assert not isinstance(former, PredictedClasses)
        pictures = regression_pictures(model, comparison.training, holdout, former)
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
        evaluation=comparison.evaluation,
        uncertainty=uncertainty_rows(comparison, holdout),
        calibrated=not isinstance(model.manifest.interval, LeastSquaresInterval),
        pictures=[(_data_uri(picture.svg), picture.description) for picture in pictures],
        confusion=confusion_matrix(model.classes, holdout) if isinstance(holdout, PredictedClasses) else [],
        compared=comparison.former is not None,
        error_name="error rate" if classified else "RMSE",
        errors=error_rows(model.columns, holdout, comparison.former),
        target=model.target,
        schema=schema_rows(model.columns, comparison.training.x),
        origin=_origin(comparison),
    )


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
