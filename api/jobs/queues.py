"""The two queues: jobs, and dead letters."""

from __future__ import annotations

from aio_pika.abc import AbstractChannel

from api.jobs.settings import MAX_ATTEMPTS

QUEUE, DEAD = "jobs", "jobs.dead"
_QUEUE_LIMIT = 100_000  # messages; beyond it publishing is refused, and the sweeper retries later
_DEAD_LIMIT = 10_000  # messages; beyond it the oldest is dropped: the job's row has everything


async def declare(channel: AbstractChannel) -> None:
    """Declare the queue of jobs and the dead-letter queue; both survive a crash."""
    await channel.declare_queue(
        DEAD, durable=True, arguments={"x-queue-type": "quorum", "x-max-length": _DEAD_LIMIT}
    )
    await channel.declare_queue(
        QUEUE,
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": MAX_ATTEMPTS,
            "x-dead-letter-exchange": "",  # the default exchange routes to the queue of that name
            "x-dead-letter-routing-key": DEAD,
            "x-dead-letter-strategy": "at-least-once",
            "x-max-length": _QUEUE_LIMIT,
            "x-overflow": "reject-publish",
        },
    )
