"""Concurrent requests are answered together: one look-up, one model call, one write of the log.

While a batch waits for its commit the next one gathers; the size of a batch follows the load.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice

from api import metrics
from api.prediction.cache import Cache
from api.prediction.computation import compute
from api.prediction.pending import PendingPrediction, log_row, response
from api.prediction.prediction_log import PredictionLog
from mlstack.web.problems import InvalidInput, Problem, Unavailable

_BATCH_REQUESTS = 256
_BATCH_ROWS = 20_000


class Batcher:
    """Answers batch in batches, on as many lanes as batches may be in flight."""

    def __init__(self, cache: Cache, log: PredictionLog, max_pending: int) -> None:
        """At most `max_pending` batch wait; one more is refused at once."""
        self._cache = cache
        self._log = log
        self._max_pending = max_pending
        self._pending: deque[PendingPrediction] = deque()
        self._arrived = asyncio.Event()
        self._busy = 0

    def submit(self, pending: PendingPrediction) -> asyncio.Future[bytes]:
        """Queue a pending and return the future of its answer; raise Unavailable when too many wait."""
        if len(self._pending) >= self._max_pending:
            raise Unavailable(f"{self._max_pending} requests wait already: try again")
        self._pending.append(pending)
        self._arrived.set()
        return pending.answer

    async def run_lane(self, lane: int) -> None:
        """Answer batch after batch, until cancelled."""
        while True:
            while not self._pending:
                self._arrived.clear()
                await self._arrived.wait()
            batch = self._take_batch()
            self._busy += 1
            try:
                await self._answer(batch, lane)
            except Problem as problem:
                metrics.log_failures.inc(len(batch))
                _fail(batch, problem)
            except BaseException:
                _fail(batch, Unavailable("the service could not finish this request; its log says why"))
                raise
            finally:
                self._busy -= 1

    async def drained(self) -> None:
        """Return when nothing waits and every cache entry is stored."""
        while self._pending or self._busy:
            await asyncio.sleep(0.005)
        await self._cache.flushed()

    def _take_batch(self) -> list[PendingPrediction]:
        """Return waiting batch: at least one, and no more than fit into one bounded model call."""
        n_rows = count = 0
        for pending in islice(self._pending, _BATCH_REQUESTS):
            n_rows += len(pending.rows)
            if count and n_rows > _BATCH_ROWS:
                break
            count += 1
        return [self._pending.popleft() for _ in range(count)]

    async def _answer(self, batch: list[PendingPrediction], lane: int) -> None:
        found = await self._cache.get_many([pending.key for pending in batch])
        answers: dict[bytes, bytes] = {}
        missed: list[PendingPrediction] = []
        for pending, value in zip(batch, found.values, strict=True):
            if value is None:
                missed.append(pending)
            else:
                answers[pending.key], pending.cached = value, True
        if missed:
            computed = await compute(missed)
            answers |= computed.answers
            batch = _refuse_overflows(batch, computed.overflows)
        if batch:
            await self._log.write([log_row(pending, answers[pending.key]) for pending in batch], lane)
        for pending in batch:
            if not pending.answer.done():
                pending.answer.set_result(response(pending, answers[pending.key]))
        if missed and not found.failed:
            self._cache.put_many(computed.answers)
        _count(batch, found.failed)


def _refuse_overflows(batch: list[PendingPrediction], overflows: set[bytes]) -> list[PendingPrediction]:
    """Fail the batch whose answer would not be finite; return the others."""
    if not overflows:
        return batch
    _fail(
        [pending for pending in batch if pending.key in overflows],
        InvalidInput(
            "expected numbers within the model's range; the prediction would not be a finite number"
        ),
    )
    return [pending for pending in batch if pending.key not in overflows]


def _fail(batch: list[PendingPrediction], problem: Problem) -> None:
    for pending in batch:
        if not pending.answer.done():
            pending.answer.set_exception(problem)


def _count(batch: list[PendingPrediction], failed: bool) -> None:
    n_hits = sum(pending.cached for pending in batch)
    metrics.batch_requests.observe(len(batch))
    metrics.prediction_instances.inc(sum(len(pending.rows) for pending in batch))
    metrics.cache["hit"].inc(n_hits)
    metrics.cache["error" if failed else "miss"].inc(len(batch) - n_hits)
