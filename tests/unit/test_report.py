"""The quality gate's report: what it shows of classifiers and of mixed columns; values stay text."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score
from sklearn.tree import DecisionTreeRegressor

from mlstack.evaluation.comparison import Comparison
from mlstack.evaluation.holdout import PredictedClasses, PredictedValues, predict_holdout
from mlstack.evaluation.picture import picture_of
from mlstack.evaluation.report import write_report
from mlstack.evaluation.tables import error_rows
from mlstack.registry.columns import Class, Column
from mlstack.registry.picture import Picture
from tests.harness.compared_models import COLUMNS, HOSTILE, WIDTH, classified, compared, mixed_rows


def _written(comparison: Comparison, tmp_path: Path) -> tuple[str, str]:
    """Write the report; return the page and the text of its pictures."""
    write_report(comparison, tmp_path)
    drawn = ET.parse(tmp_path / "report.svg").getroot()  # noqa: S314 - we wrote it
    return (tmp_path / "report.html").read_text("utf-8"), "\n".join(drawn.itertext())


def test_the_confusion_matrix_counts_every_row_of_the_hold_out(tmp_path: Path) -> None:
    comparison = classified(tmp_path, ("cheap", "dear", "fair"))

    page, _ = _written(comparison, tmp_path)

    holdout = comparison.holdout
    likeliest = comparison.candidate.classify(np.ascontiguousarray(holdout.x)).likeliest
    shown = [int(count) for count in re.findall(r'<td class="s\d+(?: dark)?">(\d+)</td>', page)]
    expected = confusion_matrix(holdout.y.astype(int), likeliest)
    assert shown == expected.reshape(-1).tolist()
    assert picture_of(comparison) == Picture(kind="confusion", counts=expected.tolist())


@pytest.mark.parametrize("classes", [("cheap", "dear", "fair"), (False, True)])
def test_the_pictures_of_a_classifier_tell_the_area_under_each_curve(
    tmp_path: Path, classes: tuple[Class, ...]
) -> None:
    comparison = classified(tmp_path, classes)

    page, drawn = _written(comparison, tmp_path)

    found = comparison.candidate.classify(np.ascontiguousarray(comparison.holdout.x))
    for position, label in enumerate(["cheap", "dear", "fair"] if len(classes) == 3 else ["", "true"]):
        if label:
            actual, probability = comparison.holdout.y == position, found.probabilities[:, position]
            assert f"{label}: {roc_auc_score(actual, probability):.3f}" in drawn
            assert f"{label}: {average_precision_score(actual, probability):.3f}" in drawn
    for title in ("ROC", "Precision and recall", "Calibration", "Prediction sets"):
        assert title in drawn
    assert page.count('src="data:image/svg+xml;base64,') == 4


def test_metrics_stand_beside_the_baseline_and_sets_with_their_coverage(tmp_path: Path) -> None:
    comparison = classified(tmp_path, ("cheap", "dear", "fair"))

    page, _ = _written(comparison, tmp_path)

    members = comparison.candidate.classify(np.ascontiguousarray(comparison.holdout.x)).members
    covered = members[np.arange(200), comparison.holdout.y.astype(int)].mean()
    assert '<th>log_loss</th><td class="number">0.75</td><td class="number">1.0625</td>' in page
    assert f"hold the actual class</th><td>{covered:.1%}</td>" in page
    assert f"classes in a set</th><td>{members.sum(axis=1).mean():.6g}</td>" in page


def test_a_regressor_has_its_quantiles_and_the_coverage_of_its_intervals(tmp_path: Path) -> None:
    comparison = compared(
        tmp_path, DecisionTreeRegressor(max_depth=4, random_state=0), mixed_rows(), (), WIDTH
    )

    page, drawn = _written(comparison, tmp_path)

    predicted = comparison.candidate.predict(np.ascontiguousarray(comparison.holdout.x)).values
    covered = np.mean(np.abs(comparison.holdout.y - predicted) <= 1.0)
    assert f"hold the actual value</th><td>{covered:.1%}</td>" in page
    assert "mean width of an interval</th><td>2</td>" in page
    for title in ("Predicted against actual", "Residuals against predictions", "Normal quantiles"):
        assert title in drawn
    assert "Confusion" not in page


def test_the_schema_names_kinds_ranges_and_categories(tmp_path: Path) -> None:
    page, _ = _written(classified(tmp_path, ("cheap", "dear", "fair")), tmp_path)

    assert "<td>area</td><td>number</td><td>yes</td><td>20 to 220</td>" in page
    assert "<td>garden</td><td>boolean</td><td>no</td><td>false, true</td>" in page
    assert (
        "<td>category</td><td>no</td><td>&lt;script&gt;alert(1)&lt;/script&gt;, Huế\ufffd, Hà Nội</td>"
        in page
    )


def test_errors_are_told_for_each_part_of_a_column(tmp_path: Path) -> None:
    comparison = classified(tmp_path, ("cheap", "dear", "fair"))
    holdout = predict_holdout(comparison.candidate, comparison.holdout)
    assert isinstance(holdout, PredictedClasses)

    rows = error_rows(COLUMNS, holdout)

    wrong = comparison.holdout.y != holdout.likeliest
    missing, garden = np.isnan(comparison.holdout.x[:, 0]), comparison.holdout.x[:, 2] == 1
    found = {(row.column, row.values): (row.rows, row.error) for row in rows}
    assert found["area", "NULL"] == pytest.approx((missing.sum(), wrong[missing].mean()))
    assert found["garden", "true"] == pytest.approx((garden.sum(), wrong[garden].mean()))
    assert found["<b>city</b>", "a category that training has not seen"][0] == 4
    assert all(sum(row.rows for row in rows if row.column == column.name) == 200 for column in COLUMNS)


def test_the_error_of_a_part_is_its_rmse_for_a_regressor() -> None:
    rows, zeros = np.array([[0.0], [0.0], [1.0]]), np.zeros(3)
    holdout = PredictedValues(rows, np.array([3.0, 4.0, 5.0]), zeros, zeros, zeros)

    found = error_rows((Column(name="garden", kind="boolean"),), holdout)

    assert [(row.values, row.rows) for row in found] == [("false", 2), ("true", 1)]
    assert [row.error for row in found] == [pytest.approx(np.sqrt(12.5)), 5.0]


def test_names_and_categories_and_classes_are_text_and_never_markup(tmp_path: Path) -> None:
    page, _ = _written(classified(tmp_path, (HOSTILE, "\x02", "<img src=x>")), tmp_path)

    assert not re.findall(r"<(script|i|u|b|img src=x)\b", page)
    assert "The target is &lt;i&gt;price&lt;/i&gt;." in page
    assert "&lt;img src=x&gt;" in page
