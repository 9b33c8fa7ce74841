"""Calls the shadow for requests that were answered."""

from __future__ import annotations

import time
from dataclasses import dataclass

from api.challengers.rows import Translation
from api.challengers.waiting import Answered
from api.prediction.answer import Answer
from api.prediction.computation import compute
from mlstack.inference.loaded_model import LoadedModel


@dataclass(frozen=True, slots=True)
class _Question:
    content: bytes
    n_rows: int


def timed_answers(
    shadow: LoadedModel, translation: Translation, taken: list[Answered]
) -> tuple[list[Answer | None], float]:
    """Return the shadow's answers, None where it has none, and the processor's time in seconds."""
    began = time.thread_time()
    contents = [translation.content(each.content, each.sent) for each in taken]
    asked = [
        (place, _Question(content, taken[place].n_rows))
        for place, content in enumerate(contents)
        if content is not None
    ]
    answers: list[Answer | None] = [None] * len(taken)
    computed = compute(shadow, [question for _, question in asked]) if asked else []
    for (place, _), answer in zip(asked, computed, strict=True):
        answers[place] = answer
    return answers, time.thread_time() - began
