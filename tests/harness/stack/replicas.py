"""Which replica answered: nginx's access log tells."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until


def answered_by(stack: Stack, since: datetime, port: int, answers: int) -> Counter[str]:
    """Return how many requests each replica (its address) answered on its `port` since then.

    Waits until nginx has written down at least so many answers: its log is buffered for a second.
    """

    def counted() -> Counter[str]:
        options = ("--no-log-prefix", "--no-color", "--since", since.isoformat())
        lines = stack.compose("logs", *options, "nginx").stdout.splitlines()
        upstreams = [json.loads(line)["upstream"] for line in lines if line.startswith('{"time"')]
        last = (upstream.replace(" : ", ", ").split(", ")[-1].rpartition(":") for upstream in upstreams)
        return Counter(address for address, _, at in last if at == str(port))

    def complete() -> Counter[str] | None:
        found = counted()
        return found if found.total() >= answers else None

    found = wait_until(complete, 10, f"{answers} answers in nginx's log")
    assert found is not None
    return found


def await_replicas(stack: Stack, service: str, count: int, port: int) -> None:
    """Return when so many replicas are healthy and nginx has noticed them all."""

    def healthy() -> bool:
        containers = stack.containers(service)
        return len(containers) == count and all(each.health == "healthy" for each in containers)

    wait_until(healthy, 120, f"{count} healthy replicas of {service}")
    client = stack.api if service == "api" else stack.serve
    began = datetime.now(UTC)

    def spread() -> bool:
        for _ in range(4 * count):
            client.get("/livez")
        return len(answered_by(stack, began, port, 1)) == count

    wait_until(spread, 20, f"nginx to reach {count} replicas of {service}")
