"""Bad bodies for KServe's V1 and MLflow's protocols: 400 in the protocol's form, and nothing is logged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.bad_protocol_bodies import CSV, INVOCATIONS, V1
from tests.harness.processes.inference import Stores, inference
from tests.harness.processes.serving import ServingProcess, publish_line

JSON = "application/json"
PREDICT, INVOKE = "/v1/models/model:predict", "/invocations"
BAD = [
    *[pytest.param(PREDICT, JSON, body, id=f"KServe {name}") for name, body in V1.items()],
    *[pytest.param(INVOKE, JSON, body, id=f"MLflow {name}") for name, body in INVOCATIONS.items()],
    *[pytest.param(INVOKE, "text/csv", body, id=f"CSV {name}") for name, body in CSV.items()],
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve one model."""
    root: Path = tmp_path_factory.mktemp("bad")
    publish_line(root / "models", 2.0)
    with inference(root / "models", root / "log", real_stores) as process:
        yield process


@pytest.mark.parametrize(("path", "media_type", "body"), BAD)
def test_a_bad_body_is_400_and_told_what_was_expected(
    server: ServingProcess, path: str, media_type: str, body: bytes
) -> None:
    answer = server.client.post(path, content=body, headers={"content-type": media_type})

    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == JSON
    error = answer.json()
    assert set(error) == ({"error"} if path == PREDICT else {"error_code", "message"})
    text = error.get("error") or error["message"]
    assert "expected" in text or "JSON" in text
    assert len(text) < 1000


def test_nothing_of_it_is_logged(server: ServingProcess, real_stores: Stores) -> None:
    assert server.predict({"values": [5]}).status_code == 200
    assert real_stores.sql("SELECT count(*) FROM predictions") == [(1,)]
    assert not [line for line in server.log_lines() if line["level"] == "error"]
