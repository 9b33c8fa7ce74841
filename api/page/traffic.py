"""What the page shows of the prediction log: its last rows, and the traffic of the last minutes."""

from __future__ import annotations

import asyncio
import time

from api.connections.pool import ConnectionPool
from mlstack.web.problems import Unavailable

# Of a request with many rows the first is shown; the newest 20,000 requests are counted, however busy it is.
_QUERY = """
SELECT json_build_object('now', extract(epoch FROM now()), 'predictions', (
    SELECT coalesce(json_agg(latest), '[]') FROM (
        SELECT id, extract(epoch FROM "timestamp") AS at, jsonb_array_length(prediction) AS rows,
               left((input_data->0)::text, 120) AS input, left((prediction->0)::text, 60) AS prediction,
               model_version, cached, latency
          FROM predictions ORDER BY "timestamp" DESC LIMIT 12) AS latest
), 'traffic', (
    SELECT coalesce(json_agg(part), '[]') FROM (
        SELECT extract(epoch FROM date_bin('10 s', "timestamp", 'epoch')) AS at, count(*) AS requests,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY latency) AS latency,
               avg(cached::integer) AS hits
          FROM (SELECT "timestamp", latency, cached FROM predictions
                 WHERE "timestamp" > now() - interval '5 minutes'
                 ORDER BY "timestamp" DESC LIMIT 20000) AS newest
         GROUP BY 1 ORDER BY 1) AS part
))::text
"""
_FRESH_SECONDS = 1.0


class Traffic:
    """Reads the log at most once a second, however many pages are open."""

    def __init__(self, readers: ConnectionPool) -> None:
        """Its connections keep themselves connected."""
        self._readers = readers
        self._reading = asyncio.Lock()
        self._read_at = 0.0
        self._found: str | None = None

    async def latest(self) -> str | None:
        """Return the last predictions and the traffic as JSON, None while PostgreSQL is away."""
        async with self._reading:
            if time.monotonic() - self._read_at > _FRESH_SECONDS:
                try:
                    self._found = await self._readers.ask(_QUERY)
                except Unavailable:
                    self._found = None
                self._read_at = time.monotonic()
            return self._found
