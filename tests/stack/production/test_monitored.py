"""With `-f docker-compose.monitoring.yaml` after the production files: monitoring uses no demo password."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.harness.monitoring.images import OVERLAY, overlay_images, prepare_images
from tests.harness.production.external_stores import PASSWORD, run
from tests.harness.production.secret_files import OWN_PASSWORDS, secret_file
from tests.harness.production.stack import Production
from tests.harness.stack.compose import settings
from tests.harness.stack.waiting import wait_until

GRAFANA = "grafana"


@pytest.fixture(scope="module")
def watched(stack: Production) -> Iterator[Production]:
    """The production stack with monitoring, which the production stack's fixture removes."""
    both = replace(stack, files=(*stack.files, OVERLAY))
    has_grafana = prepare_images(os.environ | stack.environment)
    scale = () if has_grafana else ("--scale", f"{GRAFANA}=0")
    both.compose("up", "--build", "--wait", "--pull", "never", *scale)
    yield both
    both.compose("stop", *overlay_images(), "model-monitor")


def values(stack: Production, query: str) -> dict[str, str]:
    """Return what Prometheus answers, by store."""
    url = f"http://localhost:{stack.port('PROMETHEUS_PORT')}/api/v1/query"
    found = httpx.get(url, params={"query": query}, trust_env=False).json()["data"]["result"]
    return {series["metric"].get("store", ""): series["value"][1] for series in found}


@pytest.mark.parametrize(
    ("metric", "stores"),
    [("pg_up", {"database", "postgres"}), ("redis_up", {""})],
)
def test_exporters_reach_their_stores_with_passwords_from_files(
    watched: Production, metric: str, stores: set[str]
) -> None:
    """The local databases do not run: the external ones answer."""
    wait_until(lambda: values(watched, metric) == dict.fromkeys(stores, "1"), 60, metric)


@pytest.mark.parametrize(("store", "database"), [("database", "dsproject"), ("postgres", "predictions")])
def test_each_exporter_watches_its_own_database(watched: Production, store: str, database: str) -> None:
    tables = f'count by (store) (pg_stat_user_tables_n_live_tup{{datname="{database}"}})'

    wait_until(lambda: values(watched, tables), 60, f"tables of {database}")

    assert set(values(watched, tables)) == {store}


def test_the_drift_monitor_reads_the_external_log(watched: Production) -> None:
    health = httpx.get(f"http://localhost:{watched.port('MONITOR_PORT')}/health", trust_env=False)

    assert health.status_code == 200
    assert health.json()["failure"] is None


def test_the_end_of_the_certificate_that_nginx_shows_is_watched(watched: Production) -> None:
    """The tests' own is good for a day, so the alert counts its minutes."""
    (end,) = wait_until(lambda: list(values(watched, "certificate_not_after_timestamp_seconds").values()), 90)

    assert 0 < float(end) - time.time() <= 86_400
    wait_until(lambda: values(watched, 'ALERTS{alertname="CertificateExpiresSoon"}'), 60, "an alert")


def test_the_volumes_of_local_databases_are_not_watched(watched: Production) -> None:
    """They are not used: the databases are elsewhere."""
    url = f"http://localhost:{watched.port('MONITOR_PORT')}/metrics"
    shown = httpx.get(url, trust_env=False).text

    assert set(re.findall(r'volume_free_bytes{volume="(\w+)"}', shown)) == {"models", "redis", "prometheus"}


@pytest.mark.parametrize("exporter", ["database-exporter", "postgres-exporter"])
def test_an_exporter_refuses_the_demo_password(watched: Production, tmp_path: Path, exporter: str) -> None:
    secrets = tmp_path / "secrets"
    shutil.copytree(watched.secrets, secrets)
    secret_file(secrets, "monitor_password").write_text(settings()["MONITOR_PASSWORD"])
    careless = replace(watched, environment=watched.environment | {"SECRETS_DIR": str(secrets)})

    output = careless.compose("run", "--rm", "--no-deps", "-T", exporter, check=False)

    lines = [line for line in output.splitlines() if "demo password" in line]
    assert len(lines) == 1
    assert "monitor_password" in lines[0]


def test_no_password_shows_in_any_container(watched: Production) -> None:
    containers = watched.compose("ps", "--all", "--quiet").split()
    shown = run("docker", "inspect", *containers) + watched.compose("logs")

    for secret in (PASSWORD, *OWN_PASSWORDS.values()):
        assert secret not in shown
    for name, demo in settings().items():
        assert not (name.endswith("_PASSWORD") and "-demo" in demo and demo in shown), name


def test_grafana_takes_its_password_from_the_file(watched: Production) -> None:
    if GRAFANA not in watched.compose("ps", "--services").split():
        pytest.skip(f"{overlay_images()[GRAFANA]} CANNOT BE HAD HERE, Grafana did not run")
    url = f"http://localhost:{watched.port('GRAFANA_PORT')}/api/org"

    statuses = [
        httpx.get(url, auth=("admin", password), trust_env=False).status_code
        for password in (OWN_PASSWORDS["grafana_password"], settings()["GRAFANA_PASSWORD"])
    ]

    assert statuses == [200, 401]
