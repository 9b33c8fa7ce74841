"""Calls the model for many requests at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec
import numpy as np

from api.prediction.answer import Answer, make_answer
from mlstack.registry.loaded_model import LoadedModel, Predictions
from mlstack.registry.predictors import PredictionOverflow
from mlstack.runtime.arrays import FloatArray
from mlstack.web.problems import InvalidInput

OVERFLOW = "expected numbers within the model's range; the prediction would not be a finite number"
_encode = msgspec.json.Encoder().encode


class Question(Protocol):
    """The rows of one request: `content` holds n_rows rows of float64 values, row after row."""

    @property
    def content(self) -> bytes:
        """The rows' values."""

    @property
    def n_rows(self) -> int:
        """How many rows there are."""


def compute(model: LoadedModel, questions: Sequence[Question]) -> list[Answer | None]:
    """Answer each question as if it were alone in its call; None where the answer is not a finite number.

    If the model is row-independent, one call answers all of them.
    """
    if not model.row_independent:
        return [_answer_alone(model, question) for question in questions]
    try:
        predictions = _predict(model, b"".join([question.content for question in questions]))
    except PredictionOverflow:  # a question that overflows must not fail the others
        return [_answer_alone(model, question) for question in questions]
    return [*_render(predictions, [question.n_rows for question in questions])]


def answer_rows(model: LoadedModel, rows: FloatArray) -> Answer:
    """Answer rows [n, k]; raise InvalidInput where the answer is not a finite number."""
    try:
        return _render(model.predict(rows), [len(rows)])[0]
    except PredictionOverflow:
        raise InvalidInput(OVERFLOW) from None


def _answer_alone(model: LoadedModel, question: Question) -> Answer | None:
    try:
        return _render(_predict(model, question.content), [question.n_rows])[0]
    except PredictionOverflow:
        return None


def _predict(model: LoadedModel, content: bytes) -> Predictions:
    return model.predict(np.frombuffer(content).reshape(-1, model.n_features))


def _render(predictions: Predictions, counts: list[int]) -> list[Answer]:
    """Return the JSON of each question's part of the predictions."""
    values, lower, upper, confidence = (column.tolist() for column in predictions)
    bounds = list(zip(lower, upper, strict=True))
    answers = []
    start = 0
    for count in counts:
        end = start + count
        answers.append(
            make_answer(
                _encode(values[start:end]).decode(),
                _encode(bounds[start:end]).decode(),
                _encode(confidence[start:end]).decode(),
            )
        )
        start = end
    return answers
