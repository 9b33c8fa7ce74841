"""scikit-learn's own preprocessing, in front of an estimator only where a column needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlstack.inference.artifact import Estimator
from mlstack.registry.columns import Column
from mlstack.runtime.arrays import FloatArray


def with_preprocessing(estimator: Estimator, columns: Sequence[Column]) -> Estimator:
    """Return a pipeline that prepares rows of encoded `columns` for `estimator`, or the estimator itself.

    Categories are one-hot: NULL is a category of its own, an unseen one is none of them. A missing number or
    boolean becomes the median with an indicator, unless the estimator takes NaN itself.
    """
    from sklearn.pipeline import Pipeline  # noqa: PLC0415 - takes seconds, and a run with nothing to do needs none

    transformers = _transformers(columns, _accepts_nan(estimator))
    if not transformers:
        return estimator
    return Pipeline([("columns", _column_transformer(transformers, columns)), *_steps(estimator)])  # type: ignore[no-any-return]


def _transformers(columns: Sequence[Column], accepts_nan: bool) -> list[tuple[str, Any, list[int]]]:
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder  # noqa: PLC0415

    found: list[tuple[str, Any, list[int]]] = []
    categories = [n for n, column in enumerate(columns) if column.kind == "category"]
    if categories:
        codes = [_codes(columns[n]) for n in categories]
        encoder = OneHotEncoder(categories=codes, handle_unknown="ignore", sparse_output=False)
        found.append(("categories", encoder, categories))
    missing = [n for n, column in enumerate(columns) if column.nullable and column.kind != "category"]
    if missing and not accepts_nan:
        imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        found.append(("missing", imputer, missing))
    return found


def _column_transformer(transformers: list[tuple[str, Any, list[int]]], columns: Sequence[Column]) -> Any:
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415

    used = {position for _, _, positions in transformers for position in positions}
    others = [position for position in range(len(columns)) if position not in used]
    if others:
        transformers = [*transformers, ("numbers", "passthrough", others)]
    return ColumnTransformer(transformers, sparse_threshold=0)


def _codes(column: Column) -> FloatArray:
    codes = np.arange(len(column.categories), dtype=np.float64)
    return np.append(codes, np.nan) if column.nullable else codes


def _accepts_nan(estimator: Any) -> bool:
    """Whether the estimator, or every step of a pipeline, is said to take NaN."""
    from sklearn.utils import get_tags  # noqa: PLC0415

    return all(get_tags(step).input_tags.allow_nan for _, step in _steps(estimator))


def _steps(estimator: Any) -> list[tuple[str, Any]]:
    if hasattr(estimator, "steps"):
        return list(estimator.steps)
    return [(type(estimator).__name__.lower(), estimator)]
