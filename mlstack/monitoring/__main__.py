"""The exporter of a Swarm's state, in docker-compose.swarm-monitoring.yaml: /metrics at PORT."""

from __future__ import annotations

import signal
import threading

from prometheus_client import CollectorRegistry, start_http_server

from mlstack.monitoring.swarm import SwarmCollector
from mlstack.runtime.settings import SettingsError, env, env_int
from mlstack.runtime.step import run_step


def main() -> None:
    """Answer scrapes until SIGTERM."""
    url = env("SWARM_URL", "http://swarm-state:2375").rstrip("/")
    if not url.startswith("http://"):
        raise SettingsError(f"SWARM_URL must look like http://swarm-state:2375, not {url!r}")
    registry = CollectorRegistry()
    registry.register(SwarmCollector(url, env("SWARM_STACK")))
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    start_http_server(env_int("PORT", 9096), registry=registry)
    over.wait()


if __name__ == "__main__":
    run_step("swarm-exporter", main)
