"""The bodies of answers, as dictionaries for JSON."""

from __future__ import annotations

from mlstack.inference.loaded_model import LoadedModel, Predictions
from mlstack.registry.columns import Column, class_key
from mlstack.runtime.arrays import FloatArray
from mlstack.web.classes import unseen_categories

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
        "columns": [_describe_column(column) for column in model.columns],
        "target": model.target,
        "metrics": model.metrics,
    }
    if model.classes:
        description["classes"] = list(model.classes)
    return description | ({"coefficients": coefficients} if coefficients else {})


def _describe_column(column: Column) -> dict[str, object]:
    """Return what a column takes; the range is what training saw of a number."""
    described: dict[str, object] = {"name": column.name, "kind": column.kind, "nullable": column.nullable}
    if column.kind == "category":
        described["categories"] = list(column.categories)
    if column.low is not None and column.high is not None:
        described["range"] = [column.low, column.high]
    return described


def describe_answer(model: LoadedModel, rows: FloatArray) -> dict[str, object]:
    """Return the answer of POST /predict to encoded rows: one inner list a row in `predictions`."""
    found = _classes(model, rows) if model.classes else _numbers(model.predict(rows))
    unseen = unseen_categories(model.columns, rows)
    return found | ({} if unseen is None else {"unseen": unseen}) | {"model_version": model.version}


def _numbers(predictions: Predictions) -> dict[str, object]:
    return {
        "predictions": [[value] for value in _rounded(predictions.values)],
        "intervals": [
            [low, high]
            for low, high in zip(_rounded(predictions.lower), _rounded(predictions.upper), strict=True)
        ],
        "confidence": _rounded(predictions.confidence),
    }


def _classes(model: LoadedModel, rows: FloatArray) -> dict[str, object]:
    classes, found = model.classes, model.classify(rows)
    keys = [class_key(label) for label in classes]
    return {
        "predictions": [[classes[position]] for position in found.likeliest.tolist()],
        "probabilities": [dict(zip(keys, _rounded(row), strict=True)) for row in found.probabilities],
        "prediction_sets": [
            [label for label, member in zip(classes, row, strict=True) if member]
            for row in found.members.tolist()
        ],
        "confidence": _rounded(found.probabilities.max(axis=1)),
    }


def _rounded(values: FloatArray) -> list[float]:
    # np.round would multiply by 10,000 first and make 1e306 infinite. Adding 0.0 turns -0.0 into 0.0.
    return [round(value, DECIMALS) + 0.0 for value in values.tolist()]
