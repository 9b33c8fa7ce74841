"""The cache: answers by model and rows, in Redis.

A key names everything the answer depends on, so a cached answer equals an uncached one whatever
was retrained or rolled back in between. A value is JSON; it is checked before it is believed.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from typing import NamedTuple

import msgspec

from api.connections.redis import Command, RedisConnection, RedisUnavailable, Reply
from mlstack.runtime.arrays import FloatArray

_FORMAT = "1"  # of a value, and of the arithmetic behind it; a change makes every older entry unknown
_SHORT = 64  # bytes of rows that a key spells out; longer ones are hashed


class Answer(msgspec.Struct):
    """What is cached of an answer: one entry a row."""

    predictions: list[float]
    intervals: list[tuple[float, float]]
    confidence: list[float]


class Lookup(NamedTuple):
    """The values found, None where there was none, and whether Redis could be asked."""

    values: list[bytes | None]
    failed: bool


_decoder = msgspec.json.Decoder(Answer)


def cache_key(model_digest: str, rows: FloatArray) -> bytes:
    """Return the key of `rows` (float64, -0.0 made 0.0) under the model with that manifest digest."""
    content = rows.tobytes()
    name = content.hex() if len(content) <= _SHORT else hashlib.sha256(content).hexdigest()
    return f"prediction:{_FORMAT}:{model_digest[:32]}:{len(rows)}:{name}".encode()


class Cache:
    """Reads and writes many entries at once; without Redis it finds nothing and keeps nothing."""

    def __init__(self, redis: RedisConnection, ttl: int, timeout: float) -> None:
        """`ttl` and `timeout` are in seconds."""
        self._redis = redis
        self._ttl = ttl
        self._timeout = timeout
        self._writes: set[asyncio.Future[list[Reply]]] = set()

    async def get_many(self, keys: list[bytes]) -> Lookup:
        """Return the entry of each key, in one round trip."""
        try:
            (found,) = await self._redis.execute([("MGET", *keys)], self._timeout)
        except RedisUnavailable:
            return Lookup([None] * len(keys), failed=True)
        if not isinstance(found, list):
            return Lookup([None] * len(keys), failed=True)
        return Lookup([_checked(value) for value in found], failed=False)

    def put_many(self, entries: dict[bytes, bytes]) -> None:
        """Store the entries and wait for nothing; a failure only means that they are computed again."""
        commands: list[Command] = [("SET", key, value, "EX", self._ttl) for key, value in entries.items()]
        with suppress(RedisUnavailable):
            stored = self._redis.execute(commands, self._timeout)
            self._writes.add(stored)
            stored.add_done_callback(self._written)

    def _written(self, stored: asyncio.Future[list[Reply]]) -> None:
        self._writes.discard(stored)
        stored.exception()  # asked for, so that nobody reports it as forgotten

    async def flushed(self) -> None:
        """Return when no entry is on its way."""
        if self._writes:
            await asyncio.wait(self._writes)


def _checked(value: object) -> bytes | None:
    if not isinstance(value, bytes):
        return None
    try:
        _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return value
