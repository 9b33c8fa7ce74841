"""Reports of jobs: those who ask for the same job while they wait for a connection share one read.

A report may be as long as a large answer, so many readers must not mean many reads, nor many copies.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

import msgspec

from api.connections.pool import ConnectionPool, ask
from api.http_server.memory import MemoryBudget, Share
from api.jobs.statements import FIND
from mlstack.web.problems import NotFound


class State(msgspec.Struct):
    """The part of a report that is looked at here."""

    id: str
    state: Literal["pending", "in_progress", "completed", "failed"]


class Report(NamedTuple):
    """A job's report as JSON, and whether nothing more will happen to the job."""

    content: bytes
    finished: bool


class _Read:
    """One look at a job, for all who wait for it."""

    def __init__(self, memory: MemoryBudget) -> None:
        self.readers = 0
        self.share = Share(memory)
        self.report: asyncio.Task[Report]


class Reports:
    """Reads reports on a few connections."""

    def __init__(self, pool: ConnectionPool, memory: MemoryBudget) -> None:
        """Reports that are being sent count as memory of their readers."""
        self._pool = pool
        self._memory = memory
        self._waiting: dict[str, _Read] = {}

    @asynccontextmanager
    async def read(self, job_id: str) -> AsyncIterator[Report]:
        """Give a job's report, as it is now or later, for the block; raise NotFound or Unavailable."""
        read = self._waiting.get(job_id)
        if read is None:
            read = self._waiting[job_id] = _Read(self._memory)
            read.report = asyncio.create_task(self._look_up(job_id, read))
        read.readers += 1
        try:
            yield await asyncio.shield(read.report)
        finally:
            read.readers -= 1
            if not read.readers:
                read.share.resize(0)

    async def _look_up(self, job_id: str, read: _Read) -> Report:
        try:
            async with self._pool.connection() as connection:
                self._begin(job_id, read)
                found = await ask(connection, FIND, job_id)
        finally:
            self._begin(job_id, read)
        if found is None:
            raise NotFound(f"there is no job {job_id}: it never was, or has finished and expired")
        content = found.encode()
        if read.readers:
            read.share.resize(len(content))
        state = msgspec.json.decode(content, type=State).state
        return Report(content, state in {"completed", "failed"})

    def _begin(self, job_id: str, read: _Read) -> None:
        """Let those who ask from now on have a read of their own: this one may be too old for them."""
        if self._waiting.get(job_id) is read:
            del self._waiting[job_id]
