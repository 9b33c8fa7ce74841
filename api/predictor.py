"""Concurrent requests are answered together: one look-up, one model call, one write of the log.

While a batch waits for its commit the next one gathers; the size of a batch follows the load.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice

from api import metrics
from api.cache import Cache
from api.computation import compute
from api.job import Job, log_row, response
from api.prediction_log import PredictionLog
from pipeline.problems import InvalidInput, Problem, Unavailable

_BATCH_REQUESTS = 256
_BATCH_ROWS = 20_000


class Predictor:
    """Answers jobs in batches, on as many lanes as batches may be in flight."""

    def __init__(self, cache: Cache, log: PredictionLog, max_pending: int) -> None:
        """At most `max_pending` jobs wait; one more is refused at once."""
        self._cache = cache
        self._log = log
        self._max_pending = max_pending
        self._pending: deque[Job] = deque()
        self._arrived = asyncio.Event()
        self._busy = 0

    def submit(self, job: Job) -> asyncio.Future[bytes]:
        """Queue a job and return the future of its answer; raise Unavailable when too many wait."""
        if len(self._pending) >= self._max_pending:
            raise Unavailable(f"{self._max_pending} requests wait already: try again")
        self._pending.append(job)
        self._arrived.set()
        return job.answer

    async def run_lane(self, lane: int) -> None:
        """Answer batch after batch, until cancelled."""
        while True:
            while not self._pending:
                self._arrived.clear()
                await self._arrived.wait()
            jobs = self._take_batch()
            self._busy += 1
            try:
                await self._answer(jobs, lane)
            except Problem as problem:
                metrics.log_failures.inc(len(jobs))
                _fail(jobs, problem)
            except BaseException:
                _fail(jobs, Unavailable("the service could not finish this request; its log says why"))
                raise
            finally:
                self._busy -= 1

    async def drained(self) -> None:
        """Return when nothing waits and every cache entry is stored."""
        while self._pending or self._busy:
            await asyncio.sleep(0.005)
        await self._cache.flushed()

    def _take_batch(self) -> list[Job]:
        """Return waiting jobs: at least one, and no more than fit into one bounded model call."""
        n_rows = count = 0
        for job in islice(self._pending, _BATCH_REQUESTS):
            n_rows += len(job.rows)
            if count and n_rows > _BATCH_ROWS:
                break
            count += 1
        return [self._pending.popleft() for _ in range(count)]

    async def _answer(self, jobs: list[Job], lane: int) -> None:
        found = await self._cache.get_many([job.key for job in jobs])
        answers: dict[bytes, bytes] = {}
        missed: list[Job] = []
        for job, value in zip(jobs, found.values, strict=True):
            if value is None:
                missed.append(job)
            else:
                answers[job.key], job.cached = value, True
        if missed:
            computed = await compute(missed)
            answers |= computed.answers
            jobs = _refuse_overflows(jobs, computed.overflows)
        if jobs:
            await self._log.write([log_row(job, answers[job.key]) for job in jobs], lane)
        for job in jobs:
            if not job.answer.done():
                job.answer.set_result(response(job, answers[job.key]))
        if missed and not found.failed:
            self._cache.put_many(computed.answers)
        _count(jobs, found.failed)


def _refuse_overflows(jobs: list[Job], overflows: set[bytes]) -> list[Job]:
    """Fail the jobs whose answer would not be finite; return the others."""
    if not overflows:
        return jobs
    _fail(
        [job for job in jobs if job.key in overflows],
        InvalidInput(
            "expected numbers within the model's range; the prediction would not be a finite number"
        ),
    )
    return [job for job in jobs if job.key not in overflows]


def _fail(jobs: list[Job], problem: Problem) -> None:
    for job in jobs:
        if not job.answer.done():
            job.answer.set_exception(problem)


def _count(jobs: list[Job], failed: bool) -> None:
    n_hits = sum(job.cached for job in jobs)
    metrics.batch_requests.observe(len(jobs))
    metrics.prediction_rows.inc(sum(len(job.rows) for job in jobs))
    metrics.cache["hit"].inc(n_hits)
    metrics.cache["error" if failed else "miss"].inc(len(jobs) - n_hits)
