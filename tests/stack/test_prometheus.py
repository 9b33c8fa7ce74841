"""Prometheus without the monitoring overlay."""

from __future__ import annotations

from tests.harness.stack.compose import Stack


def test_it_misses_no_file_of_the_overlay(stack: Stack) -> None:
    """Nothing of it is read, and no error says so."""
    log = stack.compose("logs", "--no-color", "--no-log-prefix", "prometheus").stdout
    targets = stack.prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]

    assert "Server is ready to receive web requests" in log
    assert "no such file" not in log
    assert {target["labels"]["job"] for target in targets} <= {
        "ml-api",
        "model-serve",
        "worker",
        "prometheus",
    }
