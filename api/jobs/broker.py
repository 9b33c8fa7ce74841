"""One RabbitMQ connection that reconnects automatically: topology, confirmed publishing, consuming.

Not aio-pika's robust connection: it hides whether the broker is down, which the api must know to accept jobs.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, DeliveryError, PublishError

from api.connections.address import StoreAddress, WrongSetup
from api.jobs import metrics
from api.jobs.broker_connection import CONNECT_SECONDS, lost_or_changed, new_connection
from api.jobs.queues import QUEUE, declare

logging.getLogger("aiormq.connection").setLevel(logging.CRITICAL)  # an error for each try to connect

_PUBLISH_SECONDS = 1.0
_CLOSE_SECONDS = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 3.0

Deliver = Callable[[AbstractIncomingMessage], Awaitable[None]]


class BrokerUnavailable(ConnectionError):
    """RabbitMQ cannot be reached, or did not confirm in time."""


class Broker:
    """Keeps one connection open; publishing fails at once while there is none."""

    def __init__(
        self, address: StoreAddress, name: str, deliver: Deliver | None = None, prefetch: int = 1
    ) -> None:
        """With `deliver` also consume, with at most `prefetch` messages that are not yet acknowledged."""
        self._address = address
        self._name = name
        self._deliver = deliver
        self._prefetch = prefetch
        self._channel: AbstractChannel | None = None
        self._consuming: Callable[[], Awaitable[object]] | None = None
        self._lost = asyncio.Event()
        self._last_seen = float("-inf")
        self._pause = _FIRST_PAUSE
        self.fault: str | None = None  # what is wrong with a RabbitMQ that runs

    @property
    def available(self) -> bool:
        """True while RabbitMQ answers."""
        return self._channel is not None

    def seen_within(self, seconds: float) -> bool:
        """Return whether RabbitMQ was connected during the last `seconds`."""
        return self.available or time.monotonic() - self._last_seen < seconds

    async def publish(self, job_id: str) -> None:
        """Return once the message is on the broker's disk; raise BrokerUnavailable otherwise."""
        channel, lost = self._channel, self._lost
        try:
            if channel is None:
                raise BrokerUnavailable("RabbitMQ cannot be reached")
            message = aio_pika.Message(
                job_id.encode(), message_id=job_id, delivery_mode=aio_pika.DeliveryMode.PERSISTENT
            )
            await channel.default_exchange.publish(message, QUEUE, timeout=_PUBLISH_SECONDS)
        except (*CONNECTION_EXCEPTIONS, DeliveryError) as error:
            metrics.publish_failures.inc()
            if not isinstance(error, DeliveryError) or isinstance(error, PublishError):
                lost.set()  # any error but a full queue: reconnect and declare again
            raise BrokerUnavailable(f"{type(error).__name__}: {error}") from error
        metrics.published.inc()

    async def depth(self, queue: str) -> int:
        """Return how many messages wait in the queue."""
        channel, lost = self._channel, self._lost
        if channel is None:
            raise BrokerUnavailable("RabbitMQ cannot be reached")
        try:
            declared = await channel.declare_queue(queue, passive=True, timeout=CONNECT_SECONDS)
        except CONNECTION_EXCEPTIONS as error:
            lost.set()  # the queue may be missing: it is declared at the next connection
            raise BrokerUnavailable(f"{type(error).__name__}: {error}") from error
        return declared.declaration_result.message_count or 0

    async def stop_consuming(self) -> None:
        """Receive no more messages; those already received can still be acknowledged."""
        stop, self._consuming, self._deliver = self._consuming, None, None
        if stop is not None:
            with suppress(*CONNECTION_EXCEPTIONS):
                await stop()

    async def keep_connected(self) -> None:
        """Connect, monitor and reconnect until cancelled, with growing pauses while the broker is down."""
        while True:
            try:
                await self._stay_connected()
            except CONNECTION_EXCEPTIONS as error:
                self.fault = str(error) if isinstance(error, WrongSetup) else None
                # Without the profile async its name is unknown, which is nothing to report.
                if self._deliver is not None or not isinstance(error.__cause__ or error, socket.gaierror):
                    self._address.unreachable(error)
            metrics.broker_up.set(0)
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    async def _stay_connected(self) -> None:
        url = self._address.url
        connection = new_connection(url, self._name)
        lost = asyncio.Event()
        connection.close_callbacks.add(lambda *_: lost.set())
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.connect()
                channel = await self._prepare(connection, lost)
            self._channel, self._lost, self.fault = channel, lost, None
            self._pause = _FIRST_PAUSE
            metrics.broker_up.set(1)
            self._address.connected(url)
            await lost_or_changed(lost, url, self._address, self._name)
        finally:
            if self._channel is not None:
                self._last_seen = time.monotonic()
            self._channel = self._consuming = None
            with suppress(*CONNECTION_EXCEPTIONS):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await connection.close()

    async def _prepare(self, connection: AbstractConnection, lost: asyncio.Event) -> AbstractChannel:
        """Declare both queues, begin to consume, and return the channel to publish on."""
        channel = await connection.channel(on_return_raises=True)
        channel.close_callbacks.add(lambda *_: lost.set())
        await declare(channel)
        if self._deliver is not None:
            consuming = await connection.channel()
            consuming.close_callbacks.add(lambda *_: lost.set())
            await consuming.set_qos(prefetch_count=self._prefetch)
            queue = await consuming.get_queue(QUEUE)
            tag = await queue.consume(self._deliver)
            self._consuming = lambda: queue.cancel(tag, timeout=CONNECT_SECONDS)
        return channel
