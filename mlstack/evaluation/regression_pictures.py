"""The pictures of a regressor: fit or agreement, residuals against fitted values, and their quantiles."""

from __future__ import annotations

import numpy as np

from mlstack.evaluation.charts import BOUND, FORMER, HOLDOUT, MODEL, TRAINING, Picture, dots, line, new_chart
from mlstack.evaluation.holdout import PredictedValues, beside
from mlstack.inference.loaded_model import LoadedModel
from mlstack.runtime.arrays import FloatArray
from mlstack.training.splitting import Dataset


def regression_pictures(
    model: LoadedModel,
    training: Dataset,
    holdout: PredictedValues,
    former: PredictedValues | None = None,
) -> list[Picture]:
    """Return the pictures of a regressor's hold-out; the former version's residuals beside its own."""
    only_number = model.n_features == 1 and model.plain
    first = [_fit(model, training, holdout)] if only_number else []
    return [*first, _agreement(model.target, holdout), _residuals(holdout), _quantiles(holdout, former)]


def _fit(model: LoadedModel, training: Dataset, holdout: PredictedValues) -> Picture:
    """Data, model and 95 % interval over the only feature."""
    chart = new_chart("Fit", model.features[0], model.target)
    dots(chart, training.x[:, 0], training.y, "training", TRAINING)
    dots(chart, holdout.rows[:, 0], holdout.actual, "hold-out", HOLDOUT)
    places = np.linspace(training.x.min(), training.x.max(), 200)
    found = model.predict(places.reshape(-1, 1))
    line(chart, places, found.values, model.estimator_name, MODEL)
    line(chart, places, found.lower, "95 %: from", BOUND)
    line(chart, places, found.upper, "to", BOUND)
    return Picture(chart, "The rows, the model and its 95 % interval over the feature.")


def _agreement(target: str, holdout: PredictedValues) -> Picture:
    actual, fitted = holdout.actual, holdout.fitted
    chart = new_chart("Predicted against actual", f"actual {target}", "predicted")
    dots(chart, actual, fitted, "hold-out", HOLDOUT)
    ends = np.array([min(actual.min(), fitted.min()), max(actual.max(), fitted.max())])
    line(chart, ends, ends, "perfect", MODEL)
    return Picture(chart, "Predicted against actual values of the hold-out.")


def _residuals(holdout: PredictedValues) -> Picture:
    chart = new_chart("Residuals against predictions", "predicted", "actual - predicted")
    dots(chart, holdout.fitted, holdout.residuals, "hold-out", HOLDOUT)
    ends = np.array([holdout.fitted.min(), holdout.fitted.max()])
    line(chart, ends, np.zeros(2), "no error", MODEL)
    return Picture(chart, "Residuals of the hold-out against its predictions.")


def _quantiles(holdout: PredictedValues, former: PredictedValues | None) -> Picture:
    """Ordered residuals against what normally distributed ones would be (J. D. Gibbons, 1971)."""
    from statistics import NormalDist  # noqa: PLC0415 - scipy.special would take a third of a second to import

    ordered = _thinned(np.sort(holdout.residuals))
    shares = (np.arange(len(ordered)) + 0.5) / len(ordered)
    normal = np.array([NormalDist().inv_cdf(share) for share in shares.tolist()])
    chart = new_chart("Normal quantiles of the residuals", "normal quantile", "residual")
    if former:
        dots(chart, normal, _thinned(np.sort(former.residuals)), former.name, FORMER)
    dots(chart, normal, ordered, "hold-out", HOLDOUT)
    ends = normal[[0, -1]]
    line(chart, ends, ordered.mean() + ends * ordered.std(), "normal distribution", MODEL)
    return Picture(
        chart, f"Quantiles of the residuals{beside(former)} against those of the normal distribution."
    )


def _thinned(ordered: FloatArray) -> FloatArray:
    chosen: FloatArray = ordered[np.unique(np.linspace(0, len(ordered) - 1, 500).astype(int))]
    return chosen
