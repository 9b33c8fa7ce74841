"""A panel as Grafana reads it, and its place."""

from __future__ import annotations

from typing import Any

from grafana.definition import Kind, Panel, Query

Json = dict[str, Any]

DATA_SOURCE = {"type": "prometheus", "uid": "prometheus"}
_COLUMNS = 24
_HEIGHT: dict[Kind, int] = {"timeseries": 8, "stat": 4, "heatmap": 8, "table": 8}


def place(panels: list[Panel]) -> list[Json]:
    """Lay the panels out from left to right, a new line when one does not fit."""
    placed, x, y, height = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > _COLUMNS:
            x, y, height = 0, y + height, 0
        position = {"x": x, "y": y, "w": panel.width, "h": _HEIGHT[panel.kind]}
        placed.append(_panel(panel, number, position))
        x, height = x + panel.width, max(height, _HEIGHT[panel.kind])
    return placed


def _panel(panel: Panel, number: int, position: dict[str, int]) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if panel.limit is not None:
        steps.append({"color": "red", "value": panel.limit})
    defaults: Json = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        defaults |= {"min": 0, "custom": _lines(panel)}
    if panel.link:
        defaults["links"] = [{"title": panel.title, "url": panel.link, "targetBlank": True}]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATA_SOURCE,
        "gridPos": position,
        "targets": [_target(panel, query, "ABCDEF"[n]) for n, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _OPTIONS[panel.kind],
    }


def _target(panel: Panel, query: Query, reference: str) -> Json:
    instant = panel.kind in {"stat", "table"}
    target: Json = {"refId": reference, "datasource": DATA_SOURCE, "expr": query.expr, "editorMode": "code"}
    target |= {"instant": instant, "range": not instant}
    if panel.kind in {"heatmap", "table"}:
        target["format"] = panel.kind
    return target | ({"legendFormat": query.legend} if query.legend else {})


def _lines(panel: Panel) -> Json:
    fill = (
        {"fillOpacity": 30, "stacking": {"mode": "normal", "group": "A"}}
        if panel.stacked
        else {"fillOpacity": 5}
    )
    limit = {"thresholdsStyle": {"mode": "line"}} if panel.limit is not None else {}
    return {"drawStyle": "line", "lineWidth": 1, "showPoints": "never", "spanNulls": False, **fill, **limit}


_OPTIONS: dict[Kind, Json] = {
    "timeseries": {
        "legend": {
            "displayMode": "table", "placement": "bottom", "showLegend": True,
            "calcs": ["lastNotNull", "max"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": {"values": False, "calcs": ["lastNotNull"], "fields": ""},
        "colorMode": "value", "graphMode": "none", "textMode": "auto",
        "justifyMode": "auto", "orientation": "auto",
    },
    "heatmap": {"calculate": False, "yAxis": {"unit": "s", "axisPlacement": "left"}, "cellGap": 1},
    "table": {"showHeader": True, "cellHeight": "sm"},
}  # fmt: skip
