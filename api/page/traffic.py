"""What the page shows of the prediction log: its last rows, and the traffic of the last minutes."""

from __future__ import annotations

from typing import Any

import msgspec

from api.connections.pool import ConnectionPool
from api.page.shared_reading import SharedReading
from api.page.traffic_parts import TrafficParts
from api.prediction.prediction_log import PredictionLog
from mlstack.web.problems import Unavailable

# Of a request with many rows the first is shown.
_LATEST = """
SELECT json_build_object('now', extract(epoch FROM now()), 'predictions', (
    SELECT coalesce(json_agg(latest), '[]') FROM (
        SELECT id, extract(epoch FROM "timestamp") AS at, jsonb_array_length(prediction) AS rows,
               left((input_data->0)::text, 120) AS input, left((prediction->0)::text, 60) AS prediction,
               model_version, cached, latency
          FROM predictions ORDER BY "timestamp" DESC LIMIT 12) AS latest
))::text
"""
_FRESH_SECONDS = 1.0


class _Latest(msgspec.Struct):
    now: float
    predictions: msgspec.Raw


class Traffic:
    """Reads the log at most once a second, however many pages are open."""

    def __init__(self, readers: ConnectionPool, log: PredictionLog) -> None:
        """Its connections keep themselves connected."""
        self._readers = readers
        self._parts = TrafficParts(readers, log)
        self._shared = SharedReading(self._read, _FRESH_SECONDS)

    async def latest(self) -> dict[str, Any] | None:
        """Return the last predictions and the traffic, None while PostgreSQL is away."""
        return await self._shared.latest()

    async def _read(self) -> dict[str, Any] | None:
        try:
            text = await self._readers.ask(_LATEST)
        except Unavailable:
            return None
        latest = msgspec.json.decode(text or "", type=_Latest)
        parts = await self._parts.before(latest.now)
        traffic = [{"at": begin, **msgspec.structs.asdict(count)} for begin, count in parts]
        return {"now": latest.now, "predictions": latest.predictions, "traffic": traffic}
