"""The panels of a dashboard, built by Grafana's own builders: each kind with our style."""

from __future__ import annotations

from typing import TypeVar

from grafana_foundation_sdk.builders import common, heatmap, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink, ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    AxisPlacement,
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef, Threshold, ThresholdsMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from grafana.definition import Panel, Query

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="prometheus")
AnyPanel = heatmap.Panel | stat.Panel | table.Panel | timeseries.Panel
_P = TypeVar("_P", heatmap.Panel, stat.Panel, table.Panel, timeseries.Panel)


def build_panel(panel: Panel, number: int) -> AnyPanel:
    """Return the builder of a panel; `number` is its id, unique in its dashboard."""
    match panel.kind:
        case "timeseries":
            return _common(_timeseries(panel), panel, number)
        case "stat":
            return _common(_stat(), panel, number).height(4)
        case "heatmap":
            y_axis = heatmap.YAxisConfig().unit(panel.unit).axis_placement(AxisPlacement.LEFT)
            return _common(heatmap.Panel().calculate(False).y_axis(y_axis).cell_gap(1), panel, number)
        case "table":
            return _common(table.Panel().show_header(True), panel, number)


def _common(built: _P, panel: Panel, number: int) -> _P:
    """Add what panels of every kind have."""
    steps = [Threshold(color="green")]
    if panel.limit is not None:
        steps.append(Threshold(color="red", value=panel.limit))
    built.id(number).title(panel.title).description(panel.description).datasource(PROMETHEUS)
    built.span(panel.width).height(8).unit(panel.unit)
    built.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    if panel.link:
        built.data_links([DashboardLink(panel.title).url(panel.link).target_blank(True)])
    return built.targets(
        [_target(panel, query, reference) for query, reference in zip(panel.queries, "ABCDEF", strict=False)]
    )


def _target(panel: Panel, query: Query, reference: str) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(reference).datasource(PROMETHEUS).expr(query.expr)
    target.editor_mode(QueryEditorMode.CODE)
    target = target.instant() if panel.kind in {"stat", "table"} else target.range()
    if panel.kind in {"heatmap", "table"}:
        target.format(PromQueryFormat(panel.kind))
    return target.legend_format(query.legend) if query.legend else target


def _timeseries(panel: Panel) -> timeseries.Panel:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.TABLE).show_legend(True)
    legend.placement(LegendPlacement.BOTTOM).calcs(["lastNotNull", "max"])
    tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    built = timeseries.Panel().min(0).line_width(1).show_points(VisibilityMode.NEVER)
    built.legend(legend).tooltip(tooltip).fill_opacity(30 if panel.stacked else 5)
    if panel.stacked:
        built.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    if panel.limit is not None:
        built.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.LINE))
    return built


def _stat() -> stat.Panel:
    latest = common.ReduceDataOptions().values(False).calcs(["lastNotNull"]).fields("")
    return stat.Panel().reduce_options(latest).graph_mode(BigValueGraphMode.NONE)
