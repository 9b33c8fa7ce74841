"""The monitoring overlay watches the running stack: every panel shows data, every alert has a way out."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.stack.compose import ROOT, Stack, settings
from tests.stack.monitoring import Monitoring, monitored
from tests.stack.waiting import wait_until

DASHBOARDS = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
_VARIABLES = {"$__rate_interval": "1m", '"$job"': '"ml-api|model-serve"'}
_PREPARATION = 60.0  # seconds: of scrapes every 15 s, of which a rate needs two, and of rules every 15 s


@pytest.fixture(scope="module")
def monitoring(stack: Stack) -> Iterator[Monitoring]:
    """The overlay, after some traffic on both servers."""
    with monitored(stack) as running:
        _traffic(stack)
        yield running


def _traffic(stack: Stack) -> None:
    """Ask for what the model was trained on, some of it twice, and make a mistake or two."""
    random = np.random.default_rng(667)
    for _ in range(3):
        for value in random.uniform(0, 20, 100).round(1):
            assert stack.api.post("/predict", json={"features": [value]}).status_code == 200
        assert stack.serve.post("/predict", json={"values": [5]}).status_code == 200
        assert stack.api.post("/predict", json={"features": "five"}).status_code == 422
        assert stack.serve.get("/data/sample").status_code == 200


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
        _traffic(monitoring.stack)


def _shows_data(monitoring: Monitoring, expression: str) -> bool:
    return any(math.isfinite(float(series["value"][1])) for series in monitoring.query(expression))


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


def test_every_target_answers(monitoring: Monitoring) -> None:
    def states() -> dict[str, str]:
        targets = monitoring.stack.prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]
        return {
            target["labels"]["instance"] + " " + target["labels"]["job"]: target["health"]
            for target in targets
        }

    wait_until(lambda: set(states().values()) == {"up"}, what="every target up")

    jobs = {name.split()[1] for name in states()}
    assert jobs >= {"ml-api", "model-serve", "model-monitor", "postgres", "redis", "nginx", "alertmanager"}


@pytest.mark.parametrize("metric", ["pg_up", "redis_up", "nginx_up"])
def test_exporters_reach_their_stores(monitoring: Monitoring, metric: str) -> None:
    values = wait_until(lambda: monitoring.query(metric), what=metric)

    assert {series["value"][1] for series in values} == {"1"}


def test_alerts_reach_alertmanager(monitoring: Monitoring) -> None:
    def watchdog() -> bool:
        alerts = monitoring.alertmanager.get("/api/v2/alerts").json()
        return "Watchdog" in {alert["labels"]["alertname"] for alert in alerts}

    wait_until(watchdog, 60, "the alert that fires always")


def test_rules_are_tested_by_promtool(monitoring: Monitoring) -> None:
    rules, tests = "/etc/prometheus/rules/*.yml", "/etc/prometheus/tests/*_test.yml"
    script = (
        f"promtool check config /etc/prometheus/prometheus.yml && promtool test rules {tests} && echo {rules}"
    )

    done = monitoring.compose("exec", "-T", "prometheus", "sh", "-c", script)

    assert len(done.stdout.splitlines()[-1].split()) == len(list((ROOT / "prometheus/rules").glob("*.yml")))
    assert "FAILED" not in done.stdout + done.stderr


def test_alertmanagers_configuration_is_valid(monitoring: Monitoring) -> None:
    done = monitoring.compose(
        "exec", "-T", "alertmanager", "amtool", "check-config", "/etc/alertmanager/alertmanager.yml"
    )

    assert "SUCCESS" in done.stdout


def test_what_was_asked_like_the_training_data_has_not_drifted(monitoring: Monitoring) -> None:
    wait_until(lambda: (monitoring.value("drift_window_rows") or 0) >= 200, what="200 rows in the window")
    page = wait_until(lambda: _page_with_columns(monitoring), what="a report")

    assert monitoring.monitor.get("/health").json()["failure"] is None
    assert set(re.findall(r"<h2[^>]*>(\w+): ", page)) == {"x", "prediction"}


def _page_with_columns(monitoring: Monitoring) -> str:
    page = monitoring.monitor.get("/").text
    return page if "<svg" in page else ""


def test_what_nobody_taught_is_drift(monitoring: Monitoring) -> None:
    rows = [[float(value)] for value in np.linspace(100, 120, 5000)]

    assert monitoring.stack.api.post("/predict", json={"features": rows}).status_code == 200

    wait_until(lambda: monitoring.value('drift_detected{column="x"}') == 1, 40, "drift of x")
    assert (monitoring.value("drift_extrapolated_share") or 0) > 0.3
    firing = monitoring.query('ALERTS{alertname="DriftDetected", column="x"}')
    assert firing or wait_until(lambda: monitoring.query('ALERTS{alertname="DriftDetected"}'), 40)


def test_the_quality_gates_report_can_be_read(monitoring: Monitoring) -> None:
    version = int(monitoring.stack.api.get("/health").json()["model_version"])

    report = monitoring.monitor.get(f"/versions/{version}/report.html")

    assert report.status_code == 200
    assert f"Model version {version}" in report.text
    assert monitoring.monitor.get("/versions/999/report.html").status_code == 404
    assert monitoring.monitor.get("/versions/../../etc/passwd").status_code == 404


_FORBIDDEN = (
    ("postgres", "monitor", "SELECT FROM public.predictions", "permission denied"),
    ("database", "monitor", "SELECT FROM public.linear_data", "permission denied"),
    ("postgres", "drift", "DELETE FROM predictions", "read-only transaction"),
    ("postgres", "drift", "SET transaction_read_only = off; DELETE FROM predictions", "permission denied"),
)


@pytest.mark.parametrize(("store", "role", "statement", "refusal"), _FORBIDDEN)
def test_who_watches_may_touch_nothing(
    monitoring: Monitoring, store: str, role: str, statement: str, refusal: str
) -> None:
    database = {"postgres": "predictions", "database": "dsproject"}[store]
    url = f"postgresql://{role}:{settings()[f'{role.upper()}_PASSWORD']}@127.0.0.1/{database}"

    done = monitoring.compose("exec", "-T", store, "psql", "-d", url, "-c", statement, check=False)

    assert done.returncode == 1
    assert refusal in done.stderr
