"""The Open Inference Protocol with its public clients, unmodified: tritonclient and kserve."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.serving import ServingProcess, publish_line

# The clients' own imports warn of things that are not ours.
pytestmark = pytest.mark.filterwarnings("default")
X = np.array([[1.0], [2.0], [3.0]])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve versions 1 (y = 2x + 1) and 2 (y = 3x + 1), of which 2 is current."""
    root: Path = tmp_path_factory.mktemp("v2")
    publish_line(root / "models", 2.0)
    publish_line(root / "models", 3.0)
    with undisturbed(root / "models", root / "log", real_stores) as process:
        yield process


@pytest.fixture
def triton(server: ServingProcess) -> Iterator[Any]:
    """tritonclient as its documentation shows it."""
    import tritonclient.http as client  # noqa: PLC0415 - patches the process' sockets with gevent's

    made = client.InferenceServerClient(f"127.0.0.1:{server.port}")
    yield made
    made.close()


def expected(server: ServingProcess, version: int = 2) -> list[float]:
    answer = server.predict({"features": [1.0, 2.0, 3.0], "model_version": version}).json()
    return list(answer["predictions"])


def test_triton_sees_a_live_and_ready_server(triton: Any) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("model")
    assert triton.is_model_ready("model", "1")
    assert not triton.is_model_ready("model", "99")
    assert triton.get_server_metadata()["name"] == "ml-stack"
    assert triton.get_model_metadata("model")["inputs"] == [
        {"name": "input", "datatype": "FP64", "shape": [-1, 1]}
    ]


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_triton_predicts(triton: Any, server: ServingProcess, binary_in: bool, binary_out: bool) -> None:
    import tritonclient.http as client  # noqa: PLC0415

    tensor = client.InferInput("input", [3, 1], "FP64")
    tensor.set_data_from_numpy(X, binary_data=binary_in)
    wanted = [
        client.InferRequestedOutput(name, binary_data=binary_out) for name in ("predictions", "intervals")
    ]

    result = triton.infer("model", [tensor], outputs=wanted, request_id="mine")

    assert result.as_numpy("predictions").tolist() == expected(server)
    assert result.as_numpy("intervals").shape == (3, 2)
    assert result.get_response()["id"] == "mine"
    assert result.get_response()["model_version"] == "2"


@pytest.mark.parametrize("datatype", ["FP64", "FP32", "INT32", "UINT8"])
def test_triton_predicts_by_default_in_binary_of_any_number_type(
    triton: Any, server: ServingProcess, datatype: str
) -> None:
    import tritonclient.http as client  # noqa: PLC0415
    from tritonclient.utils import triton_to_np_dtype  # noqa: PLC0415

    tensor = client.InferInput("input", [3, 1], datatype)
    tensor.set_data_from_numpy(X.astype(triton_to_np_dtype(datatype)))

    result = triton.infer("model", [tensor], model_version="1")

    assert result.as_numpy("predictions").tolist() == expected(server, version=1)


def test_triton_lists_and_loads_the_repository(triton: Any) -> None:
    from tritonclient.utils import InferenceServerException  # noqa: PLC0415

    index = triton.get_model_repository_index()

    assert [(entry["name"], entry["version"], entry["state"]) for entry in index] == [
        ("model", "1", "READY"),
        ("model", "2", "READY"),
    ]
    triton.load_model("model")
    with pytest.raises(InferenceServerException, match="cannot be unloaded"):
        triton.unload_model("model")


def test_triton_reads_our_errors(triton: Any) -> None:
    import tritonclient.http as client  # noqa: PLC0415
    from tritonclient.utils import InferenceServerException  # noqa: PLC0415

    tensor = client.InferInput("input", [3, 2], "FP64")
    tensor.set_data_from_numpy(np.ones((3, 2)))

    with pytest.raises(InferenceServerException, match="expected a list of numbers"):
        triton.infer("model", [tensor])
    with pytest.raises(InferenceServerException, match="there is no model other"):
        triton.infer("other", [tensor])


