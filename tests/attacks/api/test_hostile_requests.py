"""Single requests that once killed the api or made it answer 500."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness.processes.raw_http import connected
from tests.harness.processes.serving import ServingProcess

INFER = "/v2/models/model/infer"
LENGTH = "Inference-Header-Content-Length"


def tensor(rows: int = 1, **members: Any) -> dict[str, Any]:
    """Return an input of that many rows, with other members."""
    return {"name": "input", "shape": [rows, 1], "datatype": "FP64", "data": [1] * rows} | members


def test_one_output_may_not_be_asked_for_many_times(api: ServingProcess) -> None:
    """62 kB of request would have become 1.3 GB of answer."""
    body = {"inputs": [tensor(10_000)], "outputs": [{"name": "intervals"}] * 2000}

    answer = api.client.post(INFER, json=body)

    assert (answer.status_code, "once" in answer.json()["error"]) == (400, True)
    assert api.metric("process_resident_memory_bytes") < 300e6


@pytest.mark.parametrize("length", ["1" * 5000, "0" * 5000, "9" * 20, "٣", "+1", "1_0", "0x1"])
def test_a_length_that_is_no_length_is_refused(api: ServingProcess, length: str) -> None:
    answer = api.client.post(INFER, json={"inputs": [tensor()]}, headers=[(LENGTH.encode(), length.encode())])

    assert 400 <= answer.status_code < 500


SHAPES = [
    [0, 2**63 - 1], [0, 2**64], [2**63 - 1, 2**63 - 1], [0], [0, 0], [2**200, 0], [-1], [1, -1], [0, 1],
    [1, 0],
    [2**31, 2**31], [10**300, 10**300],
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("data", [[], [1]], ids=["empty", "one"])
def test_a_shape_that_the_data_do_not_have_is_refused(
    api: ServingProcess, shape: list[int], data: list[float]
) -> None:
    answer = api.client.post(INFER, json={"inputs": [tensor(shape=shape, data=data)]})
    binary = api.client.post(
        INFER, json={"inputs": [tensor(shape=shape, data=None, parameters={"binary_data_size": 0})]}
    )

    assert (answer.status_code, binary.status_code) == (400, 400)


PATHS = ["/predict%0a", "/health%0a", "/metrics%0a", "/%0a", "/livez%0d", "/jobs%0a", "/v2%0a", "/predict%00",
         "/predict%0a%0a", "/%ff%0a", "/docs%0a"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("name", ["api", "flask"])
def test_a_path_with_a_control_character_is_nowhere(
    request: pytest.FixtureRequest, name: str, path: str, method: str
) -> None:
    """`$` of a route's pattern also matches before a last line feed."""
    server: ServingProcess = request.getfixturevalue(name)
    with connected(server.port) as connection:
        answer = connection.ask(f"{method} {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n".encode())

    assert answer.status == 404
    assert b"status" in answer.content or b"error" in answer.content


ODD_PARAMETERS: list[Any] = [[], {"binary_data_size": 1e300}, 5]


def test_unusual_json_is_a_problem(api: ServingProcess) -> None:
    """In the protocol's own members, too."""
    odd = [
        "null",
        '{"inputs": null}',
        '{"inputs": [null]}',
        '{"inputs": [{"name": "\\ud800"}]}',
        "[" * 50_000,
    ]
    odd += [
        json.dumps({"inputs": [tensor(), tensor() | extra]}) for extra in ({"name": None}, {"shape": [1.5]})
    ]
    odd += [json.dumps({"inputs": [tensor(parameters=p)]}) for p in ODD_PARAMETERS]
    odd += [json.dumps({"inputs": [tensor(parameters={"binary_data_size": True})]})]
    odd += ['{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1e400]}]}']

    statuses = [api.client.post(INFER, content=body.encode()).status_code for body in odd]

    assert all(400 <= status < 500 for status in statuses), statuses
