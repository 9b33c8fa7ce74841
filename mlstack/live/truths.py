"""Reads the newest true values from the prediction log, with the answers they belong to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import msgspec

from mlstack.challenger.losses import Actual, Label, class_name
from mlstack.challenger.prediction_log import time_in_id
from mlstack.data.database import connected

WINDOW = 10_000  # predictions with a true value
TIME_IN_ID = time_in_id("id")
_QUERY = f"""
WITH newest AS (
    SELECT DISTINCT ON (id) id, actual,
           {TIME_IN_ID} AS at
      FROM feedback
     WHERE id IN (SELECT id FROM feedback WHERE received_at > now() - make_interval(secs => %s)
                   ORDER BY received_at DESC LIMIT %s)
     ORDER BY id, revision DESC
)
SELECT json_build_object(
           'model_version', model_version, 'prediction', prediction, 'intervals', intervals,
           'probabilities', probabilities, 'prediction_sets', prediction_sets, 'actual', actual)::text
  FROM newest JOIN predictions ON predictions.id = newest.id AND "timestamp" = at
"""  # noqa: S608 the constant above


class _Logged(msgspec.Struct):
    """A logged answer and its true values, one for each row."""

    model_version: int
    prediction: list[float | Label]
    intervals: list[tuple[float, float]] | None
    probabilities: list[dict[str, float]] | None
    prediction_sets: list[list[Label]] | None
    actual: list[Actual]


_decode = msgspec.json.Decoder(_Logged).decode


@dataclass
class Regression:
    """Rows with a true value, of a version that predicts numbers."""

    predicted: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    actual: list[float] = field(default_factory=list)


@dataclass
class Classified:
    """Rows with a true class, of a version that predicts classes."""

    correct: list[bool] = field(default_factory=list)
    covered: list[bool] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)  # the largest probability
    likelihood: list[float] = field(default_factory=list)  # the true class's probability


@dataclass
class Truths:
    """The rows of one version; `unusable` have a true value that the version cannot predict."""

    regression: Regression = field(default_factory=Regression)
    classified: Classified = field(default_factory=Classified)
    unusable: int = 0


def read_truths(url: str, hours: float) -> dict[int, Truths]:
    """Return the rows whose true values came in the last `hours`, by version."""
    found: dict[int, Truths] = defaultdict(Truths)
    with connected(url) as connection, connection.cursor("truths") as cursor:
        cursor.itersize = 1000
        cursor.execute(_QUERY, (hours * 3600, WINDOW))
        for (text,) in cursor:
            logged = _decode(text)
            truths = found[logged.model_version]
            if logged.probabilities is None:
                _add_numbers(truths, logged)
            else:
                _add_classes(truths, logged)
    return dict(found)


def _add_numbers(truths: Truths, logged: _Logged) -> None:
    rows = truths.regression
    for value, (low, high), actual in zip(
        logged.prediction, logged.intervals or (), logged.actual, strict=False
    ):
        if isinstance(actual, bool | str):
            truths.unusable += 1
        elif actual is not None:
            rows.predicted.append(float(value))
            rows.low.append(low)
            rows.high.append(high)
            rows.actual.append(actual)


def _add_classes(truths: Truths, logged: _Logged) -> None:
    rows = truths.classified
    answers = zip(
        logged.prediction,
        logged.probabilities or (),
        logged.prediction_sets or (),
        logged.actual,
        strict=False,
    )
    for label, probabilities, members, actual in answers:
        name = None if actual is None else class_name(actual)
        if name in probabilities:
            rows.correct.append(class_name(label) == name)
            rows.covered.append(name in map(class_name, members))
            rows.confidence.append(max(probabilities.values()))
            rows.likelihood.append(probabilities[name])
        elif name is not None:
            truths.unusable += 1
