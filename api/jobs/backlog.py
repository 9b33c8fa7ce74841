"""Bounds the jobs that wait for workers: without a bound the table grows as fast as jobs are submitted.

Counting at each submission would cost more than the submission. So each replica counts once a second and adds
what it has accepted since: past the limit are at most those that other replicas accept within that second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from api.jobs.store import JobStore
from mlstack.web.problems import Unavailable

_COUNT_SECONDS = 1.0
_RETRY_SECONDS = 5


class Backlog:
    """How many jobs are not finished."""

    def __init__(self, store: JobStore, limit: int) -> None:
        """Nothing is known until `count_forever` runs."""
        self._store = store
        self._limit = limit
        self._counted = 0
        self._accepted = 0  # by this process, ever
        self._known = 0  # of those: committed before the last count began
        self._submitting = 0

    @property
    def full(self) -> bool:
        """True while no further job is accepted."""
        return self._counted + self._accepted - self._known >= self._limit

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place for the job that is submitted in the block; raise Unavailable when all are taken."""
        if self.full:
            raise Unavailable(f"{self._limit} jobs wait already: try again later", _RETRY_SECONDS)
        self._accepted += 1
        self._submitting += 1
        try:
            yield
        except BaseException:
            self._accepted -= 1
            raise
        finally:
            self._submitting -= 1

    async def count_forever(self) -> None:
        """Count every second, until cancelled; while PostgreSQL is away no job is submitted anyway."""
        while True:
            known = self._accepted - self._submitting
            with suppress(Unavailable):
                self._counted = await self._store.unfinished(self._limit)
                self._known = known
            await asyncio.sleep(_COUNT_SECONDS)
