"""One connection to Redis on which a batch of commands is one write and one read."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

import hiredis

Reply = object
Command = tuple[str | int | float | bytes | memoryview, ...]


class RedisUnavailable(ConnectionError):
    """Redis cannot be reached, or did not answer in time."""


class Pipeline(asyncio.Protocol):
    """Matches replies to commands by their order."""

    def __init__(self) -> None:
        """Hand it to `loop.create_connection`; `closed` is done when the connection has ended."""
        self.closed = asyncio.get_running_loop().create_future()
        self._reader = hiredis.Reader()
        self._waiting: deque[tuple[int, list[Reply], asyncio.Future[list[Reply]]]] = deque()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but inheritance

    def send(self, commands: list[Command]) -> asyncio.Future[list[Reply]]:
        """Write all commands at once; the future has one reply each, error replies included."""
        future: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            future.set_exception(RedisUnavailable("the connection is closed"))
            return future
        self._waiting.append((len(commands), [], future))
        packed = [hiredis.pack_command(command) for command in commands]  # type: ignore[arg-type]
        self._transport.write(b"".join(packed))
        return future

    def data_received(self, data: bytes) -> None:
        """Hand replies to those who wait for them."""
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            expected, replies, future = self._waiting[0]
            replies.append(reply)
            if len(replies) == expected:
                self._waiting.popleft()
                if not future.done():
                    future.set_result(replies)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what waits."""
        reason = f"the connection was lost: {exc or 'closed by the server'}"
        for _, _, future in self._waiting:
            if not future.done():
                future.set_exception(RedisUnavailable(reason))
        self._waiting.clear()
        if not self.closed.done():
            self.closed.set_result(None)

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()
