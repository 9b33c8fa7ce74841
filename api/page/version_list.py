"""The versions as the page lists them, and a mark that changes when the list does."""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import NamedTuple

import msgspec

from api.page.description import versions
from mlstack.registry.store import ModelStore

_FRESH_SECONDS = 2.0


class Listed(NamedTuple):
    """`content` is JSON."""

    content: bytes
    mark: str


class VersionList:
    """Reads the store at most every two seconds, however many pages are open."""

    def __init__(self, store: ModelStore) -> None:
        """Read nothing yet."""
        self._store = store
        self._reading = asyncio.Lock()
        self._read_at = float("-inf")
        self._listed = Listed(b"[]", "")

    async def latest(self) -> Listed:
        """Return the newest versions, the newest first."""
        async with self._reading:
            if time.monotonic() - self._read_at > _FRESH_SECONDS:
                self._listed = await asyncio.to_thread(self._read)
                self._read_at = time.monotonic()
            return self._listed

    def _read(self) -> Listed:
        content = msgspec.json.encode(versions(self._store))
        return Listed(content, hashlib.sha256(content).hexdigest()[:16])
