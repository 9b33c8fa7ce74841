"""Creates the estimator named by MODEL_ESTIMATOR and MODEL_PARAMETERS."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from mlstack.inference.artifact import Estimator
from mlstack.inference.boosters import INSTALL, import_booster, is_booster, prepare_imported
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.config import TrainingConfig
from mlstack.training.custom import is_custom, make_custom
from mlstack.training.splitting import RANDOM_STATE


def build_estimator(config: TrainingConfig) -> Estimator:
    """Return the unfitted estimator; several class names, separated by commas, become a pipeline.

    In a pipeline a parameter is named `step__parameter`, the step being the class in lower case, such as
    `ridge__alpha`. Every `random_state` is fixed, so that the same data give the same model. Raise
    TrainingRefused for names and parameters that scikit-learn does not have.
    """
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - takes seconds, and a run with nothing to do needs none

    classes = [_find_class(name.strip()) for name in config.estimator.split(",")]
    try:
        estimator: Any = classes[0]() if len(classes) == 1 else make_pipeline(*(each() for each in classes))
        states = _unset_states(estimator)
        estimator.set_params(**dict.fromkeys(states, RANDOM_STATE) | config.parameters)
    except (TypeError, ValueError, AttributeError) as error:
        reason = str(error).partition("\n")[0]
        raise TrainingRefused(
            f"MODEL_ESTIMATOR {config.estimator} with MODEL_PARAMETERS: {reason}"
        ) from error
    prepare_imported()
    _check_kind(config.estimator, estimator)
    return estimator  # type: ignore[no-any-return]


def is_classifier(estimator: Estimator) -> bool:
    """Return whether the estimator predicts classes."""
    from sklearn import base  # noqa: PLC0415

    return bool(base.is_classifier(estimator))


def _check_kind(name: str, estimator: Any) -> None:
    """Raise TrainingRefused unless it is a regressor, or a classifier that gives probabilities."""
    from sklearn import base  # noqa: PLC0415

    if base.is_regressor(estimator):
        return
    if not base.is_classifier(estimator):
        raise TrainingRefused(f"MODEL_ESTIMATOR {name} is not a scikit-learn regressor or classifier")
    if not hasattr(estimator, "predict_proba"):
        raise TrainingRefused(
            f"MODEL_ESTIMATOR {name} gives no probabilities (it has no predict_proba): wrap it in "
            "sklearn.calibration.CalibratedClassifierCV, which by itself calibrates a LinearSVC"
        )


def _unset_states(estimator: Any) -> list[str]:
    """Return the parameters `random_state` that have no value."""
    parameters = estimator.get_params()
    return [
        each for each in parameters if each.split("__")[-1] == "random_state" and parameters[each] is None
    ]


def _find_class(name: str) -> Any:
    """Return the class of this name, or the function that makes the user's own estimator."""
    if is_custom(name):
        return partial(make_custom, name)
    module, _, attribute = name.rpartition(".")
    if not (module + ".").startswith("sklearn.") and not is_booster(module):
        raise TrainingRefused(
            f"MODEL_ESTIMATOR must name a scikit-learn class such as sklearn.linear_model.Ridge, "
            f"or a function of yours such as model.py:make_estimator, not {name!r}"
        )
    if is_booster(module):
        _import_booster(name)
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError):
        library = "scikit-learn" if name.startswith("sklearn.") else name.partition(".")[0]
        raise TrainingRefused(f"MODEL_ESTIMATOR names {name}, which this {library} does not have") from None


def _import_booster(name: str) -> None:
    library = name.partition(".")[0]
    try:
        import_booster(library)
    except ModuleNotFoundError as error:
        raise TrainingRefused(
            f"MODEL_ESTIMATOR names {name}, and this image does not hold {library}: {INSTALL}"
        ) from error
