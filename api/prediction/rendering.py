"""The JSON of answers: predictions with intervals, classes with probabilities and prediction sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from api.prediction.answer import Answer, make_answer, make_class_answer
from mlstack.inference.loaded_model import Classification, Predictions
from mlstack.registry.columns import Class, class_key

Unseen = list[list[str]] | None  # by row, the columns with an unseen category

_encode = msgspec.json.Encoder().encode


def render_predictions(predictions: Predictions, unseen: Unseen, counts: Sequence[int]) -> list[Answer]:
    """Return the answer to each of several questions, which asked for so many rows one after the other."""
    values, lower, upper, confidence = (column.tolist() for column in predictions)
    bounds = list(zip(lower, upper, strict=True))
    return [
        make_answer(_json(values[part]), _json(bounds[part]), _json(confidence[part]), _unseen(unseen, part))
        for part in _parts(counts)
    ]


def render_classification(
    found: Classification, classes: Sequence[Class], unseen: Unseen, counts: Sequence[int]
) -> list[Answer]:
    """Return the answer to each of several questions, as render_predictions does."""
    keys = [class_key(label) for label in classes]
    labels = [classes[position] for position in found.likeliest.tolist()]
    probabilities = [dict(zip(keys, row, strict=True)) for row in found.probabilities.tolist()]
    sets = [
        [label for label, member in zip(classes, row, strict=True) if member]
        for row in found.members.tolist()
    ]
    confidence = found.probabilities.max(axis=1).tolist()
    return [
        make_class_answer(
            _json(labels[part]), _json(probabilities[part]), _json(sets[part]), _json(confidence[part]),
            _unseen(unseen, part),
        )
        for part in _parts(counts)
    ]  # fmt: skip


def _parts(counts: Sequence[int]) -> Iterator[slice]:
    start = 0
    for count in counts:
        yield slice(start, start + count)
        start += count


def _json(members: Sequence[object]) -> str:
    return _encode(members).decode()


def _unseen(unseen: Unseen, part: slice) -> str:
    return "" if unseen is None else _encode(unseen[part]).decode()
