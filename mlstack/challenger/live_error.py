"""Whether the canary errs more than the current version on the true values that clients have sent."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from mlstack.challenger.losses import Actual, Label, losses
from mlstack.challenger.permutation import greater_p_value
from mlstack.challenger.prediction_log import time_in_id

LEAST_TRUTHS = 30  # requests of each version
SIGNIFICANT = 0.001  # it is asked again and again while true values come, so once must not be enough
_MOST = 5000
_MOST_ROWS = 100  # of a request


class Judged(msgspec.Struct):
    """One request with its true values."""

    model_version: int
    prediction: list[float | Label]
    probabilities: list[dict[str, float]] | None
    actual: list[Actual]


read_judged = msgspec.json.Decoder(list[Judged]).decode


def judged_query(canary: int, current: int) -> str:
    """Return the statement that gives the newest requests with true values since $1, as one JSON text."""
    return f"""
WITH newest AS (
    SELECT DISTINCT ON (id) id, actual FROM feedback
     WHERE id IN (SELECT id FROM feedback WHERE received_at > $1::timestamptz
                   ORDER BY received_at DESC LIMIT {_MOST:d})
     ORDER BY id, revision DESC
)
SELECT coalesce(json_agg(json_build_object(
           'model_version', model_version, 'prediction', prediction, 'probabilities', probabilities,
           'actual', actual)), '[]')::text
  FROM newest JOIN predictions ON predictions.id = newest.id AND "timestamp" = {time_in_id("newest.id")}
 WHERE model_version IN ({canary:d}, {current:d}) AND "timestamp" > $1::timestamptz
   AND jsonb_array_length(prediction) <= {_MOST_ROWS:d}
"""  # noqa: S608 whole numbers


def why_worse(canary: int, current: int, judged: Sequence[Judged]) -> str | None:
    """Return why the canary is worse, None if it is not or if too few true values are known.

    A request's loss is the mean of its rows; the callers of the two versions are others, so the test is not
    paired.
    """
    found: dict[int, list[float]] = {canary: [], current: []}
    for each in judged:
        known = [
            loss for loss in losses(each.prediction, each.probabilities, each.actual) if loss is not None
        ]
        if known:
            found[each.model_version].append(sum(known) / len(known))
    tried, other = np.array(found[canary]), np.array(found[current])
    if min(len(tried), len(other)) < LEAST_TRUTHS:
        return None
    with np.errstate(over="ignore"):
        means = float(tried.mean()), float(other.mean())
    if not np.isfinite(means).all():
        return "an error is too large for a number" if not np.isfinite(means[0]) else None
    if means[0] <= means[1]:
        return None
    p_value = greater_p_value(tried, other)
    if p_value >= SIGNIFICANT:
        return None
    return (
        f"its mean loss on {len(tried)} requests with true values is {means[0]:.4g}, that of version"
        f" {current} on {len(other)} is {means[1]:.4g}; by chance at most in {p_value:.2g} of cases"
    )
