"""The answers of two versions to the same requests, and the true values where they are known."""

from __future__ import annotations

import msgspec

from mlstack.challenger.losses import Actual, Label
from mlstack.challenger.prediction_log import time_in_id


class Pair(msgspec.Struct):
    """One request: what the current version answered, what the other one would have answered."""

    answered: list[float | Label]
    scored: list[float | Label]
    answered_probabilities: list[dict[str, float]] | None
    scored_probabilities: list[dict[str, float]] | None
    actual: list[Actual] | None


def pairs_query(version: int, current: int, most: int) -> str:
    """Return the statement that gives pairs as one JSON text.

    They are the newest `most` requests and the newest `most` with true values, with 4 · `most` rows each.
    """
    bounded = f"""
    SELECT id FROM (
        SELECT id, sum(jsonb_array_length(prediction)) OVER (ORDER BY place DESC) AS rows FROM newest
    ) AS counted WHERE rows <= {4 * most:d}"""  # noqa: S608 whole numbers
    return f"""
WITH scored AS (
    WITH newest AS (
        SELECT id, prediction, id AS place FROM shadow_predictions
         WHERE version = {version:d} ORDER BY id DESC LIMIT {most:d}
    ) {bounded}
), known AS (
    WITH newest AS (
        SELECT id, prediction, max(received_at) AS place FROM feedback JOIN shadow_predictions USING (id)
         WHERE version = {version:d} GROUP BY id, prediction ORDER BY place DESC LIMIT {most:d}
    ) {bounded}
)
SELECT coalesce(json_agg(json_build_object(
           'answered', predictions.prediction, 'answered_probabilities', predictions.probabilities,
           'scored', shadow.prediction, 'scored_probabilities', shadow.probabilities,
           'actual', (SELECT actual FROM feedback WHERE feedback.id = shadow.id
                       ORDER BY revision DESC LIMIT 1))), '[]')::text
  FROM (SELECT id FROM scored UNION SELECT id FROM known) AS chosen
  JOIN shadow_predictions AS shadow ON shadow.id = chosen.id AND shadow.version = {version:d}
  JOIN predictions ON predictions.id = shadow.id AND model_version = {current:d}
   AND "timestamp" = {time_in_id("shadow.id")}
"""  # noqa: S608 whole numbers


read_pairs = msgspec.json.Decoder(list[Pair]).decode
