"""Every panel shows data, in Grafana where it can be had, from the live Prometheus everywhere."""

from __future__ import annotations

import json
import math
import re
import time
from pathlib import Path

import httpx
import pytest

from tests.harness.monitoring.overlay import Monitoring
from tests.harness.monitoring.traffic import send_traffic
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import settings
from tests.harness.stack.waiting import wait_until

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


def test_links_lead_to_the_reports_where_they_are_published(monitoring: Monitoring) -> None:
    """At another port than the default one, which the dashboard learns from the metric that it asks for."""
    dashboard = json.loads((ROOT / "grafana" / "dashboards" / "model.json").read_text(encoding="utf-8"))
    (variable,) = dashboard["templating"]["list"]
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()  # type: ignore[union-attr]
    (series,) = wait_until(lambda: monitoring.stack.query(metric), 60, metric)
    version = str(int(monitoring.value("max(model_version)") or 0))
    panels = [
        link["url"]
        for panel in dashboard["panels"]
        for link in panel["fieldConfig"]["defaults"].get("links", [])
    ]
    links = [*panels, *(link["url"] for link in dashboard["links"] if link["type"] == "link")]

    for link in links:
        address = link.replace("${reports:raw}", series["metric"][label]).replace("${__value.raw}", version)
        assert "$" not in address
        assert f":{monitoring.stack.port('MONITOR_PORT')}/" in address
        assert httpx.get(address, trust_env=False).status_code == 200, address
    assert len(links) == 3
    assert monitoring.stack.port("MONITOR_PORT") != int(settings()["MONITOR_PORT"])


def test_the_room_of_every_volume_is_known(monitoring: Monitoring) -> None:
    """And the databases' files cannot be read, nor anything be written."""
    wanted = {"models", "database", "postgres", "redis", "prometheus"}
    wait_until(
        lambda: (
            {each["metric"]["volume"] for each in monitoring.stack.query("volume_free_bytes > 0")} == wanted
        ),
        60,
    )

    for command in (["ls", "/volumes/postgres"], ["ls", "/volumes/database"], ["touch", "/volumes/redis/x"]):
        assert monitoring.compose("exec", "-T", "model-monitor", *command, check=False).returncode != 0, (
            command
        )


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
