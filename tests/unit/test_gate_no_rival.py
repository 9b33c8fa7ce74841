"""The quality gate says why it does not compare a version with the current one."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mlstack.evaluation.comparison import compare_on_holdout
from mlstack.registry.columns import Column
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.arrays import FloatArray
from tests.harness.mixed_tables import CITIES, FEATURES, SPECIES, classified, publish_table
from tests.harness.model_versions import promote

_FOREST = "sklearn.ensemble.RandomForestClassifier"
_TREE = "sklearn.tree.DecisionTreeClassifier"


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def _compare(store: ModelStore, version: int, table: FloatArray) -> Evaluation:
    digest = store.verified(version).provenance.data
    return compare_on_holdout(store, version, table.copy(), digest, 0.05).evaluation


def _no_rival(store: ModelStore, caplog: pytest.LogCaptureFixture) -> Evaluation:
    """Compare the forest of classified() with the current version, which is none of its rivals."""
    table = classified()
    version = publish_table(store, table, SPECIES, _FOREST, n_estimators=20, min_samples_leaf=5)
    with caplog.at_level(logging.WARNING):
        evaluation = _compare(store, version, table)
    assert evaluation.verdict == "promoted"
    assert evaluation.current_version is None
    assert evaluation.reason == f"passed the quality gate; {evaluation.not_compared}"
    assert vars(caplog.records[-1])["reason"] in evaluation.not_compared
    return evaluation


@pytest.mark.parametrize(
    ("columns", "kept", "reason"),
    [
        (FEATURES[:4], [0, 1, 2, 3, 5], "its columns are area, city, rooms, garden"),
        (
            (Column(name="area", kind="category", categories=CITIES), *FEATURES[1:]),
            [1, 1, 2, 3, 4, 5],
            "its column area holds text, not numbers",
        ),
    ],
)
def test_versions_of_other_columns_are_not_compared_and_say_why(
    store: ModelStore,
    caplog: pytest.LogCaptureFixture,
    columns: tuple[Column, ...],
    kept: list[int],
    reason: str,
) -> None:
    table = np.nan_to_num(classified()[:, kept])
    promote(store, publish_table(store, table, SPECIES, _FOREST, columns, n_estimators=5))

    evaluation = _no_rival(store, caplog)

    assert evaluation.not_compared == f"version 1 was not compared: {reason}"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (Column(name="species", kind="category", categories=("ant", "dog", "eel")), "fewer than two of its"),
        (Column(name="species", kind="number"), "fewer than two of its classes are classes of this version"),
        (msgspec.structs.replace(SPECIES, name="kind"), "it predicts kind"),
    ],
)
def test_versions_of_other_targets_are_not_compared_and_say_why(
    store: ModelStore, caplog: pytest.LogCaptureFixture, target: Column, reason: str
) -> None:
    promote(store, publish_table(store, classified(), target, _FOREST, n_estimators=5))

    assert reason in _no_rival(store, caplog).not_compared


def test_a_comparison_on_a_few_rows_does_not_decide(
    store: ModelStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Nearly every row has a NULL that the current version does not take."""
    full = tuple(msgspec.structs.replace(each, nullable=False) for each in FEATURES)
    promote(store, publish_table(store, np.nan_to_num(classified()), SPECIES, _FOREST, full, n_estimators=5))
    table = classified()
    table[np.random.default_rng(1).random(len(table)) < 0.9, 2] = np.nan
    version = publish_table(store, table, SPECIES, _TREE, max_depth=3)

    with caplog.at_level(logging.WARNING):
        evaluation = _compare(store, version, table)

    assert "too few to compare" in evaluation.not_compared
    assert evaluation.current_version is None
