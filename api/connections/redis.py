"""One Redis connection that reconnects by itself.

redis-py's asyncio client costs a third of the hot path's throughput (docs/decisions); this one
speaks RESP through hiredis, redis-py's own parser.
"""

from __future__ import annotations

import asyncio

import hiredis

from api.connections.address import StoreAddress
from api.connections.redis_pipeline import Command, Pipeline, RedisUnavailable, Reply
from api.redis_url import RedisTarget

__all__ = ["Command", "RedisConnection", "RedisUnavailable", "Reply"]

_FAILED = (OSError, hiredis.HiredisError)  # RedisUnavailable and TimeoutError are OSErrors
_PAUSE_SECONDS = 0.25


def _expire(replies: asyncio.Future[list[Reply]], within: float) -> None:
    """Fail the future. A late reply is matched and dropped; the heartbeat detects a lost server."""
    if not replies.done():
        replies.set_exception(RedisUnavailable(f"Redis did not answer in {within} s"))


class RedisConnection:
    """Keeps one connection open.

    `execute` never waits for a connection: while Redis is down, callers continue without it.
    """

    def __init__(self, address: StoreAddress, timeout: float = 0.5, longest_command: float = 0.0) -> None:
        """`timeout` in seconds is for connecting and for the heartbeat, answered after what was sent before.

        For that `longest_command` is added: the seconds that a command may take, such as WAIT.
        """
        self._address = address
        self._timeout = timeout
        self._heartbeat_timeout = timeout + longest_command
        self._pipeline: Pipeline | None = None

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
                url = self._address.url
                try:
                    pipeline = await self._connect(url)
                except _FAILED as error:
                    self._address.unreachable(error)
                else:
                    await self._stay_connected(url, pipeline)
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            self._pipeline = None

    async def _connect(self, url: str) -> Pipeline:
        target = RedisTarget.parse(url)
        greeting: list[Command] = [("SELECT", target.database), ("PING",)]
        if target.credentials:
            greeting.insert(0, ("AUTH", *target.credentials))
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._timeout):
            _, pipeline = await loop.create_connection(Pipeline, target.host, target.port, ssl=target.tls)
            try:
                for reply in await pipeline.send(greeting):
                    if isinstance(reply, hiredis.ReplyError):
                        raise RedisUnavailable(str(reply))
            except BaseException:
                pipeline.abort()
                raise
        return pipeline

    async def _stay_connected(self, url: str, pipeline: Pipeline) -> None:
        """Return when the connection is lost; replace it when the URL has changed."""
        self._pipeline = pipeline
        self._address.connected(url)
        try:
            while not pipeline.closed.done():
                await asyncio.wait([pipeline.closed], timeout=1.0)
                async with asyncio.timeout(self._heartbeat_timeout):
                    await pipeline.send([("PING",)])
                if self._address.url != url:
                    url, pipeline = await self._replaced(url, pipeline)
        except _FAILED as error:
            self._address.lost(error)
        finally:
            self._pipeline = None
            pipeline.abort()

    async def _replaced(self, url: str, pipeline: Pipeline) -> tuple[str, Pipeline]:
        """Connect with the changed URL; keep the earlier connection while Redis refuses it."""
        changed = self._address.url
        try:
            self._pipeline = replacement = await self._connect(changed)
        except _FAILED as error:
            self._address.change_refused(error)
            return url, pipeline
        self._address.connected(changed)
        await asyncio.sleep(self._heartbeat_timeout)  # what was sent on it is answered or given up by then
        pipeline.abort()
        return changed, replacement
