"""The Open Inference Protocol for models of mixed columns and for classifiers, with its public clients."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from mlstack.registry.store import ModelStore
from tests.harness.mixed_models import (
    PASSENGER_ROW,
    publish_flowers,
    publish_houses,
    publish_passengers,
)
from tests.harness.mixed_tensors import DATATYPES, ROWS, WRONG, column, tensors
from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.serving import ServingProcess

# The clients' own imports warn of things that are not ours.
pytestmark = pytest.mark.filterwarnings("default")
PASSENGERS, FLOWERS, NUMBERS, HOUSES = 1, 2, 3, 4  # versions


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve four models by their versions; the current one has mixed columns."""
    root: Path = tmp_path_factory.mktemp("v2-mixed")
    store = ModelStore(root / "models")
    assert (publish_passengers(store), publish_flowers(store)) == (PASSENGERS, FLOWERS)
    assert (publish_flowers(store, (1, 2, 30)), publish_houses(store)) == (NUMBERS, HOUSES)
    with undisturbed(store.root, root / "log", real_stores) as process:
        yield process


@pytest.fixture
def triton(server: ServingProcess) -> Iterator[Any]:
    """tritonclient as its documentation shows it."""
    import tritonclient.http as client  # noqa: PLC0415 - patches the process' sockets with gevent's

    made = client.InferenceServerClient(f"127.0.0.1:{server.port}")
    yield made
    made.close()


def arrays() -> dict[str, np.ndarray[Any, Any]]:
    """Return the rows as NumPy has them: NULL is NaN."""
    return {
        "area": np.array(column("area"), dtype=np.float64),
        "city": np.array([text.encode() for text in column("city")], dtype=np.object_),
        "rooms": np.array(column("rooms"), dtype=np.float64),
        "garden": np.array(column("garden"), dtype=bool),
    }


def predicted(server: ServingProcess, version: int, rows: object) -> dict[str, Any]:
    answer = server.predict({"instances": rows, "model_version": version})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def infer(server: ServingProcess, version: int, inputs: list[dict[str, Any]]) -> httpx.Response:
    return server.client.post(f"/v2/models/model/versions/{version}/infer", json={"inputs": inputs})


def test_the_metadata_list_the_models_columns(triton: Any) -> None:
    described = triton.get_model_metadata("model", str(HOUSES))

    assert described["inputs"] == [
        {"name": name, "datatype": datatype, "shape": [-1]} for name, datatype in DATATYPES.items()
    ]
    assert {output["name"]: (output["datatype"], output["shape"]) for output in described["outputs"]} == {
        "predictions": ("FP64", [-1]),
        "intervals": ("FP64", [-1, 2]),
        "confidence": ("FP64", [-1]),
        "unseen": ("BOOL", [-1, 4]),
    }


@pytest.mark.parametrize(
    ("version", "datatype", "classes", "more"),
    [
        (PASSENGERS, "BOOL", "[false,true]", {"unseen"}),
        (FLOWERS, "BYTES", '["iris","lily","rose"]', set()),
        (NUMBERS, "INT64", "[1,2,30]", set()),
    ],
)
def test_the_metadata_list_a_classifiers_outputs(
    triton: Any, version: int, datatype: str, classes: str, more: set[str]
) -> None:
    described = triton.get_model_metadata("model", str(version))

    outputs = {output["name"]: (output["datatype"], output["shape"]) for output in described["outputs"]}
    count = classes.count(",") + 1
    assert outputs["predictions"] == (datatype, [-1])
    assert outputs["probabilities"] == ("FP64", [-1, count])
    assert outputs["prediction_sets"] == ("BOOL", [-1, count])
    assert set(outputs) == {"predictions", "probabilities", "prediction_sets", "confidence"} | more
    assert described["properties"] == {"classes": classes}


@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_triton_predicts_from_a_tensor_for_each_column(
    triton: Any, server: ServingProcess, binary_out: bool, shape: list[int]
) -> None:
    import tritonclient.http as client  # noqa: PLC0415

    inputs = []
    for name, array in arrays().items():
        tensor = client.InferInput(name, shape, DATATYPES[name])
        inputs.append(tensor.set_data_from_numpy(array.reshape(shape)))
    names = ("predictions", "unseen")
    wanted = [client.InferRequestedOutput(name, binary_data=binary_out) for name in names]

    result = triton.infer("model", inputs, model_version=str(HOUSES), outputs=wanted)

    expected = predicted(server, HOUSES, ROWS)
    assert result.as_numpy("predictions").tolist() == expected["predictions"]
    assert result.as_numpy("unseen").tolist() == [[False] * 4, [False, True, False, False]]


