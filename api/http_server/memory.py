"""Bounds what requests may hold in memory altogether: bodies while they come, rows, answers while they go.

A request says how much it is about to hold before it does. One that would go past the limit is refused, so a
burst costs answers of 503 and not the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mlstack.web.problems import Unavailable


class MemoryBudget:
    """Bytes that are held by all requests of this process."""

    def __init__(self, limit: int) -> None:
        """A single request may hold more than `limit` bytes, if it is the only one."""
        self._limit = limit
        self.held = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Give a request its share, which is returned when the block ends."""
        share = Share(self)
        try:
            yield share
        finally:
            share.resize(0)

    def take(self, size: int) -> None:
        """Count `size` more bytes; raise Unavailable instead where there is no room."""
        if size > 0 and self.held and self.held + size > self._limit:
            raise Unavailable(f"requests hold {self.held >> 20} MiB already: try again")
        self.held += size


class Share:
    """What one request holds."""

    __slots__ = ("_budget", "size")

    def __init__(self, budget: MemoryBudget) -> None:
        """Nothing yet."""
        self._budget = budget
        self.size = 0

    def resize(self, size: int) -> None:
        """Hold `size` bytes from now on; raise Unavailable where there is no room for more."""
        self._budget.take(size - self.size)
        self.size = size
