"""The drift monitor beside the running stack: its report, its metrics, its alert."""

from __future__ import annotations

import re

import numpy as np

from tests.harness.monitoring.overlay import Monitoring
from tests.harness.stack.waiting import wait_until


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

    # The share first: what other tests asked may already have counted as drift, without these rows.
    wait_until(lambda: (monitoring.value("drift_extrapolated_share") or 0) > 0.3, 40, "extrapolated inputs")
    wait_until(lambda: monitoring.value('drift_detected{column="x"}') == 1, 40, "drift of x")
    firing = monitoring.stack.query('ALERTS{alertname="DriftDetected", column="x"}')
    assert firing or wait_until(lambda: monitoring.stack.query('ALERTS{alertname="DriftDetected"}'), 40)


def test_the_quality_gates_report_can_be_read(monitoring: Monitoring) -> None:
    version = int(monitoring.stack.api.get("/health").json()["model_version"])

    report = monitoring.monitor.get(f"/versions/{version}/report.html")

    assert report.status_code == 200
    assert f"Model version {version}" in report.text
    assert monitoring.monitor.get("/versions/999/report.html").status_code == 404
    assert monitoring.monitor.get("/versions/../../etc/passwd").status_code == 404
