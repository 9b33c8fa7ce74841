"""What the last checks found, as the page of the api draws it: bounded, and forgotten at the end."""

from __future__ import annotations

import time
from collections import deque

import msgspec

from mlstack.drift.check import MIN_ROWS, DriftReport, Monitor
from mlstack.drift.loop import MonitoringLoop
from mlstack.live.errors import LiveError

_POINTS = 60
_MOST_COLUMNS = 50  # those nearest to their limits, or above


class Point(msgspec.Struct, frozen=True):
    """The result of one check. None: not enough rows, or no true values."""

    at: float  # seconds since the epoch
    psi: float | None  # the largest share of its limit that a column's index has
    extrapolated: float | None
    live: float | None  # RMSE or log loss of the current version on true values


class History:
    """One thread checks; others may read `points`, which is replaced as a whole."""

    def __init__(self, monitor: Monitor) -> None:
        """Begin without any."""
        self._monitor = monitor
        self._kept: deque[Point] = deque(maxlen=_POINTS)
        self.points: tuple[Point, ...] = ()

    def check(self) -> DriftReport:
        """Let the monitor check, and keep what it finds; raise a Refusal if it cannot."""
        report, live = self._monitor.check(), self._monitor.live.latest
        found = next((each for each in live if each.model_version == report.model_version), None)
        measures = found.measures if found else {}
        point = Point(
            at=time.time(),
            psi=max((column.psi / column.psi_limit for column in report.columns), default=None),
            extrapolated=report.extrapolated_share,
            live=measures.get("rmse", measures.get("log_loss")),
        )
        self._kept.append(point)
        self.points = tuple(self._kept)
        return report


def state(loop: MonitoringLoop, live: tuple[LiveError, ...], points: tuple[Point, ...]) -> dict[str, object]:
    """Return the last result and those before; `report` is None before the first check has ended."""
    report = loop.report
    found: dict[str, object] = {"failure": loop.failure, "min_rows": MIN_ROWS, "report": None}
    if report:
        nearest = sorted(report.columns, key=lambda column: -column.psi / column.psi_limit)[:_MOST_COLUMNS]
        columns = [
            {"name": each.name, "psi": each.psi, "limit": each.psi_limit, "drifted": each.drifted}
            for each in nearest
        ]
        found["report"] = {
            "status": report.status,
            "checked_at": report.checked_at,
            "model_version": report.model_version,
            "window_rows": report.window_rows,
            "extrapolated_share": report.extrapolated_share,
            "columns": columns,
        }
    return found | {"live": live, "history": points}
