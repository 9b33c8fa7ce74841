"""Step 30: true values become training rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.live.known_columns import KnownColumns
from mlstack.live.training_table import Collection, combine, make, newest_truth, write
from mlstack.live.truths import TIME_IN_ID

_OVERLAP_SECONDS = 3600  # a transaction may commit long after the time that it gives its rows
_BATCH = 1000
_TRUTHS = f"""
SELECT DISTINCT ON (id) id::text, model_version, input_data, feedback.actual,
       extract(epoch FROM received_at)::float8
  FROM feedback JOIN predictions USING (id)
 WHERE received_at > to_timestamp(%s)
   AND "timestamp" = {TIME_IN_ID}
 ORDER BY id, revision DESC
"""  # noqa: S608 a constant


@dataclass
class Collected:
    """What a run did."""

    rows: int = 0  # new or corrected
    other_columns: int = 0  # predictions of versions with other columns


def collect(log: Connection, training: Connection, collection: Collection, known: KnownColumns) -> Collected:
    """Add the rows with a true value that are new or corrected; then copy them beside the user's rows."""
    with training.cursor() as cursor:  # excludes concurrent runs; the lock ends with the transaction
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (collection.table,))
    make(training, collection)
    since = max(newest_truth(training, collection) - _OVERLAP_SECONDS, 0.0)
    done = Collected()
    batch: list[dict[str, Any]] = []
    for prediction, version, rows, actual, received in _truths(log, since):
        if known.of(version) != (collection.features, collection.target):
            done.other_columns += 1
            continue
        batch += _training_rows(collection, prediction, rows, actual, received)
        if len(batch) >= _BATCH:
            done.rows += write(training, collection, batch)
            batch = []
    done.rows += write(training, collection, batch)
    combine(training, collection)
    return done


def _truths(log: Connection, since: float) -> Iterator[tuple[str, int, list[Any], list[Any], float]]:
    with log.cursor("truths") as cursor:
        cursor.itersize = _BATCH
        cursor.execute(_TRUTHS, (since,))
        yield from cursor


def _training_rows(
    collection: Collection, prediction: str, rows: Sequence[Any], actual: Sequence[Any], received: float
) -> Iterator[dict[str, Any]]:
    """Yield a row for each true value; without one a row of a prediction cannot be learnt from."""
    for number, (row, value) in enumerate(zip(rows, actual, strict=False)):
        if value is not None:
            cells = dict(zip(collection.columns, (*row, value), strict=True))
            yield cells | {"prediction_id": prediction, "prediction_row": number, "received": received}
