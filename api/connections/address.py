"""Where a store is, by what password, and what the log and /health say about reaching it."""

from __future__ import annotations

import logging
import socket
import time

import asyncpg

from mlstack.runtime.secret_files import Secret
from mlstack.runtime.settings import without_password

logger = logging.getLogger(__name__)

_QUIET_SECONDS = 60.0  # between two lines about a store that cannot be reached


class WrongSetup(ConnectionError):
    """The store answers, but is not as it must be. The text says what to do, and is public."""


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (socket.gaierror, "the host name is unknown"),
    (ConnectionRefusedError, "the connection is refused"),
    (TimeoutError, "it does not answer in time"),
    (asyncpg.TargetServerAttributeNotMatched, "no server accepts writes"),
)


class StoreAddress:
    """The URL of a store as it is now. All connections of a process share it, so each thing is said once."""

    def __init__(self, store: str, url: Secret[str], *, optional: bool = False) -> None:
        """`store` is its name in log lines; `url` is followed while the process runs.

        An `optional` store may not be running at all: that is not logged before it was reached once.
        """
        self._optional = optional
        self._store = store
        self._url = url
        self._reached = False
        self._connected_by = ""
        self._quiet_until = float("-inf")
        self.reason: str | None = None  # why the last attempt failed; public: no address, no user

    @property
    def url(self) -> str:
        """The URL to connect with."""
        return self._url.value

    def connected(self, url: str) -> None:
        """Say that the store answers, unless that was the last thing said; or that it takes a changed URL."""
        if not self._reached:
            logger.info("%s connected", self._store)
        if self._connected_by not in {"", url}:
            logger.info("%s accepts the changed secret", self._store)
        self._reached, self._connected_by = True, url
        self.reason, self._quiet_until = None, float("-inf")

    def lost(self, error: Exception) -> None:
        """Say that a connection that worked is gone."""
        if self._reached:
            logger.warning("%s lost", self._store, extra={"reason": f"{type(error).__name__}: {error}"})
        self._reached = False

    def unreachable(self, error: Exception) -> None:
        """Say why a connection cannot be made, at most once a minute."""
        self.reason = _reason(error)
        answers = isinstance(error, WrongSetup) or _is_about_login(error)
        if self._optional and not self._connected_by and not answers:
            return
        self._say(f"{self._store} unreachable", str(error) or self.reason)

    def change_refused(self, error: Exception) -> None:
        """Say that the store does not accept a changed secret, while an earlier connection still works."""
        event = f"{self._store} does not accept the changed secret: the earlier connection stays in use"
        self._say(event, str(error) or _reason(error))

    def _say(self, event: str, reason: str) -> None:
        if time.monotonic() < self._quiet_until:
            return
        self._quiet_until = time.monotonic() + _QUIET_SECONDS
        logger.warning(event, extra={"address": without_password(self.url), "reason": reason})


def _reason(error: Exception) -> str:
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, WrongSetup):
        return str(error)
    return "it refuses the user or the password" if _is_about_login(error) else "the connection fails"


def _is_about_login(error: Exception) -> bool:
    """Return whether it is of PostgreSQL's error class 28, or one of Redis' or RabbitMQ's kind."""
    words = ("WRONGPASS", "NOAUTH", "NOPERM", "ACCESS_REFUSED")
    return str(getattr(error, "sqlstate", "")).startswith("28") or any(word in str(error) for word in words)
