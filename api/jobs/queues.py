"""The two queues: jobs, and dead letters."""

from __future__ import annotations

from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelPreconditionFailed

from api.connections.address import WrongSetup
from api.jobs.settings import MAX_ATTEMPTS

QUEUE, DEAD = "jobs", "jobs.dead"
_QUEUE_LIMIT = 100_000  # messages; beyond it publishing is refused, and the sweeper retries later
_DEAD_LIMIT = 10_000  # messages; beyond it the oldest is dropped: the job's row has everything


# Quorum queues: where several brokers are a cluster, a majority of them has each message.
_ARGUMENTS: dict[str, dict[str, str | int]] = {
    DEAD: {"x-queue-type": "quorum", "x-max-length": _DEAD_LIMIT},
    QUEUE: {
        "x-queue-type": "quorum",
        "x-delivery-limit": MAX_ATTEMPTS,
        "x-dead-letter-exchange": "",  # the default exchange routes to the queue of that name
        "x-dead-letter-routing-key": DEAD,
        "x-dead-letter-strategy": "at-least-once",
        "x-max-length": _QUEUE_LIMIT,
        "x-overflow": "reject-publish",
    },
}


async def declare(channel: AbstractChannel) -> None:
    """Declare the queue of jobs and the dead-letter queue; both survive a crash.

    Raise WrongSetup if one of them exists as something else, a classic queue for example.
    """
    for name, arguments in _ARGUMENTS.items():
        try:
            await channel.declare_queue(name, durable=True, arguments=dict(arguments))
        except ChannelPreconditionFailed as error:
            raise WrongSetup(
                f"RabbitMQ has a queue {name} of another kind: `rabbitmqctl delete_queue {name}` removes it,"
                " and jobs that wait are published again"
            ) from error
