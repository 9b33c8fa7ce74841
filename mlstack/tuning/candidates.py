"""The candidates that 25-optimize_model.py compares: the configured model and others of its kind."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from mlstack.runtime.settings import SettingsError, env
from mlstack.training.config import DEFAULT_ESTIMATOR, TrainingConfig
from mlstack.training.estimators import build_estimator, is_classifier

_LINEAR = "sklearn.linear_model"
_SCALED = "sklearn.preprocessing.StandardScaler"
_POLYNOMIAL = f"sklearn.preprocessing.PolynomialFeatures,{_SCALED}"
_ENSEMBLE = "sklearn.ensemble"

# Compared in this order, the cheap ones first, because the time limit may end the comparison.
_REGRESSORS: tuple[tuple[str, dict[str, Any]], ...] = (
    (f"{_LINEAR}.LinearRegression", {}),
    *((f"{_SCALED},{_LINEAR}.Ridge", {"ridge__alpha": alpha}) for alpha in (0.1, 1.0, 10.0)),
    (f"{_SCALED},{_LINEAR}.HuberRegressor", {}),
    *(
        (f"{_POLYNOMIAL},{_LINEAR}.Ridge", {"polynomialfeatures__degree": degree, "ridge__alpha": alpha})
        for degree in (2, 3)
        for alpha in (0.01, 1.0)
    ),
    *(
        (f"{_SCALED},sklearn.neighbors.KNeighborsRegressor", {"kneighborsregressor__n_neighbors": neighbours})
        for neighbours in (5, 15)
    ),
    *(
        (f"{_ENSEMBLE}.HistGradientBoostingRegressor", {"learning_rate": rate, "max_iter": 200})
        for rate in (0.03, 0.1)
    ),
    (f"{_ENSEMBLE}.RandomForestRegressor", {"n_estimators": 100, "min_samples_leaf": 3}),
)

_CLASSIFIERS: tuple[tuple[str, dict[str, Any]], ...] = (
    *(
        (
            f"{_SCALED},{_LINEAR}.LogisticRegression",
            {"logisticregression__C": strength, "logisticregression__max_iter": 1000},
        )
        for strength in (0.1, 1.0, 10.0)
    ),
    ("sklearn.naive_bayes.GaussianNB", {}),
    *(
        (
            f"{_SCALED},sklearn.neighbors.KNeighborsClassifier",
            {"kneighborsclassifier__n_neighbors": neighbours},
        )
        for neighbours in (15, 50)
    ),
    *(
        (f"{_ENSEMBLE}.HistGradientBoostingClassifier", {"learning_rate": rate, "max_iter": 200})
        for rate in (0.03, 0.1)
    ),
    (f"{_ENSEMBLE}.RandomForestClassifier", {"n_estimators": 200, "min_samples_leaf": 3}),
)


def read_candidates(configured: TrainingConfig) -> list[TrainingConfig]:
    """Return `configured`, then the other candidates: OPTIMIZE_CANDIDATES or the built-in ones."""
    text = env("OPTIMIZE_CANDIDATES", "")
    choices = _parse(text) if text else _built_in(configured)
    found = [configured]
    for estimator, parameters in choices:
        candidate = replace(configured, estimator=estimator, parameters=parameters)
        if candidate not in found:
            found.append(candidate)
    return found


def _built_in(configured: TrainingConfig) -> tuple[tuple[str, dict[str, Any]], ...]:
    if configured.estimator == DEFAULT_ESTIMATOR:
        return _REGRESSORS
    return _CLASSIFIERS if is_classifier(build_estimator(configured)) else _REGRESSORS


def _parse(text: str) -> list[tuple[str, dict[str, Any]]]:
    try:
        entries = json.loads(text)
        choices = [(entry["estimator"], entry.get("parameters", {})) for entry in entries]
    except (ValueError, TypeError, KeyError, AttributeError):
        choices = []
    if not choices or not all(isinstance(name, str) and isinstance(given, dict) for name, given in choices):
        raise SettingsError(
            'OPTIMIZE_CANDIDATES must be a JSON list such as [{"estimator": "sklearn.linear_model.Ridge",'
            f' "parameters": {{"alpha": 0.5}}}}], not {text!r}'
        )
    return choices
