"""Texts and booleans in the binary tensor data extension: every length is checked before it is used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlstack.registry.store import ModelStore
from tests.harness.mixed_models import publish_houses
from tests.harness.mixed_tensors import BINARY, ROWS, column, element, tensors
from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.serving import ServingProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve a model of mixed columns."""
    root: Path = tmp_path_factory.mktemp("binary")
    publish_houses(ModelStore(root / "models"))
    with undisturbed(root / "models", root / "log", real_stores) as process:
        yield process


def infer_binary(server: ServingProcess, raw: bytes, name: str, **changed: Any) -> httpx.Response:
    """Send the rows with one tensor in the binary part."""
    members = {"data": None, "parameters": {"binary_data_size": len(raw)}} | changed
    head = json.dumps({"inputs": tensors(**{name: members})}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    return server.client.post("/v2/models/model/infer", content=head + raw, headers=headers)


def expected(server: ServingProcess) -> list[float]:
    found: list[float] = server.predict({"instances": ROWS}).json()["predictions"]
    return found


@pytest.mark.parametrize("name", BINARY)
def test_bytes_that_lie_are_refused(server: ServingProcess, name: str) -> None:
    answer = infer_binary(server, BINARY[name], "city")

    assert answer.status_code == 400, answer.text
    assert "city" in answer.json()["error"]


def test_a_text_in_binary_is_the_text_in_json(server: ServingProcess) -> None:
    raw = b"".join(element(text.encode()) for text in column("city"))

    answer = infer_binary(server, raw, "city")

    assert answer.json()["outputs"][0]["data"] == expected(server)


def test_a_tensor_of_many_empty_texts_is_refused_before_it_is_read(server: ServingProcess) -> None:
    answer = infer_binary(server, element(b"") * 250_000, "city", shape=[250_000])

    assert answer.status_code == 400
    assert "10000 elements" in answer.json()["error"]


def test_a_byte_that_is_no_boolean_is_refused(server: ServingProcess) -> None:
    answer = infer_binary(server, b"\1\2", "garden")

    assert answer.status_code == 400
    assert "garden" in answer.json()["error"]