def test_kserve_predicts(server: ServingProcess) -> None:
    from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig  # noqa: PLC0415

    async def ask() -> Any:
        client = InferenceRESTClient(RESTConfig(protocol="v2"))
        base = f"http://127.0.0.1:{server.port}"
        tensor = InferInput("input", [3, 1], "FP64")
        tensor.set_data_from_numpy(X)
        try:
            assert await client.is_server_live(base)
            assert await client.is_server_ready(base)
            assert await client.is_model_ready(base, "model")
            return await client.infer(base, InferRequest("model", [tensor]), model_name="model")
        finally:
            await client.close()

    result = asyncio.run(ask())

    outputs = {output.name: output.as_numpy() for output in result.outputs}
    assert outputs["predictions"].tolist() == expected(server)


def test_explicit_nulls_and_named_columns_are_accepted(server: ServingProcess) -> None:
    tensor = {"name": "x", "shape": [3], "datatype": "FP64", "data": [1, 2, 3], "parameters": None}
    body = {"id": None, "parameters": None, "outputs": None, "inputs": [tensor]}

    answer = server.client.post("/v2/models/model/infer", json=body)

    assert answer.status_code == 200
    assert answer.json()["outputs"][0]["data"] == expected(server)


def test_every_inference_is_logged(server: ServingProcess, real_stores: Stores) -> None:
    body = {"inputs": [{"name": "input", "shape": [1, 1], "datatype": "FP64", "data": [7.5]}]}

    answer = server.client.post("/v2/models/model/infer", json=body).json()

    identifier = answer["parameters"]["prediction_id"]
    assert real_stores.times_logged([identifier]) == {identifier: 1}


BAD = {
    "no inputs": {"inputs": []},
    "unknown datatype": {"inputs": [{"name": "input", "shape": [1, 1], "datatype": "BYTES", "data": ["a"]}]},
    "text": {"inputs": [{"name": "input", "shape": [1, 1], "datatype": "FP64", "data": ["a"]}]},
    "too few elements": {"inputs": [{"name": "input", "shape": [2, 1], "datatype": "FP64", "data": [1]}]},
    "negative shape": {"inputs": [{"name": "input", "shape": [-1, 1], "datatype": "FP64", "data": [1]}]},
    "huge shape": {"inputs": [{"name": "input", "shape": [2**62, 8], "datatype": "FP64", "data": [1]}]},
    "three axes": {"inputs": [{"name": "input", "shape": [1, 1, 1], "datatype": "FP64", "data": [1]}]},
    "no shape": {"inputs": [{"name": "input", "datatype": "FP64", "data": [1]}]},
    "binary that is not there": {
        "inputs": [
            {"name": "input", "shape": [1, 1], "datatype": "FP64", "parameters": {"binary_data_size": 8}}
        ]
    },
    "odd binary size": {
        "inputs": [
            {"name": "input", "shape": [1, 1], "datatype": "FP64", "parameters": {"binary_data_size": "8"}}
        ]
    },
    "two inputs of a name": {"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}] * 2},
    "unknown output": {
        "inputs": [{"name": "input", "shape": [1, 1], "datatype": "FP64", "data": [1]}],
        "outputs": [{"name": "nothing"}],
    },
    "huge number": {"inputs": [{"name": "input", "shape": [1, 1], "datatype": "FP64", "data": [10**400]}]},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_requests_are_told_what_was_expected(server: ServingProcess, name: str) -> None:
    body = json.dumps(BAD[name])

    answer = server.client.post("/v2/models/model/infer", content=body)

    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json()["error"], str)


@pytest.mark.parametrize("header", ["-1", "99999", "x", "1.5"])
def test_a_wrong_header_length_is_refused(server: ServingProcess, header: str) -> None:
    headers = {"Inference-Header-Content-Length": header}

    answer = server.client.post("/v2/models/model/infer", content=b"{}", headers=headers)

    assert answer.status_code == 400
