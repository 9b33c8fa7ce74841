"""The model as the page shows it: what it takes, how it was judged, its picture, its versions."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.predictors import PredictionOverflow
from mlstack.registry.manifest import read_manifest
from mlstack.registry.picture import read_picture
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import ModelRefused
from mlstack.web.challengers import Challengers

_GRID = 120  # points of the fitted curve
_MOST_VERSIONS = 20


def describe(model: LoadedModel, store: ModelStore) -> dict[str, Any]:
    """Return the current model's description; `picture` has the points and the fitted curve."""
    evaluation = store.evaluation(model.version)
    return {
        "version": model.version,
        "estimator": model.estimator_name,
        "target": model.target,
        "columns": msgspec.to_builtins(model.columns),
        "classes": list(model.classes),
        "metrics": model.metrics,
        "rows": model.manifest.provenance.rows,
        "table": model.manifest.provenance.table,
        "created": model.manifest.provenance.created,
        "reason": evaluation.reason,
        "picture": picture(model, store),
    }


def picture(model: LoadedModel, store: ModelStore) -> dict[str, Any] | None:
    """Return the points of the version's picture, and for one feature the curve with its interval."""
    found = read_picture(store.path(model.version))
    if found is None:
        return None
    drawn: dict[str, Any] = msgspec.to_builtins(found)
    if found.kind == "fit":
        drawn["curve"] = curve(model, [x for x, _ in (*found.training, *found.holdout)])
    return drawn


def curve(model: LoadedModel, places: list[float]) -> list[list[float]]:
    """Return [x, prediction, lower, upper] along the feature, from the least to the greatest of `places`."""
    grid = np.linspace(min(places), max(places), _GRID)
    try:
        found = model.predict(grid.reshape(-1, 1))
    except PredictionOverflow:
        return []
    return np.column_stack([grid, found.values, found.lower, found.upper]).tolist()  # type: ignore[no-any-return]


def trials(challengers: Challengers) -> dict[str, Any]:
    """Return the shadow's version and the canary with its share of the callers, None without one."""
    shadow, canary = challengers.shadow, challengers.set_canary
    return {
        "shadow": shadow.version if shadow is not None else None,
        "canary": canary
        and {"version": canary.version, "share": canary.share, "taken_back": challengers.taken_back},
    }


def versions(store: ModelStore) -> list[dict[str, Any]]:
    """Return the newest versions, the newest first."""
    current = store.current()
    found = []
    for version in reversed(store.versions()[-_MOST_VERSIONS:]):
        try:
            manifest = read_manifest(store.path(version))
        except ModelRefused:
            continue
        found.append(
            {
                "version": version,
                "current": version == current,
                "verdict": store.evaluation(version).verdict,
                "estimator": manifest.estimator_name,
                "created": manifest.provenance.created,
                "rows": manifest.provenance.rows,
                "metrics": manifest.metrics,
                "report": (store.path(version) / "report.html").is_file(),
            }
        )
    return found
