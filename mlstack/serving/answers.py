"""The bodies of answers, as dictionaries for JSON."""

from __future__ import annotations

from mlstack.registry.loaded_model import LoadedModel, Predictions
from mlstack.runtime.arrays import FloatArray

DECIMALS = 4  # of this server's answers; the api answers with full precision

ENDPOINTS = {
    "GET /": "API information and model status",
    "GET /health": "health check with database and model status",
    "GET /livez": "the process is running",
    "GET /readyz": "a model is loaded and the server is not draining",
    "POST /predict": 'predictions for {"values": [5]}, {"features": [...]} or {"instances": [...]}',
    "GET /data/sample": "rows of the training table, ?limit=1..1000",
    "GET /metrics": "Prometheus metrics",
}


def describe_model(model: LoadedModel | None) -> dict[str, object]:
    """Return the description of the current model."""
    if model is None:
        return {"loaded": False}
    coefficients = model.manifest.coefficients
    description: dict[str, object] = {
        "loaded": True,
        "version": model.version,
        "digest": model.digest,
        "estimator": model.estimator_name,
        "features": list(model.features),
        "target": model.target,
        "metrics": model.metrics,
    }
    return description | ({"coefficients": coefficients} if coefficients else {})


def describe_predictions(model: LoadedModel, predictions: Predictions) -> dict[str, object]:
    """Return the answer of POST /predict: one inner list per row in `predictions` and `intervals`."""
    return {
        "predictions": [[value] for value in _rounded(predictions.values)],
        "intervals": [
            [low, high]
            for low, high in zip(_rounded(predictions.lower), _rounded(predictions.upper), strict=True)
        ],
        "confidence": _rounded(predictions.confidence),
        "model_version": model.version,
    }


def _rounded(values: FloatArray) -> list[float]:
    # np.round would multiply by 10,000 first and make 1e306 infinite. Adding 0.0 turns -0.0 into 0.0.
    return [round(value, DECIMALS) + 0.0 for value in values.tolist()]
