"""What the stack's Prometheus and Alertmanager say."""

from __future__ import annotations

import json
from typing import Any

from tests.harness.stack.waiting import wait_until
from tests.harness.swarm.stack import SwarmStack


def query(stack: SwarmStack, expression: str) -> list[dict[str, Any]]:
    """Return the series that Prometheus finds."""
    command = ("promtool", "query", "instant", "--format=json", "http://127.0.0.1:9090", expression)
    found: list[dict[str, Any]] = json.loads(stack.exec("prometheus", *command))
    return found


def wait_until_told(stack: SwarmStack, name: str, seconds: float = 240, **labels: str) -> None:
    """Wait until Alertmanager has an alert of this name with these labels."""
    expected = labels | {"alertname": name}
    asked = ("wget", "-q", "-O", "-", "http://127.0.0.1:9093/api/v2/alerts")

    def is_told() -> bool:
        alerts = json.loads(stack.exec("alertmanager", *asked))
        return any(expected.items() <= alert["labels"].items() for alert in alerts)

    wait_until(is_told, seconds, f"the alert {name}", pause=2)


def wait_until_ended(stack: SwarmStack, name: str, seconds: float = 240, **labels: str) -> None:
    """Wait until Prometheus has no such alert."""
    given = ",".join(f'{label}="{value}"' for label, value in (labels | {"alertname": name}).items())
    expression = f'ALERTS{{alertstate="firing",{given}}}'
    wait_until(lambda: not query(stack, expression), seconds, f"the end of the alert {name}", pause=2)
