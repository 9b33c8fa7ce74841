"""How long the answer to a row may become as JSON."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from mlstack.registry.columns import Class, Column, class_key

NUMBER_BYTES = 25  # of the longest number, and a comma
REGRESSOR_BYTES = 108  # of a row: four numbers, with brackets and commas


def answer_bytes(columns: Sequence[Column], classes: Sequence[Class]) -> int:
    """Return the most bytes that the answer to a row has."""
    names = [_length(column.name) for column in columns if column.kind == "category"]
    unseen = sum(names) + 3 if classes or any(not column.plain for column in columns) else 0
    if not classes:
        return REGRESSOR_BYTES + unseen
    labels = [_length(class_key(label)) for label in classes]
    probabilities = sum(labels) + len(labels) * NUMBER_BYTES + 3
    return max(labels) + probabilities + sum(labels) + 3 + NUMBER_BYTES + unseen


def _length(text: str) -> int:
    """Return the bytes of a JSON string and a comma."""
    return len(msgspec.json.encode(text)) + 1
