"""The quality gate: better than the mean, not worse than the current version; operators decide in the end."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from mlstack.evaluation.comparison import Comparison, compare_on_holdout
from mlstack.evaluation.quality_gate import pending_version
from mlstack.evaluation.report import write_report
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import ModelRefused, QualityGateFailed
from mlstack.training.config import TrainingConfig
from tests.harness.model_versions import damage, line_table, promote, publish

TOLERANCE = 0.05


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def _compare(store: ModelStore, version: int, table: FloatArray) -> Comparison:
    digest = store.verified(version).provenance.data
    return compare_on_holdout(store, version, table.copy(), digest, TOLERANCE)


def test_the_first_good_version_is_promoted(store: ModelStore) -> None:
    table = line_table()

    evaluation = _compare(store, publish(store, table), table).evaluation

    assert evaluation.verdict == "promoted"
    assert evaluation.rows == 20
    assert evaluation.rmse == pytest.approx(store.verified(1).metrics["rmse"])
    assert evaluation.current_version is None


def test_a_model_no_better_than_the_mean_is_rejected(store: ModelStore) -> None:
    table = line_table()
    table[:, -1] = np.random.default_rng(3).normal(size=len(table))

    evaluation = _compare(store, publish(store, table), table).evaluation

    assert evaluation.verdict == "rejected"
    assert "of always predicting the mean" in evaluation.reason


def test_a_model_worse_than_the_current_one_is_rejected(store: ModelStore) -> None:
    table = line_table()
    promote(store, publish(store, table))
    blunt = TrainingConfig(("x1",), estimator="sklearn.linear_model.Ridge", parameters={"alpha": 1e4})

    evaluation = _compare(store, publish(store, table, blunt), table).evaluation

    assert evaluation.verdict == "rejected"
    assert "of the current version by more than 5%" in evaluation.reason
    assert evaluation.current_version == 1


def test_a_model_as_good_as_the_current_one_is_promoted_even_without_any_noise(store: ModelStore) -> None:
    table = line_table(noise=0.0)
    promote(store, publish(store, table))
    again = TrainingConfig(("x1",), parameters={"copy_X": False})

    assert _compare(store, publish(store, table, again), table).evaluation.verdict == "promoted"


def test_a_current_version_of_other_features_or_damaged_is_no_rival(store: ModelStore) -> None:
    promote(store, publish(store, line_table(features=2)))
    table = line_table()

    assert _compare(store, publish(store, table), table).evaluation.current_version is None
    damage(store, 1, "model.skops")
    assert _compare(store, 2, table).evaluation.verdict == "promoted"


def test_a_table_that_changed_since_training_judges_nothing(store: ModelStore) -> None:
    version = publish(store, line_table())

    with pytest.raises(QualityGateFailed, match="run model-train again"):
        compare_on_holdout(store, version, line_table(), "another digest", TOLERANCE)


def test_only_an_undecided_version_is_pending(store: ModelStore) -> None:
    with pytest.raises(QualityGateFailed, match="no version has been trained yet"):
        pending_version(store)
    version = publish(store, line_table())
    assert pending_version(store) == version
    promote(store, version)
    assert pending_version(store) is None


def test_a_rejection_fails_every_time_until_a_person_chooses(store: ModelStore) -> None:
    promote(store, publish(store, line_table()))
    store.reject(publish(store, line_table(3.0)), "worse")

    for _ in range(2):
        with pytest.raises(QualityGateFailed, match="version 2 rejected: worse; version 1 stays current"):
            pending_version(store)
    store.promote(1)
    assert pending_version(store) is None
    assert store.current() == 1


def test_a_rejection_with_nothing_served_says_so(store: ModelStore) -> None:
    store.reject(publish(store, line_table()), "worse")

    with pytest.raises(QualityGateFailed, match="rejected: worse; nothing is served"):
        pending_version(store)


def test_a_rolled_back_version_does_not_come_back(store: ModelStore) -> None:
    promote(store, publish(store, line_table()))
    promote(store, publish(store, line_table(3.0)))
    store.rollback()

    assert publish(store, line_table(3.0)) == 2
    assert pending_version(store) is None
    assert store.current() == 1


@pytest.mark.parametrize("damaged", [1, 2])
def test_a_damaged_current_or_latest_version_closes_the_gate(store: ModelStore, damaged: int) -> None:
    promote(store, publish(store, line_table()))
    promote(store, publish(store, line_table(3.0)))
    store.rollback()
    damage(store, damaged, "model.skops")

    with pytest.raises(ModelRefused, match="SHA-256 differs"):
        pending_version(store)


@pytest.mark.parametrize("features", [1, 3])
def test_the_report_is_a_picture_and_one_page_with_the_numbers(store: ModelStore, features: int) -> None:
    table = line_table(features=features)
    comparison = _compare(store, publish(store, table), table)

    write_report(comparison, store.path(1))

    page = (store.path(1) / "report.html").read_text(encoding="utf-8")
    picture = ET.parse(store.path(1) / "report.svg").getroot()  # noqa: S314 - we wrote it
    assert len(picture.findall(".//{http://www.w3.org/2000/svg}circle")) >= len(comparison.holdout.y)
    assert "data:image/svg+xml;base64," in page
    assert 'src="http' not in page
    assert f"{comparison.candidate.metrics['rmse']:.6g}" in page
    assert comparison.candidate.digest in page


def test_the_report_shows_names_as_text_and_never_as_markup(store: ModelStore) -> None:
    table = line_table()
    name = '<script>alert("x")</script>'
    comparison = _compare(store, publish(store, table, TrainingConfig((name,))), table)

    write_report(comparison, store.path(1))

    page = (store.path(1) / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "coefficient of &lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in page
