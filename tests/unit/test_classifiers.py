"""Classifiers: classes, stratified hold-out, metrics, prediction sets that cover 95 % of fresh rows."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as reference

from mlstack.inference.loading import load_model
from mlstack.registry.columns import Class, Column
from mlstack.registry.intervals import ConformalSets
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.class_metrics import class_frequencies, classifier_metrics
from mlstack.training.config import TrainingConfig
from mlstack.training.intervals import conformal_sets
from mlstack.training.splitting import split_stratified
from mlstack.training.train import train
from tests.harness.mixed_tables import FEATURES, NAMES, SPECIES, classified, publish_table

_LOGISTIC = "sklearn.linear_model.LogisticRegression"
_CLASSIFIERS = [
    _LOGISTIC,
    "sklearn.preprocessing.StandardScaler,sklearn.linear_model.LogisticRegression",
    "sklearn.ensemble.RandomForestClassifier",
    "sklearn.ensemble.ExtraTreesClassifier",
    "sklearn.ensemble.HistGradientBoostingClassifier",
    "sklearn.ensemble.GradientBoostingClassifier",
    "sklearn.tree.DecisionTreeClassifier",
    "sklearn.neighbors.KNeighborsClassifier",
    "sklearn.naive_bayes.GaussianNB",
    "sklearn.calibration.CalibratedClassifierCV",
]


def _flowers(rows: int, seed: int) -> FloatArray:
    """Return rows of two numbers and one of three classes that overlap [n, 3]."""
    random = np.random.default_rng(seed)
    y = random.integers(3, size=rows)
    return np.column_stack([random.normal(y, 1.0), random.normal(-y, 1.5), y])


@pytest.mark.filterwarnings("ignore:lbfgs failed")
@pytest.mark.parametrize("estimator", _CLASSIFIERS)
def test_any_classifier_with_any_columns_can_be_published_and_served(tmp_path: Path, estimator: str) -> None:
    store = ModelStore(tmp_path)

    model = load_model(store.path(publish_table(store, classified(), SPECIES, estimator)))

    answer = model.classify(classified(seed=3)[:, :-1])
    assert model.classes == ("ant", "bee", "cat")
    assert model.metrics["roc_auc"] > 0.7
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1.0)
    assert (answer.likeliest == classified(seed=3)[:, -1]).mean() > 0.5
    assert answer.members.any(axis=1).all()


@pytest.mark.parametrize(
    ("kind", "values", "classes"),
    [
        ("number", (-3.0, 0.0, 7.0), (-3, 0, 7)),
        ("boolean", (0.0, 1.0), (False, True)),
        ("category", (0.0, 1.0, 2.0), ("ant", "bee", "cat")),
    ],
)
def test_a_target_of_whole_numbers_booleans_or_text_becomes_classes(
    kind: str, values: tuple[float, ...], classes: tuple[Class, ...]
) -> None:
    target = SPECIES if kind == "category" else Column(name="species", kind=kind)  # type: ignore[arg-type]
    table = classified(classes=len(values))
    table[:, -1] = np.array(values)[table[:, -1].astype(int)]

    estimator, manifest = train(
        table,
        TrainingConfig(NAMES, "species", "sklearn.tree.DecisionTreeClassifier"),
        "d",
        "t",
        (*FEATURES, target),
    )

    assert manifest.classes == classes
    assert [type(each) for each in manifest.classes] == [type(each) for each in classes]
    assert estimator.predict_proba(table[:5, :-1]).shape == (5, len(classes))


def _refusal(table: FloatArray, target: Column, estimator: str = _LOGISTIC, most: int = 100) -> str:
    config = TrainingConfig(NAMES, target.name, estimator, max_categories=most)
    with pytest.raises(TrainingRefused) as refused:
        train(table, config, "digest", "t", (*FEATURES, target))
    return str(refused.value)


def test_a_target_that_is_no_class_is_refused_in_one_line() -> None:
    number = Column(name="grade", kind="number")
    table = classified()
    fractions, missing, single, rare = (table.copy() for _ in range(4))
    fractions[:, -1] += 0.5
    missing[3, -1] = math.nan
    single[:, -1] = 1
    rare[5, -1] = 9

    assert "grade: holds fractions" in _refusal(fractions, number)
    assert "grade: holds NULL" in _refusal(missing, number)
    assert "nothing to learn" in _refusal(single, number)
    assert "grade: class 9 has 1 row" in _refusal(rare, number)
    assert "grade: has 3 classes, DATA_MAX_CATEGORIES allows 2" in _refusal(table, number, most=2)


@pytest.mark.parametrize("target", [SPECIES, Column(name="sold", kind="boolean")])
def test_classes_with_a_regressor_are_refused(target: Column) -> None:
    reason = _refusal(classified(classes=2), target, "sklearn.linear_model.Ridge")

    assert "is a regressor, which predicts numbers: choose a classifier" in reason


def test_the_hold_out_has_its_share_of_each_class_and_is_always_the_same() -> None:
    y = np.repeat([0.0, 1.0, 2.0], [1000, 100, 2])
    table = np.column_stack([np.arange(len(y)), y])

    training, holdout = split_stratified(table.copy(), 0.2)
    again = split_stratified(table.copy(), 0.2)

    assert np.unique(holdout.y, return_counts=True)[1].tolist() == [200, 20, 1]
    assert sorted([*training.x[:, 0], *holdout.x[:, 0]]) == list(range(len(y)))
    np.testing.assert_array_equal(holdout.table, again[1].table)
    assert (np.diff(training.x[:, 0]) < 0).any()


@pytest.mark.parametrize("classes", [2, 3])
def test_metrics_are_those_of_scikit_learn(classes: int) -> None:
    random = np.random.default_rng(1)
    probabilities = random.dirichlet(np.ones(classes), size=300)
    y = np.array([random.choice(classes, p=row) for row in probabilities])
    baseline = np.tile(class_frequencies(y, classes), (300, 1))

    found = classifier_metrics(y, probabilities, baseline[0])

    scores = probabilities[:, 1] if classes == 2 else probabilities
    assert found == pytest.approx(
        {
            "accuracy": reference.accuracy_score(y, probabilities.argmax(axis=1)),
            "balanced_accuracy": reference.balanced_accuracy_score(y, probabilities.argmax(axis=1)),
            "log_loss": reference.log_loss(y, probabilities),
            "roc_auc": reference.roc_auc_score(y, scores, multi_class="ovr", average="macro"),
            "brier": reference.brier_score_loss(y, probabilities),
            "baseline_accuracy": reference.accuracy_score(y, baseline.argmax(axis=1)),
            "baseline_balanced_accuracy": reference.balanced_accuracy_score(y, baseline.argmax(axis=1)),
            "baseline_log_loss": reference.log_loss(y, baseline),
            "baseline_roc_auc": reference.roc_auc_score(
                y, baseline[:, 1] if classes == 2 else baseline, multi_class="ovr", average="macro"
            ),
            "baseline_brier": reference.brier_score_loss(y, baseline),
        },
        rel=1e-12,
    )


def test_prediction_sets_of_fresh_rows_hold_the_true_class_in_95_of_100_cases() -> None:
    """Over repeated draws of training data and fresh rows; less by chance once in 30,000 runs."""
    draws, fresh, held_out = 60, 300, 100
    covered = 0.0
    for draw in range(draws):
        table = _flowers(5 * held_out, draw)
        estimator, manifest = train(table, TrainingConfig(("a", "b"), "y", _LOGISTIC), "digest", "t")
        assert isinstance(manifest.interval, ConformalSets)
        rows = _flowers(fresh, 10_000 + draw)
        probabilities = estimator.predict_proba(rows[:, :-1])
        found = probabilities[np.arange(fresh), rows[:, -1].astype(int)]
        covered += float((found >= manifest.interval.threshold).mean()) / draws

    one_draw = (
        0.95 * 0.05 * (1 / (held_out + 2) + 1 / fresh)
    )  # of the coverage given a hold-out, and of its estimate
    assert covered >= 0.95 - 4 * math.sqrt(one_draw / draws)
    assert covered <= 0.95 + 1 / (held_out + 1) + 4 * math.sqrt(one_draw / draws)


def test_the_threshold_is_one_minus_the_smallest_score_that_covers() -> None:
    probabilities = np.arange(1, 100) / 100  # of 99 rows: the 95th smallest score is 1 - 0.05

    assert conformal_sets(probabilities).threshold == 0.05
    assert conformal_sets(probabilities[:18]).threshold == 0.0
    assert conformal_sets(probabilities[:19]).threshold == 0.01
