"""What the page shows of the services beside this one: the drift monitor, and which others run."""

from __future__ import annotations

import asyncio
import time

import msgspec

from api.page.http_get import get
from api.page.shared_reading import SharedReading
from api.settings import Neighbours

_PAUSE_SECONDS = 2.0
_OTHERS_SECONDS = 15.0
_MOST_STATE_BYTES = 256 << 10
_MOST_PROBE_BYTES = 64 << 10
_MOST_REPORT_BYTES = 2 << 20
_FRESH_SECONDS = 1.0  # of a report, however many ask for it


class NeighbourWatch:
    """Asks while a page is open, each service once, however many pages there are."""

    def __init__(self, neighbours: Neighbours) -> None:
        """Ask nothing yet."""
        self._at = neighbours
        self._wanted = asyncio.Event()
        self._monitor: msgspec.Raw | bool | None = None
        self._links: dict[str, str] = {}
        self._others_asked = float("-inf")
        self._report = SharedReading(self._read_report, _FRESH_SECONDS)

    def latest(self) -> dict[str, object]:
        """Return what was found last, at once: `monitor` is None before it was asked, False if it is away."""
        self._wanted.set()
        return {"monitor": self._monitor, "links": self._links}

    async def keep_asking(self) -> None:
        """Ask again two seconds after each answer, if somebody wants to know; until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if time.monotonic() - self._others_asked > _OTHERS_SECONDS:
                self._others_asked = time.monotonic()
                self._links = await self._running()
            self._monitor = await self._state()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def drift_report(self) -> bytes | None:
        """Return the monitor's page, None if it does not run."""
        return await self._report.latest()

    async def _read_report(self) -> bytes | None:
        return await self._ask(self._at.monitor_url, "/drift.html", _MOST_REPORT_BYTES)

    async def _state(self) -> msgspec.Raw | bool:
        found = await self._ask(self._at.monitor_url, "/state", _MOST_STATE_BYTES)
        return msgspec.Raw(found) if found is not None and _is_object(found) else False

    async def _running(self) -> dict[str, str]:
        """Return where a browser finds what runs, by name."""
        prometheus, grafana = await asyncio.gather(
            self._ask(self._at.prometheus_url, "/-/ready", _MOST_PROBE_BYTES),
            self._ask(self._at.grafana_url, "/api/health", _MOST_PROBE_BYTES),
        )
        found = {
            "Prometheus": (prometheus, self._at.prometheus_address),
            "Grafana": (grafana, self._at.grafana_address),
        }
        return {name: address for name, (answer, address) in found.items() if answer is not None and address}

    async def _ask(self, url: str, path: str, most_bytes: int) -> bytes | None:
        return await get(url + path, most_bytes) if url else None


def _is_object(text: bytes) -> bool:
    """Return whether it is a JSON object: it becomes a part of a JSON document."""
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except msgspec.DecodeError:
        return False
