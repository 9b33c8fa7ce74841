"""What a dashboard is, in as few words as it needs: the form of sources/*.yaml."""

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
    limit: float | None = None  # from here on it is shown in red
    link: str = ""  # where a click on a value leads


class Dashboard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Panels in reading order, with what can be chosen above them."""

    uid: str
    title: str
    description: str
    panels: list[Panel]
    variables: dict[str, str] = {}  # name -> label_values(…), of which any may be chosen
    constants: dict[str, str] = {}  # name -> value that a person may change
    links: dict[str, str] = {}  # title -> URL
