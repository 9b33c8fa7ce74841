"""The training configuration: columns, estimator, parameters. Does not import scikit-learn, which is slow."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from mlstack.inference.boosters import is_booster, versions
from mlstack.runtime.settings import SettingsError, env, env_float, env_int, env_list
from mlstack.training.custom import source_digest

DEFAULT_ESTIMATOR = "sklearn.linear_model.LinearRegression"
# The training code's part of the content digest. Change it only when the same table and settings would give
# another model (tests/unit/test_training_revision.py fails then), because every model is then trained again.
# Revision 1 is the SHA-256 of five source files, because manifests of the first release hold those.
REVISION = (
    "bc93b3c7a3039cedd8d064f898b45dda48e9ea34306db5224ee82c5651d3eee3",
    "3dc54263789e695f7f9caa78eb0ccb81196e902d66873b806757629c88c91e5f",
    "b10a10016fc2b73b2a5fef1ac7b48b79191a8511b3dbd932975697ce4639c8aa",
    "fc2594340d6326641a21a961864ec05e9073706166c267d2dc9412ffbace56ad",
    "b64f21e7677541eae8cdb8c7ccb577b836dc4510a0fefb7f6227ed2c57eaa1a8",
)


@dataclass(frozen=True)
class TrainingConfig:
    """The settings that, together with the data and the code, determine a model."""

    features: tuple[str, ...] = ("x",)
    target: str = "y"
    estimator: str = DEFAULT_ESTIMATOR
    parameters: dict[str, Any] = field(default_factory=dict)
    test_fraction: float = 0.2
    source: str = ""  # SHA-256 of the user's own code, if `estimator` names it
    max_categories: int = 100  # of a text column, and classes of the target; a limit, no part of the digest


def read_training_config() -> TrainingConfig:
    """Read the DATA_…, TEST_FRACTION and MODEL_… settings."""
    features, target = env_list("DATA_FEATURES", "x"), env("DATA_TARGET", "y")
    if len(set(features)) < len(features) or target in features or not features:
        raise SettingsError("DATA_FEATURES must name different columns, and DATA_TARGET another one")
    fraction = env_float("TEST_FRACTION", 0.2)
    if not 0 < fraction < 1:
        raise SettingsError(f"TEST_FRACTION must lie between 0 and 1, not {fraction}")
    estimator = env("MODEL_ESTIMATOR", DEFAULT_ESTIMATOR)
    most = env_int("DATA_MAX_CATEGORIES", 100, minimum=2)
    source = source_digest(estimator)
    return TrainingConfig(features, target, estimator, _read_parameters(), fraction, source, most)


def content_digest(data_digest: str, config: TrainingConfig) -> str:
    """Return the SHA-256 over data, code and parameters: equal digests are not trained again."""
    choices = [config.features, config.target, config.estimator, config.parameters, config.test_fraction]
    choices += [config.source] if config.source else []
    choices += [boosters(config)] if boosters(config) else []
    content = [data_digest, REVISION, choices, version("scikit-learn")]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def boosters(config: TrainingConfig) -> dict[str, str]:
    """Return the versions of the installed XGBoost and LightGBM, if the estimator may be of one of them."""
    names = config.estimator.split(",")
    return versions() if config.source or any(is_booster(name.strip()) for name in names) else {}


def _read_parameters() -> dict[str, Any]:
    text = env("MODEL_PARAMETERS", "{}")
    try:
        parameters = json.loads(text, parse_constant=float)
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        raise SettingsError(f'MODEL_PARAMETERS must be a JSON object such as {{"alpha": 0.5}}, not {text!r}')
    return parameters
