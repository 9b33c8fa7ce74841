"""The Flask server's metrics stay few and true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.processes.serving import ServingProcess, publish_line, serving


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServingProcess]:
    """A server that counts from zero."""
    publish_line(tmp_path / "models", 2.0)
    with serving(tmp_path / "models", tmp_path / "log") as process:
        yield process


def test_unknown_addresses_and_methods_do_not_grow_the_label_sets(server: ServingProcess) -> None:
    """Labels come from closed sets: 300 wrong addresses and methods add a handful of series."""
    server.client.get("/nothing")
    server.client.request("NOTHING", "/")
    before = len(server.client.get("/metrics").text.splitlines())

    for number in range(300):
        server.client.get(f"/nothing/{number}")
        server.client.request(f"NOTHING{chr(65 + number % 26)}{chr(65 + number // 26)}", "/")

    text = server.client.get("/metrics").text
    assert len(text.splitlines()) - before < 30
    assert server.metric('http_requests_total{method="GET",route="unmatched",status="404"}') == 301
    assert "nothing" not in text.lower()


def test_requests_are_counted_timed_and_over_when_answered(server: ServingProcess) -> None:
    """Errors count too, and leave nothing in flight."""
    for _ in range(5):
        server.predict({"values": [5, 6]})
    for _ in range(3):
        server.predict({"values": "5"})

    assert server.metric('http_requests_total{method="POST",route="/predict",status="200"}') == 5
    assert server.metric('http_requests_total{method="POST",route="/predict",status="422"}') == 3
    assert server.metric('http_request_duration_seconds_count{route="/predict"}') == 8
    assert server.metric("prediction_instances_total") == 10
    assert server.metric("http_requests_in_flight") == 1  # the scrape itself
    assert server.metric("model_version") == 1
    assert 'http_request_duration_seconds_bucket{le="0.0005"' in server.client.get("/metrics").text
