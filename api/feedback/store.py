"""The statement on the table `feedback`: add what is new, say what became of each entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from api.connections.pool import ConnectionPool
from api.feedback.schemas import Entry

# A prediction's id holds its time, so the look-up needs one partition. If a concurrent request adds the same
# revision first, this one has to be tried again.
RECORD = """
WITH given AS (
    SELECT position, id, to_timestamp(milliseconds / 1000.0) AS at, actual
      FROM unnest($1::uuid[], $2::float8[], $3::jsonb[])
      WITH ORDINALITY AS row (id, milliseconds, actual, position)
), logged AS (
    SELECT given.*, jsonb_array_length(prediction) AS rows, jsonb_array_length(actual) AS given_rows
      FROM given LEFT JOIN predictions ON predictions.id = given.id AND "timestamp" = at
), latest AS (
    SELECT DISTINCT ON (id) id, revision, feedback.actual
      FROM feedback JOIN given USING (id) ORDER BY id, revision DESC
), added AS (
    INSERT INTO feedback (id, revision, actual)
    SELECT id, coalesce(revision, 0) + 1, logged.actual FROM logged LEFT JOIN latest USING (id)
     WHERE (rows = given_rows OR rows IS NULL AND $4) AND latest.actual IS DISTINCT FROM logged.actual
    ON CONFLICT DO NOTHING RETURNING id, revision
)
SELECT json_agg(json_build_object('id', id, 'expected', rows, 'state', CASE
           WHEN rows IS NULL AND NOT $4 THEN 'unknown'
           WHEN rows <> given_rows THEN 'mismatched'
           WHEN added.revision = 1 THEN 'accepted'
           WHEN added.revision > 1 THEN 'corrected'
           WHEN latest.actual = logged.actual THEN 'repeated'
           ELSE 'overtaken' END) ORDER BY position)::text
  FROM logged LEFT JOIN latest USING (id) LEFT JOIN added USING (id)
"""
State = Literal["unknown", "mismatched", "accepted", "corrected", "repeated", "overtaken"]


class Outcome(msgspec.Struct):
    """What became of an entry; `expected` is the prediction's number of rows, None if it is not logged."""

    id: UUID
    state: State
    expected: int | None


_decode = msgspec.json.Decoder(list[Outcome]).decode


class FeedbackStore:
    """Adds true values; raises Unavailable while PostgreSQL is down."""

    def __init__(self, writers: ConnectionPool) -> None:
        """Its connections keep themselves connected."""
        self._writers = writers

    async def record(self, entries: Sequence[Entry], may_be_queued: bool) -> list[Outcome]:
        """Add entries of different ids; return the outcome of each after the commit.

        With `may_be_queued` an id that is not in the log may be of a prediction that waits for PostgreSQL.
        """
        found = await self._writers.ask(
            RECORD,
            [entry.id for entry in entries],
            [float(entry.milliseconds or 0) for entry in entries],
            [entry.actual for entry in entries],
            may_be_queued,
        )
        assert found is not None
        return _decode(found)
