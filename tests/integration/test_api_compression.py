"""Bodies in gzip and deflate, on every route that takes one, and answers by Accept-Encoding."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.raw_http import Response, connected, request
from tests.harness.processes.serving import ServingProcess, publish_line

CODINGS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
ROWS = {"instances": [[1.0], [2.0], [3.0]]}
TENSOR = {"inputs": [{"name": "input", "shape": [3, 1], "datatype": "FP64", "data": [1, 2, 3]}]}
ROUTES = {
    "/predict": ROWS,
    "/v1/models/model:predict": ROWS,
    "/v2/models/model/infer": TENSOR,
    "/invocations": ROWS,
}
MANY = json.dumps({"instances": [[number] for number in range(10_000)]}).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve one model."""
    root: Path = tmp_path_factory.mktemp("compressed")
    publish_line(root / "models", 2.0)
    with undisturbed(root / "models", root / "log", real_stores) as process:
        yield process


def post(
    server: ServingProcess, body: bytes, coding: str, path: str = "/predict", accept: str = "identity"
) -> httpx.Response:
    headers = {"content-type": "application/json", "content-encoding": coding, "accept-encoding": accept}
    return server.client.post(path, content=body, headers=headers)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("coding", CODINGS)
def test_a_compressed_body_has_the_answer_of_the_plain_one(
    server: ServingProcess, path: str, coding: str
) -> None:
    plain = server.client.post(path, json=ROUTES[path])

    answer = post(server, CODINGS[coding](json.dumps(ROUTES[path]).encode()), coding, path)

    assert answer.status_code == plain.status_code == 200, answer.text
    keys = {"predictions", "outputs"} & set(plain.json())
    assert keys
    assert all(answer.json()[key] == plain.json()[key] for key in keys)


@pytest.mark.parametrize("coding", CODINGS)
def test_feedback_may_be_compressed_too(server: ServingProcess, coding: str) -> None:
    prediction = server.predict(ROWS).json()["id"]
    body = json.dumps({"id": prediction, "actual": [3.0, 5.0, 7.0]}).encode()

    answer = post(server, CODINGS[coding](body), coding, "/feedback")

    assert (answer.status_code, answer.json()["accepted"]) == (200, 1), answer.text


@pytest.mark.parametrize("path", ROUTES)
def test_an_unknown_coding_is_told_the_known_ones(server: ServingProcess, path: str) -> None:
    """Even on a short body that would be answered, were it not for the header."""
    for coding in ("br", "gzip, gzip", "zstd", "gzip;q=1", "x" * 5000):
        answer = post(server, json.dumps(ROUTES[path]).encode(), coding, path)

        assert answer.status_code == 415, coding
        assert answer.headers["accept-encoding"] == "gzip, deflate"
        assert "gzip, deflate" in answer.text


def damaged(whole: bytes) -> dict[str, bytes]:
    return {
        "empty": b"",
        "not compressed": json.dumps(ROWS).encode(),
        "cut off": whole[:-5],
        "a changed byte": whole[:12] + bytes([whole[12] ^ 0xFF]) + whole[13:],
        "a wrong checksum": whole[:-1] + bytes([whole[-1] ^ 1]),
        "something after the end": whole + b"x",
        "two streams": whole * 2,
    }


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("damage", damaged(b"\0" * 20))
def test_a_damaged_stream_is_refused(server: ServingProcess, coding: str, damage: str) -> None:
    body = damaged(CODINGS[coding](json.dumps(ROWS).encode()))[damage]

    answer = post(server, body, coding)

    assert answer.status_code == 400, answer.text
    assert coding in answer.json()["detail"]


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_may_come_byte_by_byte(server: ServingProcess, coding: str) -> None:
    body = CODINGS[coding](json.dumps(ROWS).encode())
    pieces = (body[place : place + 1] for place in range(len(body)))
    headers = {"content-type": "application/json", "content-encoding": coding}

    answer = server.client.post("/predict", content=pieces, headers=headers)

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("size", "status"), [(1 << 20, 200), ((1 << 20) + 1, 413)])
@pytest.mark.parametrize("coding", CODINGS)
def test_the_limit_is_on_what_it_decompresses_to(
    server: ServingProcess, coding: str, size: int, status: int
) -> None:
    answer = post(server, CODINGS[coding](json.dumps(ROWS).encode().ljust(size)), coding)

    assert answer.status_code == status, answer.text


def raw_answer(server: ServingProcess, accept: str, body: bytes = MANY) -> Response:
    """Return the answer as it came, not decompressed."""
    lines = ("Content-Type: application/json", f"Accept-Encoding: {accept}")
    with connected(server.port) as connection:
        return connection.ask(request(body, *lines))


DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "deflate": zlib.decompress}


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("deflate, GZIP;q=0.5", "gzip"),
        ("gzip;q=0, deflate", "deflate"),
        ("br, *;q=0.1", "gzip"),
    ],
)
def test_a_long_answer_is_compressed_as_the_client_accepts(
    server: ServingProcess, accept: str, coding: str
) -> None:
    plain = raw_answer(server, "identity")

    answer = raw_answer(server, accept)

    assert answer.header("content-encoding") == coding
    assert answer.header("vary") == "accept-encoding"
    assert len(answer.content) < len(plain.content) / 2
    content = json.loads(DECOMPRESS[coding](answer.content))
    assert content["predictions"] == plain.body["predictions"]


@pytest.mark.parametrize("accept", ["", "br", "gzip;q=0", "gzip;q=x, identity", "*;q=0"])
def test_others_get_it_as_it_is(server: ServingProcess, accept: str) -> None:
    answer = raw_answer(server, accept)

    assert answer.header("content-encoding") is None
    assert len(answer.body["predictions"]) == 10_000


def test_a_short_answer_is_not_compressed(server: ServingProcess) -> None:
    answer = raw_answer(server, "gzip", json.dumps({"instances": [[n] for n in range(100)]}).encode())

    assert answer.header("content-encoding") is None
    assert len(answer.body["predictions"]) == 100


@pytest.mark.filterwarnings("default")  # the client's own imports warn
@pytest.mark.parametrize("sent", [None, "gzip", "deflate"])
@pytest.mark.parametrize("wanted", [None, "gzip", "deflate"])
def test_triton_compresses_both_ways(server: ServingProcess, sent: str | None, wanted: str | None) -> None:
    import tritonclient.http as client  # noqa: PLC0415 - patches the process' sockets with gevent's

    values = np.arange(4000, dtype=np.float64).reshape(-1, 1)
    tensor = client.InferInput("input", list(values.shape), "FP64")
    tensor.set_data_from_numpy(values)
    triton: Any = client.InferenceServerClient(f"127.0.0.1:{server.port}")

    result = triton.infer(
        "model", [tensor], request_compression_algorithm=sent, response_compression_algorithm=wanted
    )
    triton.close()

    body = {"instances": values.tolist()}
    assert result.as_numpy("predictions").tolist() == server.predict(body).json()["predictions"]
