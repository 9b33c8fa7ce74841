"""Calls models that are too slow for the event loop in a thread, with many questions per call.

Equal questions share one call. Requests with many rows have a separate thread, so that they do not delay
the others.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine
from functools import partial

from api.prediction.answer import Answer
from api.prediction.computation import OVERFLOW, compute
from api.prediction.pending import Batch
from api.prediction.stage import Stage
from mlstack.inference.loaded_model import LoadedModel
from mlstack.web.problems import FAILED, InvalidInput, Problem, Unavailable

logger = logging.getLogger(__name__)

_MANY_ROWS = 512
_FIRST_CALL_ROWS, _LARGEST_CALL_ROWS = 16, 2048
_CALL_SECONDS = 0.25  # target duration of a call: its first question waits for its last
_WEIGHT = 0.3  # of the latest call in a moving average

Outcome = Answer | Problem
Deliver = Callable[[Batch, Outcome], None]


class _Line:
    """Questions that wait for the same thread, and that thread's speed."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.call_rows = _FIRST_CALL_ROWS
        self.row_seconds = 0.0  # moving average while more are waiting than fit one call

    def learn(self, rows: int, seconds: float, more_waited: bool) -> None:
        """Adapt the size of calls: larger while they are quick, smaller when they are slow."""
        if seconds > _CALL_SECONDS:
            self.call_rows = max(1, self.call_rows // 2)
        elif seconds < _CALL_SECONDS / 2:
            self.call_rows = min(_LARGEST_CALL_ROWS, self.call_rows * 2)
        if more_waited:
            weight = _WEIGHT if self.row_seconds else 1.0
            self.row_seconds += weight * (seconds / rows - self.row_seconds)

    @property
    def wait(self) -> float:
        """The expected wait of a new question, in seconds."""
        return self.stage.rows * self.row_seconds


class ModelCalls:
    """Queues questions to slow models and calls the models."""

    def __init__(self, deliver: Deliver, max_wait: float, failed: Callable[[LoadedModel], None]) -> None:
        """`deliver` is called with all requests of one question and its answer; `max_wait` is in seconds.

        `failed` is told whose call failed.
        """
        self._deliver = deliver
        self._failed = failed
        self._max_wait = max_wait
        self._few_rows, self._many_rows = _Line(), _Line()
        self._asking: dict[bytes, Batch] = {}  # by cache key: all requests that wait for the same answer

    @property
    def loops(self) -> tuple[Callable[[], Coroutine[None, None, None]], ...]:
        """The loops, to be run as background tasks."""
        return tuple(partial(self._call_forever, line) for line in (self._few_rows, self._many_rows))

    def add(self, group: Batch) -> None:
        """Queue questions; refuse those whose expected wait is too long."""
        for pending in group:
            line = self._many_rows if pending.n_rows > _MANY_ROWS else self._few_rows
            if pending.key in self._asking:
                self._asking[pending.key].append(pending)
            elif line.wait > self._max_wait:
                self._deliver([pending], _too_slow(line.wait))
            else:
                self._asking[pending.key] = [pending]
                line.stage.put(pending)

    async def _call_forever(self, line: _Line) -> None:
        while True:
            batch = await line.stage.take(_LARGEST_CALL_ROWS, line.call_rows)
            more_waited, started = line.stage.rows > 0, time.perf_counter()
            for group in by_model(batch):
                outcomes = await self._ask(group)
                for pending, outcome in zip(group, outcomes, strict=True):
                    self._deliver(self._asking.pop(pending.key), outcome)
            rows = sum([pending.n_rows for pending in batch])
            line.learn(rows, time.perf_counter() - started, more_waited)

    async def _ask(self, group: Batch) -> list[Outcome]:
        """Call one model; an unexpected error fails the questions of this call only."""
        late = time.perf_counter() - self._max_wait
        if all(pending.started < late for pending in group):
            return [_too_slow(self._max_wait)] * len(group)
        try:
            answers = await asyncio.to_thread(compute, group[0].model, group)
        except Exception:
            logger.exception("a call of the model failed", extra={"requests": len(group)})
            self._failed(group[0].model)
            return [Unavailable(FAILED)] * len(group)
        if None in answers:
            self._failed(group[0].model)
        return [InvalidInput(OVERFLOW) if answer is None else answer for answer in answers]


def by_model(batch: Batch) -> list[Batch]:
    """Group the questions by model."""
    groups: dict[str, Batch] = {}
    for pending in batch:
        groups.setdefault(pending.model.digest, []).append(pending)
    return [*groups.values()]


def _too_slow(wait: float) -> Unavailable:
    detail = f"the model is overloaded: it cannot answer within {wait:.1f} s; try again later"
    return Unavailable(detail, retry_after=math.ceil(wait))
