"""Targets answer, alerts are routed, and monitoring has read-only access."""

from __future__ import annotations

import pytest

from tests.harness.monitoring.overlay import Monitoring
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import settings
from tests.harness.stack.waiting import wait_until


def test_every_target_answers(monitoring: Monitoring) -> None:
    overlay = {"model-monitor", "postgres", "redis", "nginx", "alertmanager"}

    def all_found_and_up() -> bool:
        targets = monitoring.stack.prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]
        jobs = {target["labels"]["job"] for target in targets}
        up = {target["health"] for target in targets} == {"up"}
        return up and jobs >= {"ml-api", "model-serve", "worker", *overlay}

    wait_until(all_found_and_up, 60, "every target found and up")


@pytest.mark.parametrize("metric", ["pg_up", "redis_up", "nginx_up"])
def test_exporters_reach_their_stores(monitoring: Monitoring, metric: str) -> None:
    values = wait_until(lambda: monitoring.stack.query(metric), what=metric)

    assert {series["value"][1] for series in values} == {"1"}


def test_alerts_reach_alertmanager(monitoring: Monitoring) -> None:
    def watchdog() -> bool:
        alerts = monitoring.alertmanager.get("/api/v2/alerts").json()
        return "Watchdog" in {alert["labels"]["alertname"] for alert in alerts}

    # An alert that was sent before Alertmanager was found is sent again after a minute.
    wait_until(watchdog, 120, "the alert that fires always")


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
