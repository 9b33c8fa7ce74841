"""Processes one job: take it, predict, commit the answer. The row always holds the job's state."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import Callable
from enum import Enum
from http import HTTPStatus

from api.jobs.settings import MAX_ATTEMPTS
from api.prediction.answer import Answer
from api.prediction.computation import answer_rows
from api.worker import metrics
from api.worker.job_rows import Work, WorkStore
from mlstack.web.problems import InvalidInput, Problem, problem_body
from mlstack.web.requests import decode_stored
from mlstack.web.rows import read_rows
from mlstack.web.served_models import ServedModels

logger = logging.getLogger(__name__)

_MODEL_PAUSE_SECONDS = 0.5


class Outcome(Enum):
    """What to do with the message."""

    ACKNOWLEDGE = "acknowledge"
    DELIVER_AGAIN = "deliver again"
    DEAD_LETTER = "dead-letter"


class Answering:
    """Answers jobs, one at a time."""

    def __init__(
        self, store: WorkStore, models: ServedModels, max_rows: int, beat: Callable[[], None]
    ) -> None:
        """`max_rows` as for the api; `beat` is called while no model is loaded."""
        self._store = store
        self._beat = beat
        self._models = models
        self._max_rows = max_rows

    async def answer(self, job_id: str) -> Outcome:
        """Process the job if it is available; the outcome is committed when this returns."""
        await self._a_model()
        worker = f"{socket.gethostname()}/{secrets.token_hex(4)}"  # unique to this attempt
        work = await self._store.take(job_id, worker)
        if work is None:
            # Done already, or taken by another worker; if it fails, the sweeper publishes the job again.
            metrics.deliveries["skipped"].inc()
            return Outcome.ACKNOWLEDGE
        metrics.waiting_seconds.observe(max(work.waited, 0.0))
        started = time.perf_counter()
        outcome = await self._attempt(job_id, worker, work)
        metrics.processing_seconds.observe(time.perf_counter() - started)
        return outcome

    async def _attempt(self, job_id: str, worker: str, work: Work) -> Outcome:
        if work.attempts > MAX_ATTEMPTS:  # each ended without a result, as when a worker is killed
            return await self._give_up(job_id, worker, work)
        try:
            answer, version, n_rows = await self._predict(work)
        except Problem as problem:
            await self._store.fail(job_id, worker, problem.body(work.request_id))
            metrics.deliveries["failed"].inc()
            return Outcome.ACKNOWLEDGE
        except Exception:
            logger.exception("attempt failed", extra={"job": job_id, "attempts": work.attempts})
            if work.attempts >= MAX_ATTEMPTS:
                return await self._give_up(job_id, worker, work)
            await self._store.release(job_id, worker)
            metrics.deliveries["released"].inc()
            return Outcome.DELIVER_AGAIN
        await self._store.complete(job_id, worker, answer, version)
        metrics.deliveries["completed"].inc()
        metrics.prediction_instances.inc(n_rows)
        return Outcome.ACKNOWLEDGE

    async def _give_up(self, job_id: str, worker: str, work: Work) -> Outcome:
        detail = f"the job was given up after {MAX_ATTEMPTS} attempts; the worker's log has the reason"
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        await self._store.fail(job_id, worker, problem_body(status, detail, work.request_id))
        metrics.deliveries["failed"].inc()
        logger.error("job given up", extra={"job": job_id, "request_id": work.request_id})
        return Outcome.DEAD_LETTER

    async def _predict(self, work: Work) -> tuple[Answer, int, int]:
        """Return the answer, the model's version and the number of rows."""
        model = await asyncio.to_thread(self._models.select, work.asked_version)
        if work.columns not in {None, model.features}:
            raise InvalidInput(
                f"the job's rows are for the columns {', '.join(work.columns or ())}; version {model.version}"
                f" of the model, which is to answer, takes {', '.join(model.features)}: submit a new job"
            )
        rows = read_rows(decode_stored(work.rows), model, self._max_rows).encoded
        answer = await asyncio.to_thread(answer_rows, model, rows)
        return answer, model.version, len(rows)

    async def _a_model(self) -> None:
        """Return once a model is loaded: a missing model must not use up the job's attempts."""
        while self._models.current.get() is None:
            self._beat()
            await asyncio.sleep(_MODEL_PAUSE_SECONDS)
