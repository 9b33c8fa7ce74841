"""The api's statements on the table of jobs: submit once, record publishing, find the finished ones."""

from __future__ import annotations

import msgspec

from api.connections.pool import ConnectionPool
from api.jobs.schemas import Submission
from api.jobs.statements import COUNT_UNFINISHED, EARLIER, FINISHED, INSERT, INSERT_NAMED, PUBLISHED
from mlstack.web.problems import Conflict, Unavailable


class _Earlier(msgspec.Struct):
    same: bool
    report: msgspec.Raw


class JobStore:
    """Writes on some connections, reads on others; raises Unavailable while PostgreSQL is down."""

    def __init__(self, writers: ConnectionPool, readers: ConnectionPool) -> None:
        """Their connections keep themselves connected."""
        self._writers = writers
        self._readers = readers

    async def submit(self, job: Submission) -> tuple[bytes, bool]:
        """Return the job's report and whether it is new; raise Conflict if its key has another body."""
        values = (*job[:3], job.asked_version, job.request_id, job.idempotency_key, job.fingerprint)
        if job.columns is None:
            inserted = await self._writers.ask(INSERT, *values)
        else:
            inserted = await self._writers.ask(INSERT_NAMED, *values, job.columns)
        if inserted is not None:
            return inserted.encode(), True
        earlier = await self.earlier(job)
        if earlier is None:
            raise Unavailable("the job of this Idempotency-Key has just expired: try again")
        return earlier, False

    async def earlier(self, job: Submission) -> bytes | None:
        """Return the report of the job that was submitted with the same key; raise Conflict if it differs."""
        found = await self._writers.ask(EARLIER, job.id, job.idempotency_key, job.fingerprint)
        if found is None:
            return None
        earlier = msgspec.json.decode(found, type=_Earlier)
        if not earlier.same:
            raise Conflict("this Idempotency-Key was used for another body: use a new key for a new job")
        return bytes(earlier.report)

    async def mark_published(self, job_ids: list[str]) -> None:
        """Record that RabbitMQ has a message for each job."""
        await self._writers.ask(PUBLISHED, job_ids)

    async def finished(self, job_ids: list[str]) -> list[str]:
        """Return those that have finished."""
        found = await self._readers.ask(FINISHED, job_ids)
        return msgspec.json.decode(found or "[]", type=list[str])

    async def unfinished(self, limit: int) -> int:
        """Return how many have not finished, or `limit` if that is less."""
        return int(await self._readers.ask(COUNT_UNFINISHED, limit) or 0)
