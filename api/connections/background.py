"""Restarts background tasks after unexpected errors: otherwise pending requests would never be answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5

Work = Callable[[], Coroutine[None, None, None]]


@asynccontextmanager
async def running(work: Work) -> AsyncIterator[None]:
    """Run `work` in the background for the block; then cancel it and wait until it has ended."""
    task = asyncio.create_task(_restart_on_error(work))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _restart_on_error(work: Work) -> None:
    """Restart `work` after every unexpected error, which is logged."""
    while True:
        try:
            await work()
        except Exception:
            logger.exception("a background task failed unexpectedly and is restarted")
        await asyncio.sleep(_PAUSE_SECONDS)
