"""Make it yours: any scikit-learn estimator works through two settings; all else is refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlstack.inference.loading import load_model
from mlstack.registry.intervals import ConformalInterval, LeastSquaresInterval
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.config import TrainingConfig
from mlstack.training.train import train
from tests.harness.model_versions import line_table, publish


@pytest.mark.parametrize(
    ("estimator", "parameters", "interval"),
    [
        ("sklearn.linear_model.LinearRegression", {}, LeastSquaresInterval),
        ("sklearn.linear_model.LinearRegression", {"fit_intercept": False}, ConformalInterval),
        ("sklearn.linear_model.Ridge", {"alpha": 0.5}, ConformalInterval),
        ("sklearn.ensemble.RandomForestRegressor", {"n_estimators": 5, "n_jobs": 2}, ConformalInterval),
        ("sklearn.ensemble.HistGradientBoostingRegressor", {"max_iter": 5}, ConformalInterval),
        ("sklearn.neighbors.KNeighborsRegressor", {}, ConformalInterval),
        ("sklearn.preprocessing.StandardScaler, sklearn.svm.SVR", {"svr__C": 10.0}, ConformalInterval),
    ],
)
def test_any_regressor_with_any_features_can_be_published_and_served(
    tmp_path: Path, estimator: str, parameters: dict[str, object], interval: type
) -> None:
    store, names = ModelStore(tmp_path), ("a", "b", "c")
    config = TrainingConfig(features=names, estimator=estimator, parameters=parameters)

    model = load_model(store.path(publish(store, line_table(features=3), config)))

    answer = model.predict(np.array([[5.0, 6.0, 7.0], [1.0, 2.0, 3.0]]))
    assert model.features == names
    assert isinstance(model.manifest.interval, interval)
    assert (answer.lower <= answer.values).all()
    assert (answer.values <= answer.upper).all()
    assert ((answer.confidence >= 0) & (answer.confidence <= 1)).all()


@pytest.mark.parametrize(
    ("estimator", "parameters", "reason"),
    [
        ("os.system", {}, "must name a scikit-learn class"),
        ("Ridge", {}, "must name a scikit-learn class"),
        ("sklearn.linear_model.Rigde", {}, "which this scikit-learn does not have"),
        ("sklearn.nowhere.Ridge", {}, "which this scikit-learn does not have"),
        (
            "sklearn.linear_model.LogisticRegression",
            {},
            "y: holds fractions, and a classifier",
        ),
        ("sklearn.svm.LinearSVC", {}, "wrap it in sklearn.calibration.CalibratedClassifierCV"),
        ("sklearn.preprocessing.StandardScaler", {}, "is not a scikit-learn regressor or classifier"),
        ("sklearn.linear_model.Ridge", {"aplha": 1}, "Invalid parameter 'aplha'"),
        ("sklearn.linear_model.Ridge", {"alpha": "much"}, "cannot be trained"),
        ("sklearn.linear_model.Ridge", {"alpha": -1}, "cannot be trained"),
    ],
)
def test_an_impossible_estimator_is_refused_in_one_line(
    estimator: str, parameters: dict[str, object], reason: str
) -> None:
    config = TrainingConfig(estimator=estimator, parameters=parameters)

    with pytest.raises(TrainingRefused) as refused:
        train(line_table(), config, "digest", "t")

    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
