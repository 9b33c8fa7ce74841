"""Answers as JSON texts, which are rendered once, then sent, logged and cached unchanged."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Answer(NamedTuple):
    """An answer's members as JSON lists, one entry per row; `members` is all of them, as in an object.

    A regressor's has intervals, a classifier's probabilities and prediction sets.
    """

    predictions: str
    intervals: str | None
    confidence: str
    members: str
    probabilities: str | None = None
    prediction_sets: str | None = None


_ABSENT = msgspec.Raw(b"")


class _Members(msgspec.Struct, forbid_unknown_fields=True):
    predictions: msgspec.Raw
    confidence: msgspec.Raw
    intervals: msgspec.Raw = _ABSENT
    probabilities: msgspec.Raw = _ABSENT
    prediction_sets: msgspec.Raw = _ABSENT
    unseen: msgspec.Raw = _ABSENT


_decode = msgspec.json.Decoder(_Members).decode


def make_answer(predictions: str, intervals: str, confidence: str, unseen: str = "") -> Answer:
    """Return a regressor's answer; `unseen` is empty if no column has categories."""
    members = f'"predictions":{predictions},"intervals":{intervals},"confidence":{confidence}'
    return Answer(predictions, intervals, confidence, members + _unseen(unseen))


def make_class_answer(
    predictions: str, probabilities: str, prediction_sets: str, confidence: str, unseen: str = ""
) -> Answer:
    """Return a classifier's answer."""
    members = (
        f'"predictions":{predictions},"probabilities":{probabilities},'
        f'"prediction_sets":{prediction_sets},"confidence":{confidence}{_unseen(unseen)}'
    )
    return Answer(predictions, None, confidence, members, probabilities, prediction_sets)


def read_answer(members: bytes) -> Answer:
    """Return the answer with these members, which a service of this release has sealed."""
    found = _decode(b"{%b}" % members)
    predictions, confidence, unseen = _text(found.predictions), _text(found.confidence), _text(found.unseen)
    intervals = _text(found.intervals)
    if intervals:
        return make_answer(predictions, intervals, confidence, unseen)
    probabilities, sets = _text(found.probabilities), _text(found.prediction_sets)
    return make_class_answer(predictions, probabilities, sets, confidence, unseen)


def _text(member: msgspec.Raw) -> str:
    return bytes(member).decode()


def _unseen(unseen: str) -> str:
    return unseen and f',"unseen":{unseen}'
