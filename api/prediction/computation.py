"""The model's answers to many requests at once, as the JSON that is cached, logged and sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

import msgspec
import numpy as np

from api.prediction.cache import Answer
from mlstack.registry.loaded_model import LoadedModel, PredictionOverflow, Predictions
from mlstack.runtime.arrays import FloatArray

_encode = msgspec.json.Encoder().encode


class Question(Protocol):
    """What an answer depends on: rows [n, k] and a model, both named by the key."""

    key: bytes
    model: LoadedModel
    rows: FloatArray


class Computed(NamedTuple):
    """Answers by key, and the keys of rows for which the model has no finite answer."""

    answers: dict[bytes, bytes]
    overflows: set[bytes]


async def compute(questions: Sequence[Question]) -> Computed:
    """Answer each distinct question once, as if it had been asked alone.

    Where rows cannot influence each other's rounding, that is one vectorised call for each model.
    """
    by_model: dict[str, dict[bytes, Question]] = {}
    for question in questions:
        by_model.setdefault(question.model.digest, {})[question.key] = question
    computed = Computed({}, set())
    for distinct in by_model.values():
        group = list(distinct.values())
        for part in [group] if group[0].model.elementwise else [[question] for question in group]:
            await _compute_group(part, computed)
    return computed


async def _compute_group(group: list[Question], computed: Computed) -> None:
    """Add the answers of questions to one model; one that overflows must not spoil the others' answers."""
    try:
        predictions = await _predict(group[0].model, np.concatenate([question.rows for question in group]))
    except PredictionOverflow:
        if len(group) == 1:
            computed.overflows.add(group[0].key)
            return
        for question in group:
            await _compute_group([question], computed)
        return
    lists = [column.tolist() for column in predictions]
    ends = list(accumulate(len(question.rows) for question in group))
    for question, end in zip(group, ends, strict=True):
        part = slice(end - len(question.rows), end)
        values, lower, upper, confidence = (column[part] for column in lists)
        computed.answers[question.key] = _encode(
            Answer(values, list(zip(lower, upper, strict=True)), confidence)
        )


async def _predict(model: LoadedModel, rows: FloatArray) -> Predictions:
    """Call the model: a linear one takes microseconds, anything else must not block the event loop."""
    if model.elementwise:
        return model.predict(rows)
    return await asyncio.to_thread(model.predict, rows)
