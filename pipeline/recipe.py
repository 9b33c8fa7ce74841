"""What to train: which columns, which estimator, which parameters. Imports nothing of scikit-learn."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.settings import SettingsError, env, env_float, env_list

DEFAULT_ESTIMATOR = "sklearn.linear_model.LinearRegression"
# A change to one of these may change the model, so it makes a new version.
_CODE = ("splitting.py", "training.py", "estimators.py", "moments.py", "intervals.py")


@dataclass(frozen=True)
class Recipe:
    """The choices that, with the data and the code, determine a model."""

    features: tuple[str, ...] = ("x",)
    target: str = "y"
    estimator: str = DEFAULT_ESTIMATOR
    parameters: dict[str, Any] = field(default_factory=dict)
    test_fraction: float = 0.2


def read_recipe() -> Recipe:
    """Read the DATA_…, TEST_FRACTION and MODEL_… settings."""
    features, target = env_list("DATA_FEATURES", "x"), env("DATA_TARGET", "y")
    if len(set(features)) < len(features) or target in features or not features:
        raise SettingsError("DATA_FEATURES must name different columns, and DATA_TARGET another one")
    fraction = env_float("TEST_FRACTION", 0.2)
    if not 0 < fraction < 1:
        raise SettingsError(f"TEST_FRACTION must lie between 0 and 1, not {fraction}")
    estimator = env("MODEL_ESTIMATOR", DEFAULT_ESTIMATOR)
    return Recipe(features, target, estimator, _read_parameters(), fraction)


def content_digest(data_digest: str, recipe: Recipe) -> str:
    """Return the SHA-256 that decides whether a model would be new: over data, code and parameters."""
    code = [hashlib.sha256((Path(__file__).parent / name).read_bytes()).hexdigest() for name in _CODE]
    choices = [recipe.features, recipe.target, recipe.estimator, recipe.parameters, recipe.test_fraction]
    content = [data_digest, code, choices, version("scikit-learn")]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read_parameters() -> dict[str, Any]:
    text = env("MODEL_PARAMETERS", "{}")
    try:
        parameters = json.loads(text, parse_constant=float)
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        raise SettingsError(f'MODEL_PARAMETERS must be a JSON object such as {{"alpha": 0.5}}, not {text!r}')
    return parameters
