"""Background work that outlives its own failures: a lane that died would leave its requests unanswered."""

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
    """Run `work` in the background; cancel it on the way out and wait until it has ended."""
    task = asyncio.create_task(_again_and_again(work))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _again_and_again(work: Work) -> None:
    """Start `work` anew whenever it fails for a reason that nobody thought of; that is logged, not hidden."""
    while True:
        try:
            await work()
        except Exception:
            logger.exception("background work failed unexpectedly and is started anew")
        await asyncio.sleep(_PAUSE_SECONDS)
