"""Puts rows that were set aside back into the prediction log's queue: python -m api.requeue.

For rows that a person has looked at (docs/operations.md): they are logged as they are, sealed or not.
"""

from __future__ import annotations

import asyncio
import logging
import sys

from api.connections.address import StoreAddress
from api.connections.background import running
from api.connections.redis import RedisConnection, RedisUnavailable
from api.prediction.log_queue import LogQueue
from api.prediction.queue_errors import QueueFull
from api.prediction.sealing import Sealer
from api.settings import Settings
from mlstack.runtime.logs import configure_logging
from mlstack.runtime.settings import SettingsError

logger = logging.getLogger("requeue")

_CONNECT_SECONDS = 5.0


def main() -> int:
    """Put all of them back; return the exit code."""
    configure_logging("requeue")
    try:
        rows = asyncio.run(_requeue(Settings.from_env()))
    except (SettingsError, RedisUnavailable, QueueFull, TimeoutError) as error:
        logger.error("cannot put rows back", extra={"reason": str(error) or "Redis does not answer"})
        return 1
    logger.info("rows are in the queue again", extra={"rows": rows})
    return 0


async def _requeue(settings: Settings) -> int:
    redis = RedisConnection(StoreAddress("redis", settings.redis_url))
    async with running(redis.keep_connected):
        async with asyncio.timeout(_CONNECT_SECONDS):
            while not redis.available:
                await asyncio.sleep(0.02)
        queue = LogQueue(redis, Sealer(settings.sealing_keys), settings.queue_limit, _CONNECT_SECONDS)
        return await queue.requeue()


if __name__ == "__main__":
    sys.exit(main())
