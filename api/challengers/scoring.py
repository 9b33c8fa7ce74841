"""Scores the shadow on answered requests: in a thread of the lowest priority, a small share of the time.

Nothing here was promised to anybody: rows are dropped while the service is busy, and lost when it ends or
while PostgreSQL is away. Each is counted (shadow_rows_total).
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from api import metrics
from api.challengers.answering import timed_answers
from api.challengers.rows import Translation
from api.challengers.scores import store_scores
from api.challengers.waiting import Answered, Waiting
from api.connections.pool import ConnectionPool
from api.connections.postgres import PostgresUnavailable, RejectedRow
from api.prediction.batcher import Batcher
from mlstack.inference.loaded_model import LoadedModel
from mlstack.web.problems import Unavailable
from mlstack.web.served_models import ServedModels

logger = logging.getLogger(__name__)

_ROUND_REQUESTS = 256
_FIRST_ROWS, _MOST_ROWS = 16, 2000  # of a round
_ROUND_SECONDS = 0.2  # of the thread: when the service ends, it waits for that
_LOOK_SECONDS = 0.25  # between looks for a shadow
_LEAST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
_PAUSES = {False: 1.0, True: 30.0}  # times the length of a round: when the service is idle, and when busy
_BUSY = 0.25  # of a core, for anything else than the shadow
_LATE = 0.005  # seconds: who wakes up later than it wanted to is not alone on the machine


class ShadowScoring:
    """Its loop runs in the background; without a shadow it only looks whether there is one."""

    def __init__(self, models: ServedModels, batcher: Batcher, writers: ConnectionPool, share: float) -> None:
        """`share` is that of the requests that are scored, 0 to 1."""
        self._models = models
        self._batcher = batcher
        self._writers = writers
        self._share = share
        self._waiting = Waiting(share)
        self._rows = _FIRST_ROWS
        self._thread = ThreadPoolExecutor(1, "shadow", initializer=_yield_to_others)

    async def run_forever(self) -> None:
        """Score until cancelled."""
        busy = True
        try:
            while True:
                shadow, current = self._models.challengers.shadow, self._models.current.get()
                if shadow is None or current is None or not self._share:
                    self._attend(None, None)
                    await asyncio.sleep(_LOOK_SECONDS)
                    continue
                self._attend(current, shadow)
                busy = await self._round(shadow, Translation(current.columns, shadow.columns), busy)
        finally:
            self._attend(None, None)
            self._thread.shutdown(wait=False, cancel_futures=True)

    def _attend(self, current: LoadedModel | None, shadow: LoadedModel | None) -> None:
        """From now on collect what the current version answers, or nothing."""
        digest = "" if current is None else current.digest
        if digest != self._waiting.answered_by:
            self._waiting.drop_all()
            self._waiting.answered_by = digest
        metrics.shadow_version.set(0 if shadow is None else shadow.version)
        self._batcher.after = None if current is None else self._waiting.offer

    async def _round(self, shadow: LoadedModel, translation: Translation, busy: bool) -> bool:
        """Score some requests, then pause; return whether the service was busy meanwhile."""
        began, used = time.perf_counter(), time.process_time()
        own = 0.0
        taken = self._waiting.take(_ROUND_REQUESTS, self._rows)
        if taken:
            try:
                own = await self._score(shadow, translation, taken)
            except Exception:  # whatever a version does when it is scored, the service goes on
                metrics.shadow_rows["failed"].inc(sum([each.n_rows for each in taken]))
                logger.exception("the shadow cannot be scored", extra={"model_version": shadow.version})
        pause = min(max((time.perf_counter() - began) * _PAUSES[busy], _LEAST_PAUSE), _LONGEST_PAUSE)
        late = await self._pause(pause, shadow)
        others = time.process_time() - used - own
        return late > _LATE or others > _BUSY * (time.perf_counter() - began)

    async def _pause(self, seconds: float, shadow: LoadedModel) -> float:
        """Pause, but not beyond the end of this shadow; return how much too late it woke up at most."""
        late, end = 0.0, time.perf_counter() + seconds
        while (now := time.perf_counter()) < end and self._models.challengers.shadow is shadow:
            part = min(end - now, _LOOK_SECONDS)
            await asyncio.sleep(part)
            late = max(late, time.perf_counter() - now - part)
        return late

    async def _score(self, shadow: LoadedModel, translation: Translation, taken: list[Answered]) -> float:
        """Store what the shadow says; return the processor's time that this took in the thread."""
        loop = asyncio.get_running_loop()
        answers, seconds = await loop.run_in_executor(self._thread, timed_answers, shadow, translation, taken)
        if seconds > _ROUND_SECONDS:
            self._rows = max(1, self._rows // 2)
        elif seconds < _ROUND_SECONDS / 2:
            self._rows = min(_MOST_ROWS, self._rows * 2)
        found = [(each, answer) for each, answer in zip(taken, answers, strict=True) if answer is not None]
        failed = sum([each.n_rows for each, answer in zip(taken, answers, strict=True) if answer is None])
        scored = sum([each.n_rows for each, _ in found])
        try:
            if found:
                await store_scores(self._writers, shadow.version, found)
        except (PostgresUnavailable, RejectedRow, Unavailable) as error:
            logger.warning("scores of the shadow are lost", extra={"reason": str(error)})
            scored, failed = 0, failed + scored
        metrics.shadow_rows["scored"].inc(scored)
        metrics.shadow_rows["failed"].inc(failed)
        return seconds


def _yield_to_others() -> None:
    """Give this thread, not the process, the lowest priority."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
