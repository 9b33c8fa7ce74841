"""Follows a model store for a server, which goes on with what it has while the store cannot be reached."""

from __future__ import annotations

import logging
import time

from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import ModelRefused, StoreRefused

logger = logging.getLogger(__name__)

_QUIET_SECONDS = 60.0


class Following:
    """What was last heard of the store; one thread calls `refresh`."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._quiet_until = float("-inf")
        self.unreachable: str | None = None
        self.refusal: str | None = None  # of a version that is current in the store, but damaged there

    def refresh(self) -> None:
        """Take over what has changed; log once a minute that the store is unreachable, and a refusal once."""
        try:
            self._store.refresh()
        except StoreRefused as error:
            self.unreachable = str(error)
            self._say_unreachable()
        except ModelRefused as error:
            if self.refusal != str(error):
                logger.error("model refused", extra={"reason": str(error)})
            self.refusal = str(error)
        else:
            if self.unreachable:
                logger.info("model store reached again")
            self.unreachable = self.refusal = None
            self._quiet_until = float("-inf")

    def _say_unreachable(self) -> None:
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + _QUIET_SECONDS
            logger.warning("model store unreachable", extra={"reason": self.unreachable})
