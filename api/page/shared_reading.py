"""One reading for all pages that are open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedReading(Generic[T]):
    """Reads at most once in so many seconds, however many ask at once."""

    def __init__(self, read: Callable[[], Awaitable[T]], seconds: float) -> None:
        """Read nothing yet."""
        self._read = read
        self._seconds = seconds
        self._reading = asyncio.Lock()
        self._read_at = float("-inf")
        self._found: T

    async def latest(self) -> T:
        """Return what was read last; read it again if that is too long ago."""
        async with self._reading:
            if time.monotonic() - self._read_at > self._seconds:
                self._found = await self._read()
                self._read_at = time.monotonic()
            return self._found
