"""The loss of an answer: a number's squared error, minus the logarithm of the true class's probability."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from mlstack.registry.columns import class_key

Label = str | int | bool
Actual = float | str | bool | None
_LEAST_PROBABILITY = 1e-15  # as scikit-learn's log_loss: the logarithm of 0 is not a number


def class_name(value: float | str | bool) -> str:
    """Return a class as the key of `probabilities`: true, false, a whole number's digits, text as it is."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return class_key(value)


def losses(
    prediction: Sequence[float | Label],
    probabilities: Sequence[Mapping[str, float]] | None,
    actual: Sequence[Actual],
) -> list[float | None]:
    """Return a loss for each row, None where the true value is not known or not one that can be predicted."""
    if probabilities is not None:
        return [
            None if value is None else _of_class(row, class_name(value))
            for row, value in zip(probabilities, actual, strict=False)
        ]
    return [
        None if value is None or isinstance(value, str | bool) else _of_number(float(answer), value)
        for answer, value in zip(prediction, actual, strict=False)
    ]


def _of_number(answer: float, value: float) -> float:
    error = answer - value
    return error * error


def _of_class(row: Mapping[str, float], name: str) -> float | None:
    return -math.log(max(row[name], _LEAST_PROBABILITY)) if name in row else None
