"""Answered requests that wait to be scored: few, because they are the first thing to do without."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from api import metrics
from api.prediction.pending import Batch

_MOST_REQUESTS, _MOST_ROWS, _MOST_BYTES = 2048, 20_000, 8 << 20
_BUSY_REQUESTS = 256  # that still wait for their answers: more than a batch
_PARTS = 1 << 16  # the last 16 bits of an id are random


class Answered(NamedTuple):
    """A request that was answered. Its rows are shared with nobody by now."""

    id: str
    content: bytes
    sent: str | None
    n_rows: int

    @property
    def size(self) -> int:
        """Bytes of the rows, in both forms."""
        return len(self.content) + len(self.sent or "")


class Waiting:
    """A bounded queue; what does not fit is dropped and counted."""

    def __init__(self, share: float) -> None:
        """`share` is that of the requests that are scored, 0 to 1."""
        self._limit = int(share * _PARTS)
        self._queue: deque[Answered] = deque()
        self._rows = self._bytes = 0
        self.answered_by = ""  # digest of the version whose requests are scored

    def offer(self, batch: Batch, still_waiting: int) -> None:
        """Take answered requests, unless others still wait for their answers."""
        if still_waiting > _BUSY_REQUESTS or len(self._queue) >= _MOST_REQUESTS:
            metrics.shadow_rows["dropped"].inc(sum([pending.n_rows for pending in batch]))
            return
        for pending in batch:
            if pending.model.digest != self.answered_by:
                continue
            text = pending.id.text
            if self._limit < _PARTS and int(text[-4:], 16) >= self._limit:
                continue
            answered = Answered(text, pending.content, pending.sent, pending.n_rows)
            if self._rows + answered.n_rows > _MOST_ROWS or self._bytes + answered.size > _MOST_BYTES:
                metrics.shadow_rows["dropped"].inc(answered.n_rows)
                continue
            self._rows += answered.n_rows
            self._bytes += answered.size
            self._queue.append(answered)

    def take(self, most_requests: int, most_rows: int) -> list[Answered]:
        """Return the oldest requests: at least one if there are any, then as many as fit both limits."""
        taken: list[Answered] = []
        rows = 0
        while self._queue and len(taken) < most_requests:
            rows += self._queue[0].n_rows
            if taken and rows > most_rows:
                break
            taken.append(self._queue.popleft())
        self._rows -= sum([each.n_rows for each in taken])
        self._bytes -= sum([each.size for each in taken])
        return taken

    def drop_all(self) -> None:
        """Empty the queue, as when another version answers from now on."""
        metrics.shadow_rows["dropped"].inc(self._rows)
        self._queue.clear()
        self._rows = self._bytes = 0
