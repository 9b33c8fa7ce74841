"""Every panel shows data, in Grafana where it can be had, from the live Prometheus everywhere."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import pytest

from tests.harness.monitoring.overlay import Monitoring
from tests.harness.monitoring.traffic import send_traffic
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import settings

DASHBOARDS = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
_VARIABLES = {"$__rate_interval": "1m", '"$job"': '"ml-api|model-serve"'}
_PREPARATION = 60.0  # seconds: of scrapes every 15 s, of which a rate needs two, and of rules every 15 s


def _expressions(path: Path) -> dict[str, str]:
    """Return the queries of a dashboard as Prometheus gets them, by panel."""
    found = {}
    for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
        for target in panel["targets"]:
            expression = target["expr"]
            for variable, value in _VARIABLES.items():
                expression = expression.replace(variable, value)
            assert "$" not in expression, expression
            found[f"{panel['title']} {target['refId']}"] = expression
    return found


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_shows_data(monitoring: Monitoring, path: Path) -> None:
    expressions = _expressions(path)

    deadline = time.monotonic() + _PREPARATION
    while missing := [panel for panel, query in expressions.items() if not _shows_data(monitoring, query)]:
        assert time.monotonic() < deadline, f"no data in {missing}"
        send_traffic(monitoring.stack)


def _shows_data(monitoring: Monitoring, expression: str) -> bool:
    return any(math.isfinite(float(series["value"][1])) for series in monitoring.stack.query(expression))


def test_grafana_shows_the_dashboards(monitoring: Monitoring) -> None:
    if not monitoring.grafana:
        pytest.skip(
            f"{monitoring.grafana_image} CANNOT BE HAD HERE, Grafana did not run. Checked instead: the query"
            " of every panel shows data in Prometheus, every dashboard is valid by Grafana's published schema"
        )
    client = monitoring.grafana_client
    admin = ("admin", settings()["GRAFANA_PASSWORD"])

    found = client.get("/api/search", params={"type": "dash-db"}, auth=admin).json()
    source = client.get("/api/datasources/uid/prometheus/health", auth=admin)

    assert {dashboard["uid"] for dashboard in found} == {json.loads(p.read_text())["uid"] for p in DASHBOARDS}
    assert source.json()["status"] == "OK"
    assert client.get("/api/search").status_code == 401
