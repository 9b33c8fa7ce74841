"""The quality gate for classifiers: better than the class frequencies, not worse than the current version."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mlstack.evaluation.comparison import Comparison, compare_on_holdout
from mlstack.evaluation.report import write_report
from mlstack.models.__main__ import main
from mlstack.registry.columns import Column
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.arrays import FloatArray
from tests.harness.mixed_tables import FEATURES, PRICE, SPECIES, classified, priced, publish_table
from tests.harness.model_versions import line_table, promote, publish

_FOREST = "sklearn.ensemble.RandomForestClassifier"
_TREE = "sklearn.tree.DecisionTreeClassifier"


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def _publish(store: ModelStore, table: FloatArray, target: Column = SPECIES, **more: Any) -> int:
    return publish_table(store, table, target, _FOREST, n_estimators=20, min_samples_leaf=5, **more)


def _compare(store: ModelStore, version: int, table: FloatArray) -> Comparison:
    digest = store.verified(version).provenance.data
    return compare_on_holdout(store, version, table.copy(), digest, 0.05)


def test_a_good_classifier_is_promoted_by_its_log_loss(store: ModelStore) -> None:
    table = classified()

    comparison = _compare(store, _publish(store, table), table)

    evaluation, manifest = comparison.evaluation, store.verified(1)
    assert evaluation.verdict == "promoted"
    assert evaluation.log_loss == pytest.approx(manifest.metrics["log_loss"], rel=1e-12)
    assert evaluation.baseline_log_loss == pytest.approx(manifest.metrics["baseline_log_loss"], rel=1e-12)
    assert evaluation.rmse is None
    assert set(comparison.holdout.y) == {0.0, 1.0, 2.0}


def test_a_target_of_whole_numbers_is_compared_by_its_classes(store: ModelStore) -> None:
    table = classified()
    table[:, -1] = 10 * table[:, -1] - 3

    evaluation = _compare(
        store, _publish(store, table, Column(name="grade", kind="number")), table
    ).evaluation

    assert evaluation.log_loss == pytest.approx(store.verified(1).metrics["log_loss"], rel=1e-12)


def test_a_classifier_no_better_than_the_frequencies_is_rejected(store: ModelStore) -> None:
    table = classified()
    np.random.default_rng(0).shuffle(table[:, -1])

    evaluation = _compare(store, publish_table(store, table, SPECIES, _TREE), table).evaluation

    assert evaluation.verdict == "rejected"
    assert "of always predicting the class frequencies" in evaluation.reason


def test_a_classifier_worse_than_the_current_one_is_rejected(store: ModelStore) -> None:
    table = classified()
    promote(store, _publish(store, table))
    stump = publish_table(store, table, SPECIES, _TREE, max_depth=1)

    evaluation = _compare(store, stump, table).evaluation

    assert evaluation.verdict == "rejected"
    assert "log loss" in evaluation.reason
    assert "of the current version by more than 5%" in evaluation.reason
    assert (evaluation.current_version, evaluation.current_log_loss is None) == (1, False)


def test_a_report_is_written_for_a_classifier_and_for_one_category_column(store: ModelStore) -> None:
    city = (FEATURES[1],)
    for version, table in (
        (_publish(store, classified()), classified()),
        (
            publish_table(store, priced()[:, [1, 5]], PRICE, "sklearn.linear_model.Ridge", city),
            priced()[:, [1, 5]],
        ),
    ):
        write_report(_compare(store, version, table), store.path(version))

        assert (store.path(version) / "report.html").exists()


def test_the_list_shows_each_kind_with_its_own_metrics(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODEL_DIR", str(store.root))
    _publish(store, classified())
    assert main(["list"]) == 0
    publish(store, line_table())
    assert main(["list"]) == 0

    alone, first, both, classifier, regressor = capsys.readouterr().out.splitlines()
    loss = f"{store.verified(1).metrics['log_loss']:.4g}"
    assert alone.split()[2:4] == ["log_loss", "accuracy"]
    assert first.split()[2] == loss
    assert both.split()[2:6] == ["rmse", "r2", "log_loss", "accuracy"]
    assert classifier.split()[2:5] == ["-", "-", loss]
    assert regressor.split()[4:6] == ["-", "-"]


def test_an_evaluation_of_the_first_release_is_read() -> None:
    old = b'{"verdict":"promoted","reason":"","decided_at":"","rows":20,"rmse":0.5,"baseline_rmse":10.0}'

    evaluation = msgspec.json.decode(old, type=Evaluation)

    assert evaluation.rmse is not None
    assert math.isclose(evaluation.rmse, 0.5)
    assert evaluation.log_loss is None
