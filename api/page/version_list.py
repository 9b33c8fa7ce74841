"""The versions as the page lists them, and a mark that changes when the list does."""

from __future__ import annotations

import asyncio
import hashlib
from functools import partial
from typing import NamedTuple

import msgspec

from api.page.description import versions
from api.page.shared_reading import SharedReading
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
        self._shared = SharedReading(partial(asyncio.to_thread, self._read), _FRESH_SECONDS)

    async def latest(self) -> Listed:
        """Return the newest versions, the newest first."""
        return await self._shared.latest()

    def _read(self) -> Listed:
        content = msgspec.json.encode(versions(self._store))
        return Listed(content, hashlib.sha256(content).hexdigest()[:16])
