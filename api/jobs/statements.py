"""The api's statements on the table of jobs; a report is one JSON object."""

from __future__ import annotations

_REPORT = """
json_strip_nulls(json_build_object(
    'id', id, 'state', state, 'submitted_at', submitted_at, 'finished_at', finished_at,
    'predictions', answer->'predictions', 'intervals', answer->'intervals',
    'probabilities', answer->'probabilities', 'prediction_sets', answer->'prediction_sets',
    'confidence', answer->'confidence', 'unseen', answer->'unseen', 'model_version', model_version,
    'cached', CASE state WHEN 'completed' THEN false END, 'problem', problem))
"""
INSERT = f"""
INSERT INTO jobs (id, submitted_at, input_data, asked_version, request_id, idempotency_key, fingerprint)
VALUES ($1, to_timestamp($2::double precision / 1000.0), $3::jsonb, $4, $5, $6, $7)
ON CONFLICT DO NOTHING RETURNING {_REPORT}
"""  # noqa: S608 the constant above
# The same with the names of the columns, which `up` adds to an older table.
INSERT_NAMED = f"""
INSERT INTO jobs (id, submitted_at, input_data, asked_version, request_id, idempotency_key, fingerprint,
                  columns)
VALUES ($1, to_timestamp($2::double precision / 1000.0), $3::jsonb, $4, $5, $6, $7, $8::jsonb)
ON CONFLICT DO NOTHING RETURNING {_REPORT}
"""  # noqa: S608
EARLIER = f"""
SELECT json_build_object('same', fingerprint = $3, 'report', {_REPORT})
  FROM jobs WHERE id = $1 OR idempotency_key = $2
"""  # noqa: S608
FIND = f"SELECT {_REPORT} FROM jobs WHERE id = $1"  # noqa: S608
PUBLISHED = "UPDATE jobs SET published_at = now() WHERE id = ANY($1::uuid[])"
FINISHED = """
SELECT coalesce(json_agg(id), '[]') FROM jobs WHERE id = ANY($1::uuid[]) AND finished_at IS NOT NULL
"""
COUNT_UNFINISHED = """
SELECT count(*)::text FROM (SELECT FROM jobs WHERE finished_at IS NULL LIMIT $1) AS unfinished
"""
