"""What answers need beyond numbers: unseen categories, and a bound on how long an answer becomes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlstack.inference.answer_size import REGRESSOR_BYTES
from mlstack.inference.loaded_model import LoadedModel
from mlstack.registry.columns import UNSEEN, Column
from mlstack.runtime.arrays import FloatArray
from mlstack.web.problems import InvalidInput

_LARGEST_ANSWER = 2 << 20  # bytes: more could not be logged within the time that a store has


def unseen_categories(columns: Sequence[Column], rows: FloatArray) -> list[list[str]] | None:
    """Return for each encoded row the columns with a category that training has not seen.

    None if no column has categories.
    """
    positions = [position for position, column in enumerate(columns) if column.kind == "category"]
    if not positions:
        return None
    unseen: list[list[str]] = [[] for _ in rows]
    for row, found in np.argwhere(rows[:, positions] == UNSEEN).tolist():
        unseen[row].append(columns[positions[found]].name)
    return unseen


def check_answer_size(model: LoadedModel, n_rows: int, max_rows: int) -> None:
    """Raise InvalidInput if the answer to so many rows would be too long."""
    each = model.answer_bytes
    most = max(1, max(_LARGEST_ANSWER, max_rows * REGRESSOR_BYTES) // each)
    if n_rows > most:
        raise InvalidInput(
            f"expected at most {most} rows in one request: the answer of this model, with"
            f" {len(model.classes)} classes, has up to {each} bytes a row; got {n_rows} rows"
        )
