"""Converts a request's body to the rows of a model of plain numbers: the same rule for both servers.

For a model with n features, a flat list of length n is one row when n > 1; with n = 1 every
element is a row; a nested list is rows.
"""

from __future__ import annotations

import math
from array import array
from typing import Annotated, TypeVar

import msgspec
import numpy as np

from mlstack.runtime.arrays import FloatArray
from mlstack.web.bodies import decode_json
from mlstack.web.problems import InvalidInput

Values = list[float | list[float]]

_SHORT = 16  # numbers up to which a list is faster than an array
MEMBERS = ("values", "features", "instances")
FIELDS = "'values', 'features' or 'instances'"
Version = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
T = TypeVar("T")


class PredictRequest(msgspec.Struct):
    """Body of POST /predict: exactly one of the three lists, and optionally the model version."""

    values: Values | None = None
    features: Values | None = None
    instances: Values | None = None
    model_version: Version | None = None

    def rows(self) -> Values:
        """Return the one list that was given."""
        if self.features is not None and self.values is None and self.instances is None:
            return self.features
        return only_list(self.values, self.features, self.instances)


def only_list(*lists: T | None) -> T:
    """Return the one list that was given; raise InvalidInput for none or several."""
    given = [found for found in lists if found is not None]
    if len(given) != 1:
        raise InvalidInput(
            f"expected exactly one of {FIELDS}, a list of numbers or of rows; got {len(given)}"
        )
    return given[0]


_decoder = msgspec.json.Decoder(PredictRequest)


def decode_request(body: bytes, max_rows: int) -> PredictRequest:
    """Parse a body; raise MalformedJSON or InvalidInput, each naming what was expected."""
    expected = f"an object with {FIELDS}, a list of finite numbers or of at most {max_rows} rows"
    return decode_json(_decoder, body, expected, max_rows + len(MEMBERS))


def to_rows(values: Values, n_features: int, max_rows: int) -> FloatArray:
    """Return float64 rows of shape [n, n_features], -0.0 as 0.0; raise InvalidInput naming that shape."""
    rows = _flat_rows(values, n_features, max_rows)
    return _checked_rows(values, n_features, max_rows) if rows is None else rows


def _flat_rows(values: Values, n_features: int, max_rows: int) -> FloatArray | None:
    """Return the rows of a short, flat list of valid length without NumPy's overhead, None for any other."""
    if not 0 < len(values) <= min(_SHORT, max_rows) or (n_features > 1 and len(values) != n_features):
        return None
    try:
        numbers = array("d", [value + 0.0 for value in values])  # type: ignore[operator]
    except TypeError:  # a nested list
        return None
    if not math.isfinite(sum(numbers)):
        return None
    return np.frombuffer(numbers).reshape(-1, n_features)


def _checked_rows(values: Values, n_features: int, max_rows: int) -> FloatArray:
    if len(values) > max(max_rows, n_features):
        raise _too_many(max_rows, len(values))
    if isinstance(values[0] if values else None, list):
        _check_lengths(values, n_features)
    try:
        rows = np.array(values, dtype=np.float64)
    except (ValueError, TypeError):
        raise _ragged(n_features) from None
    except OverflowError:
        raise InvalidInput("expected finite numbers; got one beyond 1.8e308") from None
    if rows.ndim == 1:
        rows = rows.reshape((-1, 1) if n_features == 1 else (1, -1))
    return check_rows(rows, n_features, max_rows)


def _check_lengths(values: Values, n_features: int) -> None:
    """Refuse rows of wrong lengths before NumPy sees them, which takes a tenth of a second to find them."""
    try:
        lengths = set(map(len, values))  # type: ignore[arg-type]
    except TypeError:  # a number among the rows
        raise _ragged(n_features) from None
    if len(lengths) > 1:
        raise _ragged(n_features)
    if lengths != {n_features}:
        raise InvalidInput(f"{expected_shape(n_features)}; got {len(values)}x{lengths.pop()}")


def _ragged(n_features: int) -> InvalidInput:
    return InvalidInput(f"{expected_shape(n_features)}; got rows of different lengths")


def check_rows(rows: FloatArray, n_features: int, max_rows: int) -> FloatArray:
    """Return float64 `rows` [n, n_features], -0.0 as 0.0; raise InvalidInput for other shapes and NaN."""
    if rows.size == 0 or rows.ndim != 2 or rows.shape[1] != n_features:
        raise InvalidInput(f"{expected_shape(n_features)}; got {'x'.join(map(str, rows.shape))}")
    if len(rows) > max_rows:
        raise _too_many(max_rows, len(rows))
    if not np.isfinite(rows).all():
        raise InvalidInput("expected finite numbers; got NaN, Infinity or a number beyond 1.8e308")
    return np.ascontiguousarray(rows) + 0.0


def _too_many(max_rows: int, rows: int) -> InvalidInput:
    return InvalidInput(f"expected at most {max_rows} rows in one request; got {rows}")


def expected_shape(n_features: int) -> str:
    """Return the sentence that names the shape a model with `n_features` takes."""
    if n_features == 1:
        return "expected a list of numbers, or rows of one number each, such as [5] or [[5]]"
    return f"expected {n_features} numbers, or rows of {n_features} numbers each"
