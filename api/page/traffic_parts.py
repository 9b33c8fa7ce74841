"""The traffic of the last five minutes in parts of ten seconds, as the prediction log has it.

All replicas write one log, so it is counted in PostgreSQL. A part is counted when it is over, once more a
minute later, and then kept: however often a page asks, each row is read twice. At 13,000 requests a second a
part has 130,000 rows, which PostgreSQL counts in a tenth of a second.
"""

from __future__ import annotations

import logging
import time
from typing import NamedTuple

import msgspec

from api.connections.pool import ConnectionPool
from api.prediction.prediction_log import PredictionLog
from mlstack.web.problems import Unavailable

logger = logging.getLogger(__name__)

PART_SECONDS, PARTS = 10, 29
MOST_ROWS = 250_000  # of a part: a quarter of a second of PostgreSQL's time
_BUDGET_SECONDS = 0.5  # for the parts that one answer waits for: the others are counted with the next ones
_LATE_SECONDS = (
    60.0  # a job is logged under the time of its submission: a minute later parts are counted again
)
_WRITING_SECONDS = 1.0  # beyond the time-outs of the log, for a row on its way
_PAUSE_SECONDS = 30.0  # after PostgreSQL could not count in time

_COUNT = """
SELECT json_build_object(
           'requests', count(*), 'hits', avg(cached::integer),
           'latency', percentile_cont(0.95) WITHIN GROUP (ORDER BY latency))::text
  FROM (SELECT latency, cached FROM predictions
         WHERE "timestamp" >= to_timestamp($1) AND "timestamp" < to_timestamp($2) LIMIT $3) AS part
"""


class Count(msgspec.Struct, frozen=True):
    """The requests of a part, the 95th percentile of their latency in seconds, the share from the cache.

    `requests` is None while they are not counted; `latency` and `hits` are None where there is none.
    """

    requests: int | None = None
    latency: float | None = None
    hits: float | None = None


class _Counted(NamedTuple):
    found: Count
    final: bool  # no row can be added to this part any more


class TrafficParts:
    """Counts what is asked for, newest first; one caller at a time."""

    def __init__(self, readers: ConnectionPool, log: PredictionLog) -> None:
        """`log` says whether rows wait for PostgreSQL."""
        self._readers = readers
        self._log = log
        self._known: dict[int, _Counted] = {}
        self._not_before = 0.0

    async def before(self, now: float) -> list[tuple[int, Count]]:
        """Return when each of the last parts began, in seconds since the epoch, with its count; oldest first.

        `now` is PostgreSQL's. A part that is not counted yet, or has too many rows, has an empty count.
        """
        over = int(now - self._log.seconds - _WRITING_SECONDS) // PART_SECONDS * PART_SECONDS
        window = range(over - PARTS * PART_SECONDS, over, PART_SECONDS)
        self._known = {begin: self._known[begin] for begin in window if begin in self._known}
        await self._count(window, now)
        return [(begin, self._known[begin].found if begin in self._known else Count()) for begin in window]

    async def _count(self, window: range, now: float) -> None:
        waiting = await self._log.may_be_queued()
        until = time.monotonic() + _BUDGET_SECONDS
        for begin in reversed(window):
            final = not waiting and now - begin - PART_SECONDS > _LATE_SECONDS
            known = self._known.get(begin)
            if known is not None and (known.final or not final):
                continue
            if not self._not_before < time.monotonic() < until:
                return
            bounds = (float(begin), float(begin + PART_SECONDS), MOST_ROWS + 1)
            try:
                text = await self._readers.ask(_COUNT, *bounds)
            except Unavailable as error:
                logger.warning("the traffic is not counted", extra={"reason": error.detail})
                self._not_before = time.monotonic() + _PAUSE_SECONDS
                return
            count = msgspec.json.decode(text or "{}", type=Count)
            too_many = (count.requests or 0) > MOST_ROWS
            self._known[begin] = _Counted(Count() if too_many else count, final or too_many)
