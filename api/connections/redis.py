"""One pipelined Redis connection: a batch of commands is one write and one read.

redis-py's asyncio client costs a third of the hot path's throughput (docs/decisions); this one parses RESP
with hiredis, as redis-py does, and reconnects automatically.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import cast
from urllib.parse import unquote, urlsplit

import hiredis

logger = logging.getLogger(__name__)

Reply = object
Command = tuple[str | int | float | bytes | memoryview, ...]


class RedisUnavailable(ConnectionError):
    """Redis cannot be reached, or did not answer in time."""


class _Pipeline(asyncio.Protocol):
    """Matches replies to commands by their order."""

    def __init__(self) -> None:
        self.closed = asyncio.get_running_loop().create_future()
        self._reader = hiredis.Reader()
        self._waiting: deque[tuple[int, list[Reply], asyncio.Future[list[Reply]]]] = deque()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has another base class

    def send(self, commands: list[Command]) -> asyncio.Future[list[Reply]]:
        future: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            future.set_exception(RedisUnavailable("the connection is closed"))
            return future
        self._waiting.append((len(commands), [], future))
        packed = [hiredis.pack_command(command) for command in commands]  # type: ignore[arg-type]
        self._transport.write(b"".join(packed))
        return future

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            expected, replies, future = self._waiting[0]
            replies.append(reply)
            if len(replies) == expected:
                self._waiting.popleft()
                if not future.done():
                    future.set_result(replies)

    def connection_lost(self, exc: Exception | None) -> None:
        for _, _, future in self._waiting:
            if not future.done():
                future.set_exception(
                    RedisUnavailable(f"the connection was lost: {exc or 'closed by the server'}")
                )
        self._waiting.clear()
        if not self.closed.done():
            self.closed.set_result(None)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _expire(replies: asyncio.Future[list[Reply]], within: float) -> None:
    """Fail the future. A late reply is matched and dropped; the heartbeat detects a lost server."""
    if not replies.done():
        replies.set_exception(RedisUnavailable(f"Redis did not answer in {within} s"))


class RedisConnection:
    """Keeps one connection open.

    `execute` never waits for a connection: while Redis is down, callers continue without it.
    """

    def __init__(self, url: str, timeout: float = 0.5) -> None:
        """`url` is redis://[user]:password@host:port/database; `timeout` is for connecting, in seconds."""
        parts = urlsplit(url)
        self._address = (parts.hostname or "localhost", parts.port or 6379)
        self._credentials = [unquote(x) for x in (parts.username, parts.password) if x]
        self._database = int(parts.path.strip("/") or 0)
        self._timeout = timeout
        self._pipeline: _Pipeline | None = None

    @property
    def available(self) -> bool:
        """True while Redis answers."""
        return self._pipeline is not None

    def execute(self, commands: list[Command], within: float) -> asyncio.Future[list[Reply]]:
        """Send all commands in one write; raise RedisUnavailable at once if there is no connection.

        The future has one reply each, error replies included; after `within` seconds it fails.
        """
        pipeline = self._pipeline
        if pipeline is None:
            raise RedisUnavailable("Redis cannot be reached")
        replies = pipeline.send(commands)
        expiry = asyncio.get_running_loop().call_later(within, _expire, replies, within)
        replies.add_done_callback(lambda _: expiry.cancel())
        return replies

    async def keep_connected(self) -> None:
        """Connect, monitor and reconnect until cancelled."""
        try:
            while True:
                with suppress(OSError, TimeoutError, hiredis.HiredisError):
                    await self._stay_connected()
                if self._pipeline is not None:
                    logger.warning("redis lost")
                    self._pipeline = None
                await asyncio.sleep(0.25)
        finally:
            self._pipeline = None

    async def _stay_connected(self) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._timeout):
            _, pipeline = await loop.create_connection(_Pipeline, *self._address)
        try:
            await self._greet(pipeline)
            self._pipeline = pipeline
            logger.info("redis connected")
            while not pipeline.closed.done():
                await asyncio.wait([pipeline.closed], timeout=1.0)
                async with asyncio.timeout(self._timeout):
                    await pipeline.send([("PING",)])
        finally:
            pipeline.abort()

    async def _greet(self, pipeline: _Pipeline) -> None:
        greeting: list[Command] = [("SELECT", self._database), ("PING",)]
        if self._credentials:
            greeting.insert(0, ("AUTH", *self._credentials))
        async with asyncio.timeout(self._timeout):
            for reply in await pipeline.send(greeting):
                if isinstance(reply, hiredis.ReplyError):
                    logger.error("redis refused the connection: check REDIS_URL", extra={"reply": str(reply)})
                    raise RedisUnavailable(str(reply))
