"""Signs of life from every part of the worker that has to go on: what is silent for too long hangs."""

from __future__ import annotations

import time


class Heartbeat:
    """When each part last made progress."""

    def __init__(self, limit: float) -> None:
        """A part that is silent for more than `limit` seconds counts as hung."""
        self._limit = limit
        self._beats: dict[str, float] = {}

    def beat(self, part: str) -> None:
        """Say that the part makes progress, or waits for something that is not its fault."""
        self._beats[part] = time.monotonic()

    def hung(self) -> list[str]:
        """Return the parts that are silent for too long."""
        oldest = time.monotonic() - self._limit
        return sorted(part for part, beat in self._beats.items() if beat < oldest)
