"""The api's metrics stay few and true."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.serving import ServingProcess, eventually, publish_line


@pytest.fixture
def server(tmp_path: Path, real_stores: Stores) -> Iterator[ServingProcess]:
    """A server that counts from zero; its one writer is connected: one that is not yet uses the queue."""
    publish_line(tmp_path / "models", 2.0)
    with undisturbed(tmp_path / "models", tmp_path / "log", real_stores) as process:
        yield process


def test_unknown_addresses_and_methods_do_not_grow_the_label_sets(server: ServingProcess) -> None:
    """Labels come from closed sets: 300 wrong addresses and methods add a handful of series."""
    server.client.get("/nothing")
    server.client.request("NOTHING", "/")
    before = len(server.client.get("/metrics").text.splitlines())

    for number in range(300):
        server.client.get(f"/nothing/{number}")
        server.client.post(f"/predict/{number}", json={})
        server.client.request(f"NOTHING{chr(65 + number % 26)}{chr(65 + number // 26)}", "/predict")

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
    assert server.metric('cache_requests_total{result="hit"}') == 4
    assert server.metric('cache_requests_total{result="miss"}') == 1
    assert server.metric('prediction_log_rows_total{way="direct"}') == 5
    assert server.metric("http_requests_in_flight") == 1  # the scrape itself
    assert server.metric("model_version") == 1
    assert server.metric('store_up{store="postgres"}') == server.metric('store_up{store="redis"}') == 1
    assert 'http_request_duration_seconds_bucket{le="0.0005"' in server.client.get("/metrics").text


@pytest.mark.parametrize("sent", [b"POST /predict HTTP/1.1\r\n", b'{"values": [5'], ids=["head", "body"])
def test_a_client_that_goes_away_leaves_nothing_in_flight(server: ServingProcess, sent: bytes) -> None:
    """Whether it breaks off in the head or in the body."""
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n"
    )
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(sent if sent.startswith(b"POST") else head + sent)

    assert eventually(lambda: server.metric("http_requests_in_flight") == 1)
    assert server.predict({"values": [5]}).status_code == 200


def test_a_model_refused_shows_in_the_metrics(server: ServingProcess) -> None:
    """The previous version stays in use."""
    version = publish_line(server.model_dir, 9.0)
    (server.model_dir / "versions" / str(version) / "model.skops").write_bytes(b"damaged")
    (server.model_dir / "versions" / str(version) / "manifest.json").touch()

    assert eventually(lambda: server.metric("model_refused") == 1 or server.metric("model_version") == 2)
    assert server.predict({"values": [5]}).status_code == 200
