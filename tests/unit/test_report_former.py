"""The quality gate's report: the former version beside the new one."""

from __future__ import annotations

import math
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pytest
from sklearn import metrics as reference

from mlstack.evaluation.comparison import Comparison, compare_on_holdout
from mlstack.evaluation.report import write_report
from mlstack.evaluation.scores import Against, Scores, verdict_on
from mlstack.inference.loading import load_model
from mlstack.registry.columns import Column
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import read_evaluation, write_evaluation
from mlstack.runtime.arrays import FloatArray
from tests.harness.mixed_tables import FEATURES, PRICE, SPECIES, classified, priced, publish_table
from tests.harness.model_versions import promote

_FOREST = "sklearn.ensemble.RandomForestClassifier"
_TREE = "sklearn.tree.DecisionTreeClassifier"
_PAIR = Column(name="species", kind="category", categories=("ant", "bee"))


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def _reported(store: ModelStore, version: int, table: FloatArray) -> tuple[Comparison, str, str]:
    """Compare and write the report; return the comparison, the page and the text of its pictures."""
    digest, directory = store.verified(version).provenance.data, store.path(version)
    comparison = compare_on_holdout(store, version, table.copy(), digest, 0.05)
    write_report(comparison, directory)
    drawn = ET.parse(directory / "report.svg").getroot()  # noqa: S314 - we wrote it
    return comparison, (directory / "report.html").read_text("utf-8"), "\n".join(drawn.itertext())


def _last_cell(page: str, name: str) -> str:
    """Return the last cell of the row that is called `name`."""
    row = re.search(rf"<tr><t[hd]>{re.escape(name)}</t[hd]>.*?</tr>", page, re.DOTALL)
    assert row is not None
    return str(re.findall(r"<td[^>]*>(.*?)</td>", row.group())[-1])


def test_a_classifiers_metrics_stand_beside_those_of_the_former_version(store: ModelStore) -> None:
    table = classified(classes=2)
    promote(store, publish_table(store, table, _PAIR, _FOREST, min_samples_leaf=5))
    version = publish_table(store, table, _PAIR, _TREE, max_depth=2)

    comparison, page, drawn = _reported(store, version, table)

    holdout = comparison.holdout
    found = load_model(store.path(1)).classify(np.ascontiguousarray(holdout.x))
    actual, probability = holdout.y, found.probabilities[:, 1]
    for name, value in {
        "accuracy": reference.accuracy_score(actual, found.likeliest),
        "balanced_accuracy": reference.balanced_accuracy_score(actual, found.likeliest),
        "log_loss": reference.log_loss(actual, probability),
        "roc_auc": reference.roc_auc_score(actual, probability),
        "brier": reference.brier_score_loss(actual, probability),
    }.items():
        assert _last_cell(page, name) == f"{value:.6g}"
    covered = found.members[np.arange(80), actual.astype(int)].mean()
    assert _last_cell(page, "prediction sets that hold the actual class") == f"{covered:.1%}"
    assert f"version 1: {reference.roc_auc_score(actual, probability):.3f}" in drawn
    assert f"version 1: {reference.average_precision_score(actual, probability):.3f}" in drawn
    assert drawn.count("version 1") == 3


def test_errors_by_column_stand_beside_those_of_the_former_version(store: ModelStore) -> None:
    table = priced()
    promote(store, publish_table(store, table, PRICE, "sklearn.ensemble.RandomForestRegressor"))
    version = publish_table(store, table, PRICE, "sklearn.linear_model.Ridge")

    comparison, page, drawn = _reported(store, version, table)

    holdout = comparison.holdout
    found = load_model(store.path(1)).predict(np.ascontiguousarray(holdout.x))
    hanoi = holdout.x[:, 1] == 0
    rmse = reference.root_mean_squared_error(holdout.y[hanoi], found.values[hanoi])
    cells = re.search(r"<tr><td>city</td><td>Hanoi</td>.*?</tr>", page, re.DOTALL)
    assert cells is not None
    assert f'<td class="number">{rmse:.4g}</td></tr>' in cells.group()
    assert _last_cell(page, "mae") == f"{reference.mean_absolute_error(holdout.y, found.values):.6g}"
    assert _last_cell(page, "r2") == f"{reference.r2_score(holdout.y, found.values):.6g}"
    covered = np.mean((found.lower <= holdout.y) & (holdout.y <= found.upper))
    assert _last_cell(page, "95 % intervals that hold the actual value") == f"{covered:.1%}"
    assert drawn.count("version 1") == 1


def test_of_many_classes_the_pictures_have_the_new_versions_curves_only(store: ModelStore) -> None:
    promote(store, publish_table(store, classified(), SPECIES, _FOREST, n_estimators=5))
    version = publish_table(store, classified(), SPECIES, _TREE, max_depth=2)

    _, page, drawn = _reported(store, version, classified())

    assert "version 1" not in drawn
    assert '<th class="number">version 1</th>' in page


def test_a_part_of_the_rows_is_told_beside_both_figures(store: ModelStore) -> None:
    full = tuple(msgspec.structs.replace(each, nullable=each.name != "rooms") for each in FEATURES)
    none, gaps = classified(), classified()
    none[:, 2] = np.nan_to_num(none[:, 2])
    promote(store, publish_table(store, none, SPECIES, _FOREST, full, n_estimators=5))
    version = publish_table(store, gaps, SPECIES, _FOREST, n_estimators=5)

    comparison, page, drawn = _reported(store, version, gaps)

    evaluation, taken = comparison.evaluation, int((~np.isnan(comparison.holdout.x[:, 2])).sum())
    assert f"Both are compared on {taken} of the 80 rows: those without NULL in rooms." in page
    assert f"this version, {taken} rows" in page
    assert f'{evaluation.shared_metrics["brier"]:.6g}</td><td class="number">' in page
    assert _last_cell(page, "brier") == f"{evaluation.current_metrics['brier']:.6g}"
    assert "version 1" not in drawn


def test_a_version_that_is_not_compared_is_named_with_the_reason(store: ModelStore) -> None:
    table = classified()[:, [0, 1, 5]]
    promote(store, publish_table(store, table, SPECIES, _FOREST, FEATURES[:2], n_estimators=5))
    version = publish_table(store, classified(), SPECIES, _FOREST, n_estimators=20)

    _, page, _ = _reported(store, version, classified())

    assert "The current version 1 was not compared: its columns are area, city." in page
    assert '<th class="number">not compared</th>' in page


def test_figures_that_are_no_numbers_do_not_damage_the_verdict(tmp_path: Path) -> None:
    """The current version overflows on the new rows: the file has no infinity in it."""
    against = Against(1, 20, "", 0, {"rmse": 1.0}, {"rmse": math.inf})
    scores = Scores("rmse", 20, {"rmse": 1.0, "coverage": 0.95}, 2.0, 0.0, against)

    evaluation = verdict_on(scores, 0.05)
    write_evaluation(tmp_path, evaluation)

    assert read_evaluation(tmp_path) == evaluation
    assert (evaluation.verdict, evaluation.current_rmse, evaluation.current_metrics) == ("promoted", None, {})
