"""Answers as JSON texts, which are rendered once, then sent, logged and cached unchanged."""

from __future__ import annotations

from typing import NamedTuple


class Answer(NamedTuple):
    """An answer's members as JSON lists, one entry per row; `members` is all of them, as in an object."""

    predictions: str
    intervals: str
    confidence: str
    members: str


def make_answer(predictions: str, intervals: str, confidence: str) -> Answer:
    """Return the answer with these members."""
    members = f'"predictions":{predictions},"intervals":{intervals},"confidence":{confidence}'
    return Answer(predictions, intervals, confidence, members)
