"""Long polling: one periodic query serves all requests that wait for jobs."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress

from api.jobs.store import JobStore
from mlstack.web.problems import Unavailable

_LOOK_SECONDS = 0.1


class Waiting:
    """The requests that wait, by job."""

    def __init__(self, store: JobStore) -> None:
        """Query the store only while requests wait."""
        self._store = store
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._arrived = asyncio.Event()

    async def finished(self, job_id: str, seconds: float) -> None:
        """Return when the job has finished or after `seconds`."""
        finished = asyncio.Event()
        self._waiters[job_id].add(finished)
        self._arrived.set()
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(finished.wait(), seconds)
        finally:
            self._waiters[job_id].discard(finished)
            if not self._waiters[job_id]:
                del self._waiters[job_id]

    async def look_forever(self) -> None:
        """Wake the requests whose job has finished, until cancelled."""
        while True:
            if not self._waiters:
                self._arrived.clear()
                await self._arrived.wait()
            with suppress(Unavailable):
                for job_id in await self._store.finished(list(self._waiters)):
                    for waiter in self._waiters.get(job_id, ()):
                        waiter.set()
            await asyncio.sleep(_LOOK_SECONDS)
