"""The window of the drift monitor: the latest logged requests that a version answered, encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import connected
from mlstack.inference.encoding import Cell, CellRefused, encode_rows
from mlstack.inference.loaded_model import LoadedModel
from mlstack.runtime.arrays import FloatArray

WINDOW_ROWS = 10_000
_WINDOW = """
    SELECT input_data::text, prediction::text FROM predictions
     WHERE model_version = %s AND "timestamp" > now() - make_interval(secs => %s)
     ORDER BY "timestamp" DESC LIMIT %s"""

_decode_rows = msgspec.json.Decoder(list[list[float | str | bool | None]]).decode
_decode_numbers = msgspec.json.Decoder(list[float]).decode
_decode_classes = msgspec.json.Decoder(list[str | int | bool]).decode

Predicted = Callable[[str], list[float]]


@dataclass(frozen=True)
class Window:
    """The newest rows that a version answered: features [m, k] and predictions [m], encoded."""

    rows: FloatArray
    predictions: FloatArray  # of a classifier the positions of the predicted classes
    skipped: int = 0  # requests whose rows are not of the version's columns


def read_window(url: str, model: LoadedModel, hours: float) -> Window:
    """Read the rows that `model` answered in the last `hours`, newest first, about WINDOW_ROWS at most."""
    inputs: list[FloatArray] = [np.empty((0, model.n_features))]
    predictions: list[float] = []
    skipped, predicted = 0, _predicted(model)
    with connected(url) as connection:
        for rows, values in _logged(connection, model.version, hours):
            try:
                found = _encode(model, rows, predicted(values))
            except (CellRefused, msgspec.DecodeError):
                skipped += 1
                continue
            inputs.append(found[0])
            predictions += found[1]
            if len(predictions) >= WINDOW_ROWS:
                break
    return Window(np.concatenate(inputs), np.array(predictions, dtype=np.float64), skipped)


def _encode(model: LoadedModel, text: str, predictions: list[float]) -> tuple[FloatArray, list[float]]:
    """Return the encoded rows of a request with its predictions; raise CellRefused if they do not fit."""
    rows: list[list[Cell]] = _decode_rows(text)
    if len(rows) != len(predictions) or any(len(row) != model.n_features for row in rows):
        raise CellRefused(f"expected rows of {model.n_features} values, and a prediction for each")
    return encode_rows(model.columns, rows), predictions


def _predicted(model: LoadedModel) -> Predicted:
    """Return the function that reads logged predictions: numbers, or positions in the model's classes."""
    if not model.classes:
        return _decode_numbers
    positions = {label: float(position) for position, label in enumerate(model.classes)}

    def read(text: str) -> list[float]:
        try:
            return [positions[label] for label in _decode_classes(text)]
        except KeyError as error:
            raise CellRefused(f"{error} is not a class of the model") from error

    return read


def _logged(connection: Connection, version: int, hours: float) -> Iterator[tuple[str, str]]:
    with connection.cursor(
        "window"
    ) as cursor:  # a server-side cursor: a few large requests may fill the window
        cursor.itersize = 200
        cursor.execute(_WINDOW, (version, hours * 3600, WINDOW_ROWS))
        yield from cursor