@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize(("version", "kind"), [(FLOWERS, bytes), (NUMBERS, int)])
def test_triton_gets_classes_and_their_probabilities(
    triton: Any, server: ServingProcess, binary_out: bool, version: int, kind: type
) -> None:
    import tritonclient.http as client  # noqa: PLC0415

    rows = [[1.0, 2.0], [7.0, 7.5], [4.0, 4.0]]
    tensor = client.InferInput("input", [3, 2], "FP64")
    tensor.set_data_from_numpy(np.array(rows))
    names = ("predictions", "probabilities", "prediction_sets", "confidence")
    wanted = [client.InferRequestedOutput(name, binary_data=binary_out) for name in names]

    result = triton.infer("model", [tensor], model_version=str(version), outputs=wanted)

    expected = predicted(server, version, rows)
    classes = list(expected["probabilities"][0])
    labels = result.as_numpy("predictions").tolist()
    texts = [label.decode() if isinstance(label, bytes) else str(label) for label in labels]
    assert texts == [str(label) for label in expected["predictions"]]
    assert not binary_out or isinstance(labels[0], kind)
    probabilities = [list(row.values()) for row in expected["probabilities"]]
    assert result.as_numpy("probabilities").tolist() == probabilities
    assert result.as_numpy("prediction_sets").tolist() == [
        [name in map(str, found) for name in classes] for found in expected["prediction_sets"]
    ]
    assert result.as_numpy("confidence").tolist() == expected["confidence"]


@pytest.mark.parametrize("binary", [True, False])
def test_kserve_predicts_from_a_tensor_for_each_column(server: ServingProcess, binary: bool) -> None:
    from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig  # noqa: PLC0415

    async def ask() -> Any:
        client = InferenceRESTClient(RESTConfig(protocol="v2"))
        inputs = []
        for name, array in arrays().items():
            if not binary and name == "rooms":  # JSON has no NaN
                inputs.append(InferInput(name, [2], "FP64", data=column(name)))
                continue
            inputs.append(InferInput(name, [2], DATATYPES[name]))
            inputs[-1].set_data_from_numpy(array, binary_data=binary)
        try:
            base = f"http://127.0.0.1:{server.port}"
            return await client.infer(base, InferRequest("model", inputs), model_name="model")
        finally:
            await client.close()

    result = asyncio.run(ask())

    outputs = {output.name: output.data for output in result.outputs}
    assert outputs["predictions"] == predicted(server, HOUSES, ROWS)["predictions"]


def test_null_in_json_is_null(server: ServingProcess) -> None:
    names = {"fare": "FP32", "port": "BYTES", "alone": "BOOL"}
    inputs = [
        {"name": name, "shape": [1, 1], "datatype": datatype, "data": [[PASSENGER_ROW[name]]]}
        for name, datatype in names.items()
    ]

    answer = infer(server, PASSENGERS, inputs)

    assert PASSENGER_ROW["port"] is None
    assert answer.status_code == 200, answer.text
    expected = predicted(server, PASSENGERS, [PASSENGER_ROW])
    assert answer.json()["outputs"][0]["data"] == expected["predictions"]


def test_the_log_has_the_rows_as_they_were_sent(server: ServingProcess, real_stores: Stores) -> None:
    answer = infer(server, HOUSES, tensors()).json()

    identifier = answer["parameters"]["prediction_id"]
    ((logged,),) = real_stores.sql("SELECT input_data FROM predictions WHERE id = %s", identifier)
    assert logged == [list(row.values()) for row in ROWS]


@pytest.mark.parametrize("name", WRONG)
def test_an_error_names_the_column(server: ServingProcess, name: str) -> None:
    inputs, expected = WRONG[name]

    answer = infer(server, HOUSES, inputs)

    assert answer.status_code == 400, answer.text
    assert expected in answer.json()["error"]
