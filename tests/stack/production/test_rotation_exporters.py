"""The exporters of PostgreSQL read their password at the start: a changed one starts them anew."""

from __future__ import annotations

import httpx
import psycopg2
import pytest

from tests.harness.production.external_stores import PASSWORD
from tests.harness.production.rotation import (
    SECONDS,
    await_line,
    database_address,
    replace_secret,
    replicas,
    sql,
)
from tests.harness.production.stack import Production
from tests.harness.stack.waiting import wait_until

NEW = "changed-0123456789"


@pytest.mark.parametrize("exporter", ["postgres-exporter", "database-exporter"])
def test_an_exporter_reaches_postgresql_after_a_changed_password(busy: Production, exporter: str) -> None:
    """It reads the password when it starts: so it is started anew, and a new connection shows the result."""
    new = f"{NEW}-{exporter}"
    sql(busy, f"ALTER ROLE monitor PASSWORD '{new}'")
    sql(busy, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'monitor'")

    replace_secret(busy, "monitor_password", new)

    await_line(busy, exporter, "/run/secrets/monitor_password/value has changed")
    (container,) = replicas(busy, exporter)
    metrics = f"http://{container.address}:9187/metrics"
    wait_until(lambda: "\npg_up 1" in scraped(metrics), SECONDS, "pg_up")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(f"postgresql://monitor:{PASSWORD}@{database_address(busy)}/predictions")


def scraped(metrics: str) -> str:
    """Return what an exporter shows, nothing while it starts."""
    try:
        return httpx.get(metrics, trust_env=False).text
    except httpx.TransportError:
        return ""
