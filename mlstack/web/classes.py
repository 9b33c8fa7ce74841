"""What answers need beyond numbers: classes and unseen categories as JSON, and how long an answer becomes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from mlstack.registry.columns import UNSEEN, Class, Column
from mlstack.registry.loaded_model import LoadedModel
from mlstack.runtime.arrays import FloatArray
from mlstack.web.problems import InvalidInput

_NUMBER_BYTES = 25  # of the longest number, and a comma
_REGRESSOR_BYTES = 108  # of a row: four numbers, with brackets and commas
_LARGEST_ANSWER = 2 << 20  # bytes: more could not be logged within the time that a store has
_encode = msgspec.json.Encoder().encode


def class_key(label: Class) -> str:
    """Return a class as the key of a JSON object."""
    if isinstance(label, bool):
        return "true" if label else "false"
    return str(label)


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


def answer_bytes(model: LoadedModel) -> int:
    """Return the most bytes that a row's answer has as JSON."""
    if not model.classes and model.plain:
        return _REGRESSOR_BYTES
    names = [len(_encode(column.name)) + 1 for column in model.columns if column.kind == "category"]
    unseen = sum(names) + 3
    if not model.classes:
        return _REGRESSOR_BYTES + unseen
    labels = [len(_encode(class_key(label))) + 1 for label in model.classes]
    probabilities = sum(labels) + len(labels) * _NUMBER_BYTES + 3
    return max(labels) + probabilities + sum(labels) + 3 + _NUMBER_BYTES + unseen


def check_answer_size(model: LoadedModel, n_rows: int, max_rows: int) -> None:
    """Raise InvalidInput if the answer to so many rows would be too long."""
    each = answer_bytes(model)
    most = max(1, max(_LARGEST_ANSWER, max_rows * _REGRESSOR_BYTES) // each)
    if n_rows > most:
        raise InvalidInput(
            f"expected at most {most} rows in one request: the answer of this model, with"
            f" {len(model.classes)} classes, has up to {each} bytes a row; got {n_rows} rows"
        )
