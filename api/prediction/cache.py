"""The cache: answers by model and rows, in Redis.

A key covers everything the answer depends on, so a cached answer equals an uncached one, also after a
retraining or a rollback. A value is sealed JSON: entries written by other programs are ignored.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from typing import NamedTuple

from api.connections.redis import Command, RedisConnection, RedisUnavailable, Reply
from api.prediction.answer import Answer, read_answer
from api.prediction.sealing import Sealer

_FORMAT = "3"  # of values, and of the arithmetic behind them; a change invalidates all older entries
_SHORT = 64  # bytes of rows that a key contains; longer ones are hashed
# With appendfsync always, Redis syncs after each event-loop iteration with writes, which delays look-ups:
# entries are written together, fifty times per second.
_PAUSE_SECONDS = 0.5  # after a time-out
_WRITE_SECONDS = 0.02
_WRITE_BYTES = 1 << 20
_SEAL = slice(9, 41)  # {"seal":"0123…",
_MEMBERS = slice(43, -1)


class Lookup(NamedTuple):
    """The answers found, None for each miss, and whether Redis failed."""

    answers: list[Answer | None]
    failed: bool


def cache_key(model_digest: str, n_rows: int, content: bytes) -> bytes:
    """Return the key of rows (float64 values, -0.0 as 0.0) for the model with this manifest digest."""
    name = content.hex() if len(content) <= _SHORT else hashlib.sha256(content).hexdigest()
    return f"prediction:{_FORMAT}:{model_digest[:32]}:{n_rows}:{name}".encode()


class Cache:
    """Reads and writes many entries at once; without Redis every look-up misses and nothing is stored."""

    def __init__(self, redis: RedisConnection, sealer: Sealer, ttl: int, timeout: float) -> None:
        """`ttl` and `timeout` are in seconds."""
        self._redis = redis
        self._sealer = sealer
        self._ttl = ttl
        self._timeout = timeout
        self._resume_at = 0.0
        self._unwritten: dict[bytes, Answer] = {}
        self._unwritten_bytes = 0
        self._writing: set[asyncio.Future[list[Reply]]] = set()

    async def get_many(self, keys: list[bytes]) -> Lookup:
        """Return the answer of each key, in one round trip."""
        unwritten = self._unwritten
        known = {key: unwritten[key] for key in keys if key in unwritten} if unwritten else {}
        asked = [key for key in keys if key not in known] if known else keys
        if not asked:
            return Lookup([known[key] for key in keys], failed=False)
        values = await self._ask(asked)
        if not isinstance(values, list):
            return Lookup([known.get(key) for key in keys], failed=True)
        found = [self._opened(key, value) for key, value in zip(asked, values, strict=True)]
        if not known:
            return Lookup(found, failed=False)
        answers = dict(zip(asked, found, strict=True))
        return Lookup([known.get(key) or answers.get(key) for key in keys], failed=False)

    async def _ask(self, keys: list[bytes]) -> object:
        """Return what Redis has for the keys, None when it cannot be asked.

        After a time-out it is left alone for a moment, or each batch would wait as long as the one before.
        """
        loop = asyncio.get_running_loop()
        if self._resume_at and loop.time() < self._resume_at:
            return None
        try:
            reply = self._redis.execute([("MGET", *keys)], self._timeout)
        except RedisUnavailable:
            return None
        try:
            (values,) = await reply
        except RedisUnavailable:
            self._resume_at = loop.time() + _PAUSE_SECONDS
            return None
        return values

    def put_many(self, entries: dict[bytes, Answer]) -> None:
        """Store entries in the background; after a failure they are computed again."""
        if not entries or not self._redis.available:
            return
        if not self._unwritten:
            asyncio.get_running_loop().call_later(_WRITE_SECONDS, self._write)
        self._unwritten |= entries
        self._unwritten_bytes += sum([len(answer.members) for answer in entries.values()])
        if self._unwritten_bytes > _WRITE_BYTES:
            self._write()

    def _write(self) -> None:
        entries, self._unwritten, self._unwritten_bytes = self._unwritten, {}, 0
        commands: list[Command] = [
            ("SET", key, self._sealed(key, answer), "EX", self._ttl) for key, answer in entries.items()
        ]
        if not commands:
            return
        with suppress(RedisUnavailable):
            stored = self._redis.execute(commands, self._timeout)
            self._writing.add(stored)
            stored.add_done_callback(self._written)

    def _written(self, stored: asyncio.Future[list[Reply]]) -> None:
        self._writing.discard(stored)
        stored.exception()  # otherwise asyncio would log it as never retrieved

    async def flushed(self) -> None:
        """Write the remaining entries and return when all writes have ended."""
        self._write()
        if self._writing:
            await asyncio.wait(self._writing)

    def _sealed(self, key: bytes, answer: Answer) -> bytes:
        members = answer.members.encode()
        return b'{"seal":"%b",%b}' % (self._sealer.seal(key, members), members)

    def _opened(self, key: bytes, value: object) -> Answer | None:
        """Return the answer in a value that this service sealed for this key."""
        if not isinstance(value, bytes) or not self._sealer.is_sealed(key, value[_MEMBERS], value[_SEAL]):
            return None
        return read_answer(value[_MEMBERS])
