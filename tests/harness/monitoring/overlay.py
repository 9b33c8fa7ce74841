"""The monitoring overlay with the profile async, added to the running stack and removed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import httpx

from tests.harness.monitoring.images import OVERLAY, overlay_images, prepare_images
from tests.harness.processes.stores import free_port
from tests.harness.stack.compose import Finished, Stack

_FILES = ("docker-compose.yaml", "docker-compose.override.yaml", OVERLAY)  # the override is there already
_OPTIONS = (*(part for name in _FILES for part in ("-f", name)), "--profile", "async")
_QUICK = {"DRIFT_INTERVAL_SECONDS": "1"}
_OF_THE_MAIN_FILE = ("rabbitmq", "worker", "model-monitor")  # which runs without them


@dataclass(frozen=True)
class Monitoring:
    """The stack with the monitoring overlay; `grafana` tells whether that image was available."""

    stack: Stack
    grafana_image: str
    grafana: bool

    def compose(self, *arguments: str, check: bool = True) -> Finished:
        """Run `docker compose` with the overlay."""
        return self.stack.compose(*_OPTIONS, *arguments, check=check, env=_QUICK)

    def value(self, expression: str) -> float | None:
        """Return the one value of an instant query, None if there is none."""
        found = self.stack.query(expression)
        return float(found[0]["value"][1]) if found else None

    @cached_property
    def monitor(self) -> httpx.Client:
        """The drift monitor."""
        return self.stack.client("MONITOR_PORT")

    @cached_property
    def alertmanager(self) -> httpx.Client:
        """Alertmanager."""
        return self.stack.client("ALERTMANAGER_PORT")

    @cached_property
    def grafana_client(self) -> httpx.Client:
        """Grafana, without logging in."""
        return self.stack.client("GRAFANA_PORT")


@contextmanager
def monitored(stack: Stack) -> Iterator[Monitoring]:
    """Add the overlay, without Grafana where its image is not available; remove it afterwards.

    The monitor's port is not the default one, so that what leads to it must follow the setting.
    """
    stack = Stack(stack.environment | {"MONITOR_PORT": str(free_port())})
    images = overlay_images()
    monitoring = Monitoring(stack, images["grafana"], prepare_images(stack.environment))
    scale = () if monitoring.grafana else ("--scale", "grafana=0")
    monitoring.compose("up", "--detach", "--wait", "--pull", "never", *scale)
    try:
        yield monitoring
    finally:
        for client in (monitoring.monitor, monitoring.alertmanager, monitoring.grafana_client):
            client.close()
        stack.close_clients()  # of this copy: those of the caller's stay open
        monitoring.compose("rm", "--stop", "--force", *images, *_OF_THE_MAIN_FILE, check=False)
        stack.compose("up", "--detach", "--wait", "prometheus")
