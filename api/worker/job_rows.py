"""The worker's statements on the table of jobs. Each step is one statement, so one transaction.

Steps are idempotent: each may be repeated when its reply was lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from api.connections.postgres import PostgresConnection, PostgresUnavailable
from api.prediction.answer import Answer

_SECONDS = 5.0
_PAUSE_SECONDS = 0.2

_TAKE = """
WITH taken AS (
    UPDATE jobs SET state = 'in_progress', worker = $2, lease_until = now() + make_interval(secs => $3),
                    attempts = attempts + (worker IS DISTINCT FROM $2)::integer
     WHERE id = $1 AND (state = 'pending' OR state = 'in_progress' AND (lease_until < now() OR worker = $2))
    RETURNING *)
SELECT json_build_object('rows', input_data, 'columns', to_jsonb(taken)->'columns', 'request_id', request_id,
                         'asked_version', asked_version, 'attempts', attempts,
                         'waited', extract(epoch FROM now() - submitted_at)) FROM taken
"""
# The logged prediction has the job's id and time, so the log's primary key excludes a second one, too.
_COMPLETE = """
WITH done AS (
    UPDATE jobs SET state = 'completed', finished_at = now(), answer = $3::jsonb, model_version = $4
     WHERE id = $1 AND worker = $2 AND state = 'in_progress'
    RETURNING *), logged AS (
    INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp",
                             model_version, cached, intervals, request_id, latency)
    SELECT id, input_data, answer->'predictions', answer->'confidence', submitted_at,
           model_version, false, answer->'intervals', request_id, extract(epoch FROM now() - submitted_at)
      FROM done
    ON CONFLICT DO NOTHING)
SELECT count(*) FROM done
"""
# The same for the answer of a classifier.
_COMPLETE_CLASSES = _COMPLETE.replace("latency)", "latency, probabilities, prediction_sets)").replace(
    "now() - submitted_at)\n", "now() - submitted_at), answer->'probabilities', answer->'prediction_sets'\n"
)
_FAIL = """
WITH done AS (
    UPDATE jobs SET state = 'failed', finished_at = now(), problem = $3::jsonb
     WHERE id = $1 AND worker = $2 AND state = 'in_progress'
    RETURNING id)
SELECT count(*) FROM done
"""
_RELEASE = "UPDATE jobs SET state = 'pending' WHERE id = $1 AND worker = $2 AND state = 'in_progress'"


class Work(msgspec.Struct):
    """A job that was taken."""

    rows: msgspec.Raw  # JSON [n, k]
    columns: tuple[str, ...] | None  # that the rows are for, where their number alone does not say it
    asked_version: int | None
    request_id: str
    attempts: int  # this one included
    waited: float  # seconds since it was submitted


_decode = msgspec.json.Decoder(Work).decode


class WorkStore:
    """Takes jobs and finishes them; while PostgreSQL is down each step waits for it."""

    def __init__(self, connection: PostgresConnection, lease_seconds: int, beat: Callable[[], None]) -> None:
        """`beat` is called while a step waits for PostgreSQL."""
        self._connection = connection
        self._lease = float(lease_seconds)
        self._beat = beat

    async def take(self, job_id: str, worker: str) -> Work | None:
        """Lease the job and return it; None if it is finished, unknown or leased by another worker."""
        taken = await self._persist(_TAKE, job_id, worker, self._lease)
        return _decode(taken) if isinstance(taken, str) else None

    async def complete(self, job_id: str, worker: str, answer: Answer, model_version: int) -> None:
        """Store the answer and log the prediction, unless another worker has taken the job over."""
        statement = _COMPLETE if answer.probabilities is None else _COMPLETE_CLASSES
        await self._persist(statement, job_id, worker, f"{{{answer.members}}}", model_version)

    async def fail(self, job_id: str, worker: str, problem: bytes) -> None:
        """Store why the job failed, unless another worker has taken it over."""
        await self._persist(_FAIL, job_id, worker, problem.decode())

    async def release(self, job_id: str, worker: str) -> None:
        """Release the job for another attempt."""
        await self._persist(_RELEASE, job_id, worker)

    async def _persist(self, statement: str, *arguments: object) -> object:
        """Run the statement, repeatedly until PostgreSQL confirms the commit."""
        while True:
            self._beat()
            try:
                return await self._connection.run(statement, *arguments, within=_SECONDS)
            except PostgresUnavailable:
                await asyncio.sleep(_PAUSE_SECONDS)
