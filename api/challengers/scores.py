"""The table of what a shadow says: the api may add to it and read it."""

from __future__ import annotations

from collections.abc import Sequence

from api.challengers.waiting import Answered
from api.connections.pool import ConnectionPool
from api.prediction.answer import Answer

_SECONDS = 2.0
_INSERT = """
INSERT INTO shadow_predictions (id, version, prediction, probabilities)
SELECT id, $2::integer, prediction, probabilities
  FROM unnest($1::uuid[], $3::jsonb[], $4::jsonb[]) AS row (id, prediction, probabilities)
ON CONFLICT DO NOTHING
"""


async def store_scores(
    writers: ConnectionPool, version: int, found: Sequence[tuple[Answered, Answer]]
) -> None:
    """Add the answers of `version`; raise PostgresUnavailable, RejectedRow or Unavailable."""
    ids = [each.id for each, _ in found]
    predictions = [answer.predictions for _, answer in found]
    probabilities = [answer.probabilities for _, answer in found]
    async with writers.connection() as connection:
        await connection.run(_INSERT, ids, version, predictions, probabilities, within=_SECONDS)
