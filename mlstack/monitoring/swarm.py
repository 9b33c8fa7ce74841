"""What a Docker Swarm knows of its nodes and of the replicas of one stack, as metrics."""

from __future__ import annotations

import logging
import time
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mlstack.monitoring.swarm_api import Node, Service, SwarmState, Task

logger = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 3.0
_FRESH_SECONDS = 3.0  # the managers are asked no oftener, however often it is scraped
_MOST_BYTES = 16 << 20  # of one answer: some 3,000 tasks


class SwarmCollector(Collector):
    """Asks the Swarm's API at `url`; of its services those of the stack `stack`."""

    def __init__(self, url: str, stack: str) -> None:
        """Ask nothing yet."""
        self._url = url
        self._stack = stack
        self._state: SwarmState | None = None
        self._asked = float("-inf")

    def collect(self) -> Iterator[Metric]:
        """Yield swarm_up, and if the managers have answered, nodes and services."""
        if time.monotonic() - self._asked > _FRESH_SECONDS:
            self._asked = time.monotonic()
            self._state = self._ask()
        up = float(self._state is not None)
        yield GaugeMetricFamily("swarm_up", "1 if a manager of the Swarm has answered", value=up)
        if self._state is not None:
            yield from _of_nodes(self._state.nodes)
            yield from _of_services(_servers(self._state.services, self._stack), self._state.running())

    def _ask(self) -> SwarmState | None:
        try:
            return SwarmState(
                msgspec.json.decode(self._get("/nodes"), type=list[Node]),
                msgspec.json.decode(self._get("/services"), type=list[Service]),
                msgspec.json.decode(self._get("/tasks"), type=list[Task]),
            )
        except (OSError, msgspec.MsgspecError) as error:
            logger.warning("the Swarm's API does not answer", extra={"reason": str(error)})
            return None

    def _get(self, path: str) -> bytes:
        # A constant of the settings: http:// is checked when they are read.
        with urllib.request.urlopen(self._url + path, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            body: bytes = answer.read(_MOST_BYTES + 1)
        if len(body) > _MOST_BYTES:
            raise OSError(f"more than {_MOST_BYTES} bytes at {path}")
        return body


def _servers(services: Iterable[Service], stack: str) -> list[Service]:
    """Return the services of a stack that are meant to run for ever."""
    label = "com.docker.stack.namespace"
    own = (each for each in services if (each.spec.labels or {}).get(label) == stack)
    return [each for each in own if {"Replicated", "Global"} & set(each.spec.mode)]


def _of_nodes(nodes: Iterable[Node]) -> Iterator[Metric]:
    ready = GaugeMetricFamily(
        "swarm_node_ready",
        "1 if the managers hear from the node",
        labels=["node", "role", "availability", "state"],
    )
    for node in nodes:
        labels = [node.description.hostname or node.id, node.spec.role, node.spec.availability]
        ready.add_metric([*labels, node.status.state], float(node.status.state == "ready"))
    yield ready


def _of_services(services: Iterable[Service], tasks: Counter[str]) -> Iterator[Metric]:
    wanted = GaugeMetricFamily("swarm_service_replicas_wanted", "Replicas asked for", labels=["service"])
    running = GaugeMetricFamily(
        "swarm_service_replicas_running", "Replicas that run and are healthy", labels=["service"]
    )
    update = GaugeMetricFamily(
        "swarm_service_update", "1: the state of the latest update", labels=["service", "state"]
    )
    for each in services:
        name = each.spec.name
        wanted.add_metric([name], float(each.service_status.desired_tasks))
        running.add_metric([name], float(tasks[each.id]))
        if each.update_status and each.update_status.state:
            update.add_metric([name, each.update_status.state], 1.0)
    yield from (wanted, running, update)
