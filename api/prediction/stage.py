"""A queue between two stages of the batcher."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from itertools import islice

from api.prediction.pending import PendingPrediction


class Stage:
    """Pending predictions in the order of their arrival."""

    def __init__(self) -> None:
        """Empty."""
        self._waiting: deque[PendingPrediction] = deque()
        self._arrived = asyncio.Event()
        self.rows = 0  # of all waiting requests

    def put(self, pending: PendingPrediction) -> None:
        """Add one."""
        if not self._waiting:
            self._arrived.set()
        self._waiting.append(pending)
        self.rows += pending.n_rows

    def extend(self, batch: Iterable[PendingPrediction]) -> None:
        """Add some."""
        for pending in batch:
            self.put(pending)

    async def take(self, most_requests: int, most_rows: int) -> list[PendingPrediction]:
        """Wait for the next requests: at least one, then as many as fit both limits."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        n_rows = count = 0
        for pending in islice(self._waiting, most_requests):
            n_rows += pending.n_rows
            if count and n_rows > most_rows:
                break
            count += 1
        batch = [self._waiting.popleft() for _ in range(count)]
        self.rows -= sum([pending.n_rows for pending in batch])
        return batch
