"""The estimator as people use it, in model.pkl: it takes the table's own values and gives class labels.

It consists of scikit-learn's classes and NumPy's functions only: loading needs nothing of this project.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlstack.registry.columns import UNSEEN, Class, Column
from mlstack.registry.manifest import Manifest


def for_tables(estimator: Any, manifest: Manifest) -> Any:
    """Return `estimator`, with what is needed in front of it and behind it.

    A DataFrame with the columns' names, in any order, or an array of their values, in the manifest's order.
    """
    from sklearn.pipeline import Pipeline  # noqa: PLC0415 - slow to import; only needed where a model is written

    final = _labelling(estimator, manifest.classes) if manifest.classes else estimator
    if all(column.plain for column in manifest.schema):
        return final
    return Pipeline([("table", _encoder(manifest.schema)), ("model", final)])


def _encoder(columns: Sequence[Column]) -> Any:
    """Return the transformer from the table's values to encoded rows, as mlstack/registry/columns.py says."""
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415

    parts = [(column.name, _column_encoder(column), [n]) for n, column in enumerate(columns)]
    encoder = ColumnTransformer(parts, sparse_threshold=0)
    encoder.fit(np.array([[_example(column) for column in columns]], dtype=object))
    encoder.feature_names_in_ = np.array([column.name for column in columns], dtype=object)
    return encoder


def _column_encoder(column: Column) -> Any:
    from sklearn.pipeline import Pipeline  # noqa: PLC0415
    from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder  # noqa: PLC0415

    if column.kind != "category":
        return FunctionTransformer(np.asarray, kw_args={"dtype": np.float64})
    known = np.arange(len(column.categories), dtype=np.float64)
    values = np.array([*column.categories, None, np.nan], dtype=object)  # both mean NULL
    encoder = OrdinalEncoder(
        categories=[values],
        handle_unknown="use_encoded_value",
        unknown_value=int(UNSEEN),
        encoded_missing_value=np.nan,
    )
    # The code of None lies right of the known ones.
    known = np.append(UNSEEN, known)
    null = FunctionTransformer(np.interp, kw_args={"xp": known, "fp": known, "right": np.nan})
    array = FunctionTransformer(np.asarray, kw_args={"dtype": object})
    return Pipeline([("values", array), ("codes", encoder), ("null", null)])


def _example(column: Column) -> object:
    return column.categories[0] if column.categories else 0.0


def _labelling(estimator: Any, classes: tuple[Class, ...]) -> Any:
    """Return a classifier with the same probabilities that predicts labels, not their positions."""
    from sklearn.ensemble import VotingClassifier  # noqa: PLC0415
    from sklearn.preprocessing import LabelEncoder  # noqa: PLC0415

    labels = np.array(classes)
    voting = VotingClassifier([("model", estimator)], voting="soft")  # of one: its own probabilities
    voting.estimators_, voting.classes_ = [estimator], labels
    voting.le_ = LabelEncoder().fit(labels)
    return voting
