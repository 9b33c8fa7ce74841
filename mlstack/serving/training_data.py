"""Reads the training table, with time-outs so that no request waits for an unreachable database."""

from __future__ import annotations

import logging
import math
import threading
import time

from sqlalchemy import create_engine, literal, select, table, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from mlstack.serving.call_timeouts import CallerWithTimeout
from mlstack.web.problems import Unavailable

logger = logging.getLogger(__name__)

_SAMPLE_SECONDS = 0.8
_PING_SECONDS = 0.4
_PING_FRESH_SECONDS = 1.0
_CONNECT_ARGUMENTS = {
    "connect_timeout": 2,  # libpq's minimum; CallerWithTimeout limits the caller's wait
    "tcp_user_timeout": 2000,
    "application_name": "model-serve",
    "options": "-c statement_timeout=700 -c default_transaction_read_only=on",
}

Plain = float | int | bool | str | None
Row = dict[str, Plain]


class TrainingData:
    """The database of the tables that models are trained on; safe to share between threads."""

    def __init__(self, url: str) -> None:
        """Open no connection before the first call."""
        self._engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg2"),
            connect_args=_CONNECT_ARGUMENTS,
            pool_pre_ping=True,
            pool_size=3,
            max_overflow=0,
            pool_timeout=_PING_SECONDS,
        )
        self._samples = CallerWithTimeout("sample", threads=2, backlog=4)
        self._pings = CallerWithTimeout("database-ping", threads=1, backlog=1)
        self._lock = threading.Lock()
        self._up, self._pinged = False, float("-inf")

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
        except (TimeoutError, SQLAlchemyError):
            return False
        return True

    def _select_one(self) -> None:
        with self._engine.connect() as connection:
            connection.execute(select(literal(1)))

    def _select(self, table_name: str, limit: int) -> list[Row]:
        schema, _, name = table_name.rpartition(".")
        statement = select(text("*")).select_from(table(name, schema=schema or None)).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execute(statement)
            return [{name: _plain(value) for name, value in row.items()} for row in rows.mappings()]


def _plain(value: object) -> Plain:
    """Return a value for JSON: NaN and infinities as None, dates and other types as text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, int | str) else str(value)


def _first_line(error: SQLAlchemyError) -> str:
    return str(error).partition("\n")[0]
