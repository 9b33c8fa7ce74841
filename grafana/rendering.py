"""From a dashboard's definition to the JSON that Grafana reads."""

from __future__ import annotations

import json

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from grafana.definition import Dashboard
from grafana.panels import PROMETHEUS, build_panel

_TAG = "ml-stack"
_ALERTS = 'ALERTS{alertstate="firing", severity=~"critical|warning"}'


def render(dashboard: Dashboard) -> str:
    """Return the dashboard as Grafana reads it; its panels lie in reading order, 24 columns wide."""
    built = builders.Dashboard(dashboard.title).uid(dashboard.uid).description(dashboard.description)
    built.tags([_TAG]).readonly().tooltip(DashboardCursorSync.CROSSHAIR).refresh("10s").time("now-1h", "now")
    built.annotation(
        builders.AnnotationQuery().name("Alerts").datasource(PROMETHEUS).enable(True)
        .icon_color("red").expr(_ALERTS)
    )  # fmt: skip
    _add_variables(built, dashboard)
    _add_links(built, dashboard)
    for number, panel in enumerate(dashboard.panels, start=1):
        built.with_panel(build_panel(panel, number))
    return json.dumps(built.build(), cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"


def _add_variables(built: builders.Dashboard, dashboard: Dashboard) -> None:
    for name, query in dashboard.variables.items():
        variable = builders.QueryVariable(name).query(query).datasource(PROMETHEUS).multi(True)
        variable.include_all(True).current(VariableOption(text=["All"], value=["$__all"]))
        variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
        built.with_variable(variable)
    for name, query in dashboard.addresses.items():
        hidden = builders.QueryVariable(name).query(query).datasource(PROMETHEUS)
        built.with_variable(
            hidden.refresh(VariableRefresh.ON_DASHBOARD_LOAD).hide(VariableHide.HIDE_VARIABLE)
        )


def _add_links(built: builders.Dashboard, dashboard: Dashboard) -> None:
    """Link to the other dashboards, at the same time range, and to what the definition names."""
    others = builders.DashboardLink(_TAG).type(DashboardLinkType.DASHBOARDS).tags([_TAG])
    built.link(others.icon("doc").as_dropdown(True).keep_time(True))
    for title, url in dashboard.links.items():
        link = builders.DashboardLink(title).type(DashboardLinkType.LINK).icon("doc").url(url)
        built.link(link.target_blank(True))
