"""Reads the training table, with time-outs so that no request waits for an unreachable database."""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import Any

import psycopg2
from sqlalchemy import Connection, create_engine, literal, select, table, text
from sqlalchemy.exc import SQLAlchemyError

from mlstack.runtime.secret_files import Secret
from mlstack.runtime.settings import without_password
from mlstack.serving.call_timeouts import CallerWithTimeout
from mlstack.web.problems import Unavailable

logger = logging.getLogger(__name__)

_SAMPLE_SECONDS = 0.8
_PING_SECONDS = 0.4
_PING_FRESH_SECONDS = 1.0
_QUIET_SECONDS = 60.0
_CONNECT_ARGUMENTS: dict[str, Any] = {
    "connect_timeout": 2,  # the least libpq knows; who waits is bounded by CallerWithTimeout
    "tcp_user_timeout": 2000,
    "application_name": "model-serve",
    "options": "-c statement_timeout=700 -c default_transaction_read_only=on",
}

Plain = float | int | bool | str | None
Row = dict[str, Plain]


class TrainingData:
    """The database of the tables that models are trained on; safe to share between threads."""

    def __init__(self, url: Secret[str]) -> None:
        """Nothing is opened before the first call; `url` is followed."""
        self._url, self._pooled_url = url, url.value
        self._engine = create_engine(
            "postgresql+psycopg2://",
            creator=lambda: psycopg2.connect(url.value, **_CONNECT_ARGUMENTS),
            pool_pre_ping=True,
            pool_size=3,
            max_overflow=0,
            pool_timeout=_PING_SECONDS,
        )
        self._samples = CallerWithTimeout("sample", threads=2, backlog=4)
        self._pings = CallerWithTimeout("database-ping", threads=1, backlog=1)
        self._lock = threading.Lock()
        self._up, self._pinged = False, float("-inf")
        self._quiet_until = float("-inf")

    def sample(self, table_name: str, limit: int) -> list[Row]:
        """Return up to `limit` rows in less than a second; raise Unavailable if the database fails to."""
        try:
            return self._samples.call(lambda: self._select(table_name, limit), _SAMPLE_SECONDS)
        except TimeoutError:
            raise Unavailable("the database does not answer; predictions do not need it") from None
        except SQLAlchemyError as error:
            reason = _first_line(error)
            logger.warning("sample failed", extra={"reason": reason})
            raise Unavailable(f"the table {table_name} cannot be read now") from error

    def is_up(self) -> bool:
        """Return in less than half a second whether the database answers; the answer is up to 1 s old."""
        with self._lock:
            if time.monotonic() - self._pinged < _PING_FRESH_SECONDS:
                return self._up
            self._up = self._ping()
            self._pinged = time.monotonic()
            return self._up

    def _ping(self) -> bool:
        try:
            self._pings.call(self._select_one, _PING_SECONDS)
        except (TimeoutError, SQLAlchemyError) as error:
            self._say_unreachable(error)
            return False
        self._quiet_until = float("-inf")
        return True

    def _say_unreachable(self, error: Exception) -> None:
        """Log why, at most once a minute."""
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET_SECONDS
            reason = _first_line(error) or "it does not answer in time"
            details = {"address": without_password(self._url.value), "reason": reason}
            logger.warning("database unreachable", extra=details)

    def _connected(self) -> Connection:
        """Connect by the present URL: after a change the connections of the earlier one are closed."""
        if self._pooled_url != self._url.value:
            self._pooled_url = self._url.value
            self._engine.dispose()
        return self._engine.connect()

    def _select_one(self) -> None:
        with self._connected() as connection:
            connection.execute(select(literal(1)))

    def _select(self, table_name: str, limit: int) -> list[Row]:
        schema, _, name = table_name.rpartition(".")
        statement = select(text("*")).select_from(table(name, schema=schema or None)).limit(limit)
        with self._connected() as connection:
            rows = connection.execute(statement)
            return [{name: _plain(value) for name, value in row.items()} for row in rows.mappings()]


def _plain(value: object) -> Plain:
    """Return a value for JSON: NaN and infinities as None, dates and other types as text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, int | str) else str(value)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
