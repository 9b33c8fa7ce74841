"""What the drift monitor compares: the current model's training data, and its latest logged requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.database import connected
from mlstack.data.reading import data_digest, read_table
from mlstack.drift.statistics import Reference
from mlstack.registry.loaded_model import LoadedModel
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import DataRefused
from mlstack.training.splitting import training_rows

PREDICTION = "prediction"
WINDOW_ROWS = 10_000
_REFERENCE_ROWS = 100_000
_WINDOW = """
    SELECT input_data::text, prediction::text FROM predictions
     WHERE model_version = %s AND "timestamp" > now() - make_interval(secs => %s)
     ORDER BY "timestamp" DESC LIMIT %s"""

_decode_rows = msgspec.json.Decoder(list[list[float]]).decode
_decode_values = msgspec.json.Decoder(list[float]).decode


@dataclass(frozen=True)
class TrainingData:
    """A version's training data: a reference for each feature and for its predictions, and the ranges."""

    columns: tuple[Reference, ...]  # the features in order, then the predictions
    low: FloatArray  # [k]
    high: FloatArray  # [k]
    rows: int
    unchanged: bool  # the table still holds exactly the rows that the version was trained on


@dataclass(frozen=True)
class Window:
    """The newest rows that a version answered: features [m, k] and predictions [m]."""

    rows: FloatArray
    predictions: FloatArray


def read_training_data(url: str, model: LoadedModel) -> TrainingData:
    """Read the training data of `model`; raise a Refusal if it cannot be read."""
    source = model.manifest.provenance
    columns = (*model.features, model.target)
    with connected(url) as connection:
        table = read_table(connection, source.table, columns)
    if len(table) < 2:
        raise DataRefused(f"table {source.table} has no training rows any more: nothing to compare with")
    unchanged = data_digest(table, source.table, columns) == source.data
    training = training_rows(table, source.test_fraction, source.split)
    sample = np.ascontiguousarray(training.x[:_REFERENCE_ROWS])  # the split has shuffled them
    values = model.predict(sample).values
    names = (*model.features, PREDICTION)
    parts = (*sample.T, values)
    return TrainingData(
        columns=tuple(Reference.of(name, part) for name, part in zip(names, parts, strict=True)),
        low=training.x.min(axis=0),
        high=training.x.max(axis=0),
        rows=len(training.table),
        unchanged=unchanged,
    )


def read_window(url: str, model: LoadedModel, hours: float) -> Window:
    """Read the rows that `model` answered in the last `hours`, newest first, about WINDOW_ROWS at most."""
    inputs: list[list[float]] = []
    predictions: list[float] = []
    with connected(url) as connection:
        for rows, values in _logged(connection, model.version, hours):
            inputs += _decode_rows(rows)
            predictions += _decode_values(values)
            if len(inputs) >= WINDOW_ROWS:
                break
    shape = (len(inputs), model.n_features)
    return Window(np.array(inputs, dtype=np.float64).reshape(shape), np.array(predictions, dtype=np.float64))


def _logged(connection: Connection, version: int, hours: float) -> Iterator[tuple[str, str]]:
    with connection.cursor(
        "window"
    ) as cursor:  # a server-side cursor: a few large requests may fill the window
        cursor.itersize = 200
        cursor.execute(_WINDOW, (version, hours * 3600, WINDOW_ROWS))
        yield from cursor
