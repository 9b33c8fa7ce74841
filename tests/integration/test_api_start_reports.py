"""What the api says about stores that it cannot reach, and which pages need the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.processes.inference import Stores, inference, is_healthy
from tests.harness.processes.serving import eventually, publish_line

KEY = "a-key-of-16-chars"


@pytest.mark.parametrize(
    ("url", "reason", "logged"),
    [
        ("postgresql://inference:wrong@127.0.0.1:{port}/predictions", "user or the password", "inference"),
        ("postgresql://inference:x@database.invalid/predictions", "host name is unknown", "database.invalid"),
        ("postgresql://inference:x@127.0.0.1:1/predictions", "connection is refused", "127.0.0.1:1"),
    ],
)  # fmt: skip
def test_a_database_that_cannot_be_reached_is_told_once(
    real_stores: Stores, tmp_path: Path, url: str, reason: str, logged: str
) -> None:
    """In one line of the log with address and reason, and in /health without the address."""
    publish_line(tmp_path / "models", 2.0)
    url = url.format(port=real_stores.postgres.port)

    with inference(tmp_path / "models", tmp_path / "log", real_stores, DATABASE_URL=url) as process:
        assert eventually(lambda: process.client.get("/health").json()["database_reason"])
        report = process.client.get("/health").json()
        lines = [line for line in process.log_lines() if line["event"] == "postgres unreachable"]

    assert reason in report["database_reason"]
    assert logged not in report["database_reason"]
    (line,) = lines
    assert logged in line["address"]
    assert "wrong" not in str(line)


def test_each_store_is_connected_once(real_stores: Stores, tmp_path: Path) -> None:
    publish_line(tmp_path / "models", 2.0)

    with inference(tmp_path / "models", tmp_path / "log", real_stores) as process:
        assert eventually(lambda: is_healthy(process))
        events = [line["event"] for line in process.log_lines()]

    assert (events.count("postgres connected"), events.count("redis connected")) == (1, 1)


def test_everything_but_probes_needs_the_key(real_stores: Stores, tmp_path: Path) -> None:
    """The documentation and its files, too; the page itself is open, and shows nothing without a key."""
    publish_line(tmp_path / "models", 2.0)
    pages = ("/docs", "/redoc", "/openapi.json", "/static-offline-docs/swagger-ui.css", "/v2", "/page/state")
    protocols = ("/v1/models", "/v1/models/model", "/v2/models/model", "/ping", "/version")
    posts = ("/predict", "/invocations", "/v1/models/model:predict", "/v2/models/model/infer")

    with inference(tmp_path / "models", tmp_path / "log", real_stores, API_KEYS=KEY) as process:
        refused = {page: process.client.get(page).status_code for page in (*pages, *protocols)}
        refused |= {path: process.client.post(path, json={"inputs": [[1]]}).status_code for path in posts}
        allowed = {
            page: process.client.get(page, headers={"X-API-Key": KEY}).status_code
            for page in (*pages, *protocols, "/health", "/livez", "/readyz", "/metrics")
        }
        probes = {process.client.get(page).status_code for page in ("/health", "/livez", "/readyz", "/")}

    assert set(refused.values()) == {401}, refused
    assert set(allowed.values()) == {200}, allowed
    assert probes == {200}
