"""The form of sources/*.yaml: what is different from dashboard to dashboard, and nothing else."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["timeseries", "stat", "heatmap", "table"]


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One PromQL expression; `legend` may use labels as {{label}}."""

    expr: str
    legend: str = ""


class Panel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A panel of `width` columns out of 24; `unit` is one of Grafana's, such as s, reqps, bytes."""

    title: str
    unit: str
    queries: list[Query]
    description: str = ""
    kind: Kind = "timeseries"
    width: int = 12
    stacked: bool = False
    limit: float | None = None  # values from here on are shown in red
    link: str = ""  # URL that a click on a value opens


class Dashboard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Panels in reading order, and the variables that can be chosen above them."""

    uid: str
    title: str
    description: str
    panels: list[Panel]
    variables: dict[str, str] = {}  # name -> label_values(…), several of which can be chosen
    addresses: dict[str, str] = {}  # name -> label_values(…) of a metric that tells a setting: not shown
    links: dict[str, str] = {}  # title -> URL
