"""Takes the canary back when its error on true values is above that of the current version."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from api.connections.pool import ConnectionPool
from mlstack.challenger.live_error import judged_query, read_judged, why_worse
from mlstack.web.canary import Canary
from mlstack.web.problems import Unavailable
from mlstack.web.served_models import ServedModels

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 5.0


class CanaryWatch:
    """Its loop runs in the background; without a canary it asks nothing."""

    def __init__(self, models: ServedModels, readers: ConnectionPool) -> None:
        """The connections keep themselves connected."""
        self._models = models
        self._readers = readers

    async def run_forever(self) -> None:
        """Look until cancelled."""
        while True:
            canary = self._models.challengers.canary
            if canary is not None:
                try:
                    await self._look(canary)
                except Unavailable as error:
                    logger.warning("the canary's error is not known", extra={"reason": error.detail})
                except Exception:  # what is in the log must not end the watch
                    logger.exception("the canary's error cannot be computed")
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _look(self, canary: Canary) -> None:
        current = self._models.select(None).version
        versions = (canary.challenger.version, current)
        since = datetime.fromisoformat(canary.challenger.at)
        text = await self._readers.ask(judged_query(*versions), since)
        reason = await asyncio.to_thread(_why_worse, *versions, text or "[]")
        if reason is not None:
            await asyncio.to_thread(self._models.challengers.take_back, canary, reason)


def _why_worse(canary: int, current: int, text: str) -> str | None:
    return why_worse(canary, current, read_judged(text))
