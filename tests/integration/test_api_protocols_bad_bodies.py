"""Bad bodies for KServe's V1, V2 and MLflow's protocol: 400 in the protocol's form, and nothing is logged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlstack.registry.store import ModelStore
from tests.harness.bad_inputs import BadInput
from tests.harness.bad_protocol_bodies import CSV, CSV_COLUMNS, INVOCATIONS, V1
from tests.harness.bad_rows import BAD_ROWS
from tests.harness.bad_tensors import V2
from tests.harness.mixed_models import publish_houses
from tests.harness.processes.inference import Stores, inference
from tests.harness.processes.serving import ServingProcess, publish_line

JSON = "application/json"
PREDICT, INFER, INVOKE = "/v1/models/model:predict", "/v2/models/model/infer", "/invocations"
BAD = [
    *[pytest.param(PREDICT, JSON, body, id=f"KServe {name}") for name, body in V1.items()],
    *[pytest.param(INFER, JSON, body, id=f"V2 {name}") for name, body in V2.items()],
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
    assert set(error) == ({"error_code", "message"} if path == INVOKE else {"error"})
    text = error.get("error") or error["message"]
    assert "expected" in text or "JSON" in text
    assert len(text) < 1000


def test_nothing_of_it_is_logged(server: ServingProcess, real_stores: Stores) -> None:
    assert server.predict({"values": [5]}).status_code == 200
    assert real_stores.sql("SELECT count(*) FROM predictions") == [(1,)]
    assert not [line for line in server.log_lines() if line["level"] == "error"]


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve a model of mixed columns."""
    root: Path = tmp_path_factory.mktemp("bad-houses")
    publish_houses(ModelStore(root / "models"))
    with inference(root / "models", root / "log", real_stores) as process:
        yield process


@pytest.mark.parametrize("bad", BAD_ROWS, ids=lambda bad: bad.name)
def test_a_bad_row_is_refused_by_its_column_in_kserves_v1(houses: ServingProcess, bad: BadInput) -> None:
    answer = houses.client.post(PREDICT, content=bad.body, headers={"content-type": JSON})

    assert answer.status_code == 400, answer.text
    assert bad.expects in answer.json()["error"].lower()


@pytest.mark.parametrize("name", CSV_COLUMNS)
def test_a_bad_line_of_csv_is_refused_by_its_column(houses: ServingProcess, name: str) -> None:
    text, expected = CSV_COLUMNS[name]

    answer = houses.client.post(INVOKE, content=text.encode(), headers={"content-type": "text/csv"})

    assert answer.status_code == 400, answer.text
    assert expected in answer.json()["message"]
