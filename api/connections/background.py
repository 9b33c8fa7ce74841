"""Background work that outlives its own failures: a lane that died would leave its requests unanswered."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

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


def forget_abandoned_lookups() -> None:
    """Keep quiet about a name look-up that fails after the attempt to connect was given up.

    uvloop goes on looking when a connection attempt times out, and reports the outcome to nobody.
    """
    asyncio.get_running_loop().set_exception_handler(_report)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), socket.gaierror):
        loop.default_exception_handler(context)
