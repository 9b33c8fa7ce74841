"""Compares a shadow with the current version for GET /models/compare, at most once in a few seconds."""

from __future__ import annotations

import asyncio
import time

import msgspec

from api.connections.pool import ConnectionPool
from mlstack.challenger.comparison import Comparison, compare
from mlstack.challenger.pairs import pairs_query, read_pairs
from mlstack.web.problems import Conflict, NotFound
from mlstack.web.served_models import ServedModels

_FRESH_SECONDS = 10.0
_MOST_REQUESTS = 2000  # `models compare` reads more


class Comparisons:
    """Keeps the last comparison: however many ask, one is computed."""

    def __init__(self, models: ServedModels, readers: ConnectionPool) -> None:
        """The connections keep themselves connected."""
        self._models = models
        self._readers = readers
        self._comparing = asyncio.Lock()
        self._compared_at = 0.0
        self._versions = (0, 0)
        self._found = b""

    async def compare(self, version: int | None) -> bytes:
        """Return how `version`, or the shadow, compares with the current one, as JSON; raise a Problem."""
        versions = (await self._version(version), self._models.select(None).version)
        if versions[0] == versions[1]:
            raise Conflict(f"version {versions[0]} is the current one: compare another with it")
        async with self._comparing:
            fresh = time.monotonic() - self._compared_at < _FRESH_SECONDS
            if not fresh or versions != self._versions:
                text = await self._readers.ask(pairs_query(*versions, _MOST_REQUESTS))
                found = await asyncio.to_thread(_compare, *versions, text or "[]")
                self._found, self._versions = msgspec.json.encode(found), versions
                self._compared_at = time.monotonic()
            return self._found

    async def _version(self, version: int | None) -> int:
        if version is None:
            shadow = self._models.challengers.shadow
            if shadow is None:
                raise NotFound("there is no shadow: `models shadow VERSION` begins one")
            return shadow.version
        if version not in await asyncio.to_thread(self._models.store.versions):
            raise NotFound(f"there is no version {version}")
        return version


def _compare(version: int, current: int, text: str) -> Comparison:
    return compare(version, current, read_pairs(text))
