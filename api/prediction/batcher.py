"""Answers concurrent requests in batches, by stages that run concurrently.

look up    one MGET for all requests that have arrived; cache hits go directly to the commit
compute    one call of the model for the misses; slow models are called in a thread (model_calls.py)
commit     one INSERT, then the answers are sent; one commit is in flight, so batches grow with the load
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api import metrics
from api.prediction.answer import Answer
from api.prediction.cache import Cache
from api.prediction.computation import OVERFLOW, compute
from api.prediction.identifiers import Identity
from api.prediction.log_record import log_records
from api.prediction.model_calls import ModelCalls, by_model
from api.prediction.pending import Batch, FutureRespondent, PendingPrediction
from api.prediction.prediction_log import PredictionLog
from api.prediction.stage import Stage
from mlstack.inference.loaded_model import LoadedModel
from mlstack.web.problems import FAILED, InvalidInput, Problem, Unavailable

logger = logging.getLogger(__name__)

_BATCH_REQUESTS = 256
_FEW_ROWS = 64  # of a request that is never refused for the rows of others, only for their number
_BATCH_ROWS = 20_000
_INLINE_ROWS = 2_000  # of a quick model: more would block the event loop for milliseconds


After = Callable[[Batch, int], None]
Failed = Callable[[LoadedModel], None]


def _ignore(_: LoadedModel) -> None:
    """Without a canary it does not matter whose calls fail."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on pending requests and on the wait for a slow model; requests beyond them are refused."""

    requests: int
    rows: int
    wait: float  # seconds


class Batcher:
    """Answers pending predictions; its loops run in the background."""

    def __init__(self, cache: Cache, log: PredictionLog, limits: Limits, failed: Failed = _ignore) -> None:
        """`failed` is told whose call failed: an error, or a prediction that is not a finite number."""
        self._cache = cache
        self._log = log
        self._limits = limits
        self._arrived, self._answered = Stage(), Stage()
        self._failed = failed
        self._slow = ModelCalls(self._deliver, limits.wait, failed)
        self._requests = self._rows = 0
        self.after: After | None = None  # is given the answered requests, and how many still wait

    @property
    def loops(self) -> tuple[Callable[[], Coroutine[None, None, None]], ...]:
        """The stages, to be run as background tasks."""
        return self._look_up_forever, *self._slow.loops, self._commit_forever

    def submit(self, pending: PendingPrediction) -> None:
        """Queue a request, to be answered through its respondent; raise Unavailable when too many wait."""
        if self._requests >= self._limits.requests:
            raise Unavailable(f"{self._limits.requests} requests are waiting already: try again")
        if pending.n_rows > _FEW_ROWS and self._rows and self._rows + pending.n_rows > self._limits.rows:
            raise Unavailable(f"requests with {self._rows} rows are waiting already: try again")
        self._requests += 1
        self._rows += pending.n_rows
        self._arrived.put(pending)

    async def answer(
        self, identity: Identity, model: LoadedModel, content: bytes, started: float, sent: str | None = None
    ) -> bytes:
        """Return the body of the response to the float64 values of checked rows; raise a Problem.

        `sent` is the rows as JSON for the log, where that is more than their values.
        """
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        pending = PendingPrediction(identity, model, content, started, FutureRespondent(future))
        pending.sent = sent
        self.submit(pending)
        return (await future).encode()

    async def drained(self) -> None:
        """Return when nothing is pending and every cache entry is stored."""
        while self._requests:
            await asyncio.sleep(0.005)
        await self._cache.flushed()

    async def _look_up_forever(self) -> None:
        while True:
            batch = await self._arrived.take(_BATCH_REQUESTS, _BATCH_ROWS)
            with self._refusing_on_failure(batch):
                await self._look_up(batch)

    async def _commit_forever(self) -> None:
        while True:
            batch = await self._answered.take(_BATCH_REQUESTS, _BATCH_ROWS)
            with self._refusing_on_failure(batch):
                await self._commit(batch)

    async def _look_up(self, batch: Batch) -> None:
        found = await self._cache.get_many([pending.key for pending in batch])
        missed: Batch = []
        for pending, answer in zip(batch, found.answers, strict=True):
            if answer is None:
                missed.append(pending)
            else:
                pending.answer, pending.cached = answer, True
        metrics.cache["hit"].inc(len(batch) - len(missed))
        metrics.cache["error" if found.failed else "miss"].inc(len(missed))
        for group in by_model(missed):
            if group[0].model.quick and sum([pending.n_rows for pending in group]) <= _INLINE_ROWS:
                with self._refusing_on_failure(group, self._failed):
                    self._compute(group)
            else:
                self._slow.add(group)
        self._commit_soon([pending for pending in batch if pending.answer is not None])

    def _compute(self, group: Batch) -> None:
        """Call a quick model directly on the event loop."""
        distinct = {pending.key: pending for pending in group}
        answers = compute(group[0].model, [*distinct.values()])
        computed = {key: answer for key, answer in zip(distinct, answers, strict=True) if answer is not None}
        for pending in group:
            pending.answer = computed.get(pending.key)
        self._cache.put_many(computed)
        if len(computed) < len(distinct):
            self._failed(group[0].model)
            self._refuse([pending for pending in group if pending.answer is None], InvalidInput(OVERFLOW))

    def _deliver(self, same: Batch, outcome: Answer | Problem) -> None:
        """Give the outcome of a slow model's call to all requests with the same question."""
        if isinstance(outcome, Problem):
            self._refuse(same, outcome)
            return
        for pending in same:
            pending.answer = outcome
        self._cache.put_many({same[0].key: outcome})
        self._commit_soon(same)

    def _commit_soon(self, batch: Batch) -> None:
        due = time.perf_counter() + self._log.seconds
        for pending in batch:
            pending.due = due
        self._answered.extend(batch)

    async def _commit(self, batch: Batch) -> None:
        batch = [pending for pending in batch if not pending.finished]
        try:
            await self._log.write(log_records(batch), batch[0].due)
        except Problem as problem:
            metrics.log_failures.inc(len(batch))
            self._refuse(batch, problem)
            return
        for pending in batch:
            pending.respondent.answer(pending.body())
        self._finish(batch)
        if self.after is not None:
            self.after(batch, self._requests)
        metrics.batch_requests.observe(len(batch))
        metrics.prediction_instances.inc(sum([pending.n_rows for pending in batch]))

    def _refuse(self, batch: Batch, problem: Problem) -> None:
        """Send the problem to the requests that have not been answered."""
        batch = [pending for pending in batch if not pending.finished]
        for pending in batch:
            pending.respondent.refuse(problem)
        self._finish(batch)

    def _finish(self, batch: Batch) -> None:
        for pending in batch:
            pending.finished = True
            self._rows -= pending.n_rows
        self._requests -= len(batch)

    @contextmanager
    def _refusing_on_failure(self, batch: Batch, failed: Failed = _ignore) -> Iterator[None]:
        """Limit an unexpected error to this batch; it is logged, and the loop continues."""
        try:
            yield
        except BaseException as error:
            self._refuse(batch, Unavailable(FAILED))
            if not isinstance(error, Exception):
                raise
            failed(batch[0].model)
            logger.exception("a batch failed", extra={"requests": len(batch)})
