"""Calls the model for many requests at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from api.prediction.answer import Answer
from api.prediction.rendering import render_classification, render_predictions
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.predictors import PredictionOverflow
from mlstack.runtime.arrays import FloatArray
from mlstack.web.classes import unseen_categories
from mlstack.web.problems import InvalidInput

OVERFLOW = "expected numbers within the model's range; the prediction would not be a finite number"


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
    content = b"".join([question.content for question in questions])
    try:
        return [*_answers(model, _rows(model, content), [question.n_rows for question in questions])]
    except PredictionOverflow:  # a question that overflows must not fail the others
        return [_answer_alone(model, question) for question in questions]


def answer_rows(model: LoadedModel, rows: FloatArray) -> Answer:
    """Answer encoded rows [n, k]; raise InvalidInput where the answer is not a finite number."""
    try:
        return _answers(model, rows, [len(rows)])[0]
    except PredictionOverflow:
        raise InvalidInput(OVERFLOW) from None


def _answer_alone(model: LoadedModel, question: Question) -> Answer | None:
    try:
        return _answers(model, _rows(model, question.content), [question.n_rows])[0]
    except PredictionOverflow:
        return None


def _rows(model: LoadedModel, content: bytes) -> FloatArray:
    return np.frombuffer(content).reshape(-1, model.n_features)


def _answers(model: LoadedModel, rows: FloatArray, counts: list[int]) -> list[Answer]:
    """Predict all rows by one call; return the answer to each question's part of them."""
    unseen = None if model.plain else unseen_categories(model.columns, rows)
    if model.classes:
        return render_classification(model.classify(rows), model.classes, unseen, counts)
    return render_predictions(model.predict(rows), unseen, counts)
