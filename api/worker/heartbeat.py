"""Heartbeats of the worker's tasks: a task without one for too long hangs."""

from __future__ import annotations

import time


class Heartbeat:
    """When each task last made progress."""

    def __init__(self, limit: float) -> None:
        """A task without a heartbeat for more than `limit` seconds counts as hung."""
        self._limit = limit
        self._beats: dict[str, float] = {}

    def beat(self, part: str) -> None:
        """Record that the task makes progress, or waits for something outside the worker."""
        self._beats[part] = time.monotonic()

    def hung(self) -> list[str]:
        """Return the tasks without a recent heartbeat."""
        oldest = time.monotonic() - self._limit
        return sorted(part for part, beat in self._beats.items() if beat < oldest)
