"""A dashboard as Grafana reads it: the JSON of schema version 41 (Grafana 11.6)."""

from __future__ import annotations

from grafana.definition import Dashboard
from grafana.panels import DATA_SOURCE, Json, place


def render(dashboard: Dashboard) -> Json:
    """Return the dashboard as Grafana reads it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["ml-stack"],
        "timezone": "browser",
        "schemaVersion": 41,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "annotations": {"list": [_alerts()]},
        "templating": {"list": [*_variables(dashboard), *_constants(dashboard)]},
        "links": [_others(), *(_link(*link) for link in dashboard.links.items())],
        "panels": place(dashboard.panels),
    }


def _variables(dashboard: Dashboard) -> list[Json]:
    everything = {"text": ["All"], "value": ["$__all"]}
    kind = {
        "type": "query",
        "datasource": DATA_SOURCE,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
    }
    return [
        {"name": name, "query": query, "current": everything, **kind}
        for name, query in dashboard.variables.items()
    ]


def _constants(dashboard: Dashboard) -> list[Json]:
    return [
        {"name": name, "type": "textbox", "query": value, "current": {"text": value, "value": value}}
        for name, value in dashboard.constants.items()
    ]


_LINK: Json = {
    "icon": "doc", "tooltip": "", "tags": [], "url": "", "asDropdown": False,
    "targetBlank": True, "includeVars": False, "keepTime": False,
}  # fmt: skip


def _others() -> Json:
    """The way to the other dashboards, at the time that is looked at."""
    here = {"tags": ["ml-stack"], "asDropdown": True, "keepTime": True, "targetBlank": False}
    return {"type": "dashboards", "title": "ml-stack", **_LINK, **here}


def _link(title: str, url: str) -> Json:
    return {"type": "link", "title": title, **_LINK, "url": url}


def _alerts() -> Json:
    """Show when alerts fired, in every graph."""
    return {
        "name": "Alerts", "datasource": DATA_SOURCE, "enable": True, "iconColor": "red",
        "expr": 'ALERTS{alertstate="firing", severity=~"critical|warning"}',
    }  # fmt: skip
