"""Comparing classifiers: the log loss, and folds with equal shares of each class."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from mlstack.tuning.cross_validation import FOLDS, fold_errors
from tests.harness.model_versions import line_table


def test_classifiers_are_compared_by_their_log_loss_on_stratified_folds() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(200, 2))
    table = np.column_stack([x, np.digitize(x.sum(axis=1) + random.normal(size=200), [-1, 1])])

    measure, errors = fold_errors(LogisticRegression(), table)

    by_hand = []
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=42).split(table, table[:, -1])
    for learned, held_out in ((table[rows], table[others]) for rows, others in folds):
        probabilities = (
            LogisticRegression().fit(learned[:, :-1], learned[:, -1]).predict_proba(held_out[:, :-1])
        )
        by_hand.append(-np.mean(np.log(probabilities[np.arange(40), held_out[:, -1].astype(int)])))
    assert measure == "log_loss"
    assert errors == pytest.approx(by_hand)


def test_a_class_with_fewer_rows_than_folds_does_not_end_the_comparison() -> None:
    table = line_table(rows=100)
    table[:, -1] = table[:, 0] > 10
    table[:3, -1] = 2

    measure, errors = fold_errors(LogisticRegression(), table)

    assert measure == "log_loss"
    assert np.isfinite(errors).all()
