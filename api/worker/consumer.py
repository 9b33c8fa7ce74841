"""Takes messages from RabbitMQ and acknowledges each after the outcome of its job is committed."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from uuid import UUID

from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from api.worker.answering import Answering, Outcome
from api.worker.heartbeat import Heartbeat

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 1.0
_AGAIN_SECONDS = 0.2  # before a message is returned: a job that fails at once must not cause a busy loop


class Consumer:
    """Processes messages in several concurrent loops; delivered messages wait here for a free one."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        """Pass `deliver` to the broker and run one `process` loop per concurrent job."""
        self._heartbeat = heartbeat
        self._messages: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self._busy = 0
        self._stopping = False

    async def deliver(self, message: AbstractIncomingMessage) -> None:
        """Receive a message from the broker; its prefetch limits how many wait."""
        await self._messages.put(message)

    async def process(self, name: str, answering: Answering) -> None:
        """Process one message after the other until stopped."""
        while not self._stopping:
            self._heartbeat.beat(name)
            with suppress(TimeoutError):
                message = await asyncio.wait_for(self._messages.get(), _IDLE_SECONDS)
                await self._handle(message, answering)
        self._heartbeat.beat(name)
        await asyncio.Event().wait()

    async def drained(self) -> None:
        """Start no more jobs; return when those in progress are acknowledged and all others returned."""
        self._stopping = True
        while self._busy:
            await asyncio.sleep(0.01)
        while not self._messages.empty():
            await _acknowledge(self._messages.get_nowait(), Outcome.DELIVER_AGAIN)

    async def _handle(self, message: AbstractIncomingMessage, answering: Answering) -> None:
        if message.channel.is_closed:
            return  # its connection was lost: the broker delivers it again
        job_id = _job_id(message)
        if job_id is None:
            logger.error("a message that names no job", extra={"bytes": len(message.body)})
            await _acknowledge(message, Outcome.DEAD_LETTER)
            return
        self._busy += 1
        try:
            outcome = await answering.answer(job_id)
            if outcome is Outcome.DELIVER_AGAIN:
                await asyncio.sleep(_AGAIN_SECONDS)
            await _acknowledge(message, outcome)
        finally:
            self._busy -= 1


def _job_id(message: AbstractIncomingMessage) -> str | None:
    try:
        return str(UUID(message.body.decode()))
    except ValueError:
        return None


async def _acknowledge(message: AbstractIncomingMessage, outcome: Outcome) -> None:
    """Acknowledge or return the message; if the connection is lost, it comes again and finds the job done."""
    with suppress(*CONNECTION_EXCEPTIONS):
        if outcome is Outcome.ACKNOWLEDGE:
            await message.ack()
        else:
            await message.nack(requeue=outcome is Outcome.DELIVER_AGAIN)
