"""Step 30: true values become training rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.live.collected_rows import newest_truth, write
from mlstack.live.known_manifests import KnownManifests
from mlstack.live.training_rows import TrainingRows, has_columns
from mlstack.live.training_table import Collection, combine, make
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

    rows: int = 0  # new, corrected, or taken back by a correction
    other_columns: int = 0  # predictions of versions that lack a column, or have it as another kind
    unusable: int = 0  # rows with a true value that cannot be learnt from


def collect(
    log: Connection, training: Connection, collection: Collection, known: KnownManifests
) -> Collected:
    """Add the rows with a true value that are new or corrected; then copy them beside the user's rows."""
    with training.cursor() as cursor:  # excludes concurrent runs; the lock ends with the transaction
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (collection.table,))
    kinds = make(training, collection)
    since = max(newest_truth(training, collection) - _OVERLAP_SECONDS, 0.0)
    done = Collected()
    batch: list[dict[str, Any]] = []
    for prediction, version, inputs, actual, received in _truths(log, since):
        manifest = known.of(version)
        if manifest is None or not has_columns(manifest, kinds):
            done.other_columns += 1
            continue
        rows = TrainingRows(manifest, collection.columns).of(inputs, actual)
        for number, (cells, unusable) in enumerate(rows):
            done.unusable += unusable
            key = {"prediction_id": prediction, "prediction_row": number, "received": received}
            batch.append(cells | key)
        if len(batch) >= _BATCH:
            done.rows += write(training, collection, batch)
            batch = []
    done.rows += write(training, collection, batch)
    combine(training, collection, kinds)
    return done


def _truths(log: Connection, since: float) -> Iterator[tuple[str, int, list[Any], list[Any], float]]:
    with log.cursor("truths") as cursor:
        cursor.itersize = _BATCH
        cursor.execute(_TRUTHS, (since,))
        yield from cursor
