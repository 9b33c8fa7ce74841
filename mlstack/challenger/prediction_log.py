"""What queries of the prediction log have in common."""

from __future__ import annotations


def time_in_id(column: str) -> str:
    """Return the SQL of the time in a prediction's id, a UUIDv7.

    The log is partitioned by it: so each prediction is found in one partition.
    """
    return f"to_timestamp(('x' || left(replace({column}::text, '-', ''), 12))::bit(48)::bigint / 1000.0)"
