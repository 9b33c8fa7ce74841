"""Takes messages from RabbitMQ, and acknowledges each after what it stands for is committed."""

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
_AGAIN_SECONDS = 0.2  # before a message is given back: what fails at once must not spin


class Consumer:
    """Answers messages on several lanes; what was delivered and is not begun waits here."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        """Give `deliver` to the broker and run a lane for each job that may be in progress."""
        self._heartbeat = heartbeat
        self._messages: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self._busy = 0
        self._stopping = False

    async def deliver(self, message: AbstractIncomingMessage) -> None:
        """Take a message from the broker; its prefetch bounds how many wait."""
        await self._messages.put(message)

    async def run_lane(self, name: str, answering: Answering) -> None:
        """Answer message after message, until stopped."""
        while not self._stopping:
            self._heartbeat.beat(name)
            with suppress(TimeoutError):
                message = await asyncio.wait_for(self._messages.get(), _IDLE_SECONDS)
                await self._handle(message, answering)
        self._heartbeat.beat(name)
        await asyncio.Event().wait()

    async def drained(self) -> None:
        """Begin nothing new; return when what was begun is acknowledged and the rest is given back."""
        self._stopping = True
        while self._busy:
            await asyncio.sleep(0.01)
        while not self._messages.empty():
            await _settle(self._messages.get_nowait(), Outcome.DELIVER_AGAIN)

    async def _handle(self, message: AbstractIncomingMessage, answering: Answering) -> None:
        if message.channel.is_closed:
            return  # its connection is gone: the broker delivers it again
        job_id = _job_id(message)
        if job_id is None:
            logger.error("a message that names no job", extra={"bytes": len(message.body)})
            await _settle(message, Outcome.DEAD_LETTER)
            return
        self._busy += 1
        try:
            outcome = await answering.answer(job_id)
            if outcome is Outcome.DELIVER_AGAIN:
                await asyncio.sleep(_AGAIN_SECONDS)
            await _settle(message, outcome)
        finally:
            self._busy -= 1


def _job_id(message: AbstractIncomingMessage) -> str | None:
    try:
        return str(UUID(message.body.decode()))
    except ValueError:
        return None


async def _settle(message: AbstractIncomingMessage, outcome: Outcome) -> None:
    """Tell the broker; if it is gone it delivers the message again, which then finds the job done."""
    with suppress(*CONNECTION_EXCEPTIONS):
        if outcome is Outcome.ACKNOWLEDGE:
            await message.ack()
        else:
            await message.nack(requeue=outcome is Outcome.DELIVER_AGAIN)
