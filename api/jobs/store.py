"""The api's statements on the table of jobs: submit once, look up, find the finished ones."""

from __future__ import annotations

from typing import Literal

import msgspec

from api.connections.postgres import PostgresConnection, PostgresUnavailable
from api.jobs.schemas import Submission
from mlstack.web.problems import Conflict, NotFound, Unavailable

_SECONDS = 3.0

_REPORT = """
json_strip_nulls(json_build_object(
    'id', id, 'state', state, 'submitted_at', submitted_at, 'finished_at', finished_at,
    'predictions', answer->'predictions', 'intervals', answer->'intervals',
    'confidence', answer->'confidence', 'model_version', model_version,
    'cached', CASE state WHEN 'completed' THEN false END, 'problem', problem))
"""
_INSERT = f"""
INSERT INTO jobs (id, submitted_at, input_data, asked_version, request_id, idempotency_key, fingerprint)
VALUES ($1, to_timestamp($2::double precision / 1000.0), $3::jsonb, $4, $5, $6, $7)
ON CONFLICT DO NOTHING RETURNING {_REPORT}
"""  # noqa: S608 the constant above
_EARLIER = f"""
SELECT json_build_object('same', fingerprint = $3, 'report', {_REPORT})
  FROM jobs WHERE id = $1 OR idempotency_key = $2
"""  # noqa: S608
_FIND = f"SELECT {_REPORT} FROM jobs WHERE id = $1"  # noqa: S608
_PUBLISHED = "UPDATE jobs SET published_at = now() WHERE id = ANY($1::uuid[])"
_FINISHED = """
SELECT coalesce(json_agg(id), '[]') FROM jobs WHERE id = ANY($1::uuid[]) AND finished_at IS NOT NULL
"""


class Report(msgspec.Struct):
    """The members of a job's report that the api reads."""

    id: str
    state: Literal["pending", "in_progress", "completed", "failed"]

    @property
    def finished(self) -> bool:
        """True if the job has reached its final state."""
        return self.state in {"completed", "failed"}


class _Earlier(msgspec.Struct):
    same: bool
    report: msgspec.Raw


class JobStore:
    """Writes on one connection, reads on another; raises Unavailable while PostgreSQL is down."""

    def __init__(self, writer: PostgresConnection, reader: PostgresConnection) -> None:
        self._writer = writer
        self._reader = reader

    async def submit(self, job: Submission) -> tuple[bytes, bool]:
        """Return the job's report and whether it is new; raise Conflict if its key has another body."""
        values = (*job[:3], job.asked_version, job.request_id, job.idempotency_key, job.fingerprint)
        inserted = await self._ask(self._writer, _INSERT, *values)
        if inserted is not None:
            return inserted, True
        found = await self._ask(self._writer, _EARLIER, job.id, job.idempotency_key, job.fingerprint)
        if found is None:
            raise Unavailable("the job of this Idempotency-Key has just expired: try again")
        earlier = msgspec.json.decode(found, type=_Earlier)
        if not earlier.same:
            raise Conflict("this Idempotency-Key was used for another body: use a new key for a new job")
        return bytes(earlier.report), False

    async def find(self, job_id: str) -> bytes:
        """Return the job's report as JSON; raise NotFound."""
        report = await self._ask(self._reader, _FIND, job_id)
        if report is None:
            raise NotFound(f"there is no job {job_id}: it never existed, or it finished and expired")
        return report

    async def mark_published(self, job_ids: list[str]) -> None:
        """Record that RabbitMQ has a message for each job."""
        await self._ask(self._writer, _PUBLISHED, job_ids)

    async def finished(self, job_ids: list[str]) -> list[str]:
        """Return those that have finished."""
        found = await self._ask(self._reader, _FINISHED, job_ids)
        return msgspec.json.decode(found or b"[]", type=list[str])

    @staticmethod
    async def _ask(connection: PostgresConnection, statement: str, *arguments: object) -> bytes | None:
        try:
            value = await connection.run(statement, *arguments, within=_SECONDS)
        except PostgresUnavailable as error:
            raise Unavailable("PostgreSQL, which stores the jobs, cannot be reached") from error
        assert value is None or isinstance(value, str)
        return None if value is None else value.encode()
