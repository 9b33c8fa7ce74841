"""Every bad request to the api: a problem that says what was expected, never 5xx, and nothing is logged."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness.bad_inputs import BAD_INPUTS, BadInput
from tests.harness.processes.inference import Stores, inference
from tests.harness.processes.serving import ServingProcess, publish_line


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve one model."""
    root: Path = tmp_path_factory.mktemp("bad")
    publish_line(root / "models", 2.0)
    with inference(root / "models", root / "log", real_stores) as process:
        yield process


def assert_problem(answer: httpx.Response, status: int) -> str:
    """Assert that the answer is problem+json with this status; return its detail."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert isinstance(problem["detail"], str)
    return str(problem["detail"])


@pytest.mark.parametrize("bad", BAD_INPUTS, ids=lambda bad: bad.name)
def test_a_bad_request_gets_the_status_it_deserves(server: ServingProcess, bad: BadInput) -> None:
    """Every case of the table that both servers share."""
    headers = {} if bad.content_type is None else {"content-type": bad.content_type}

    answer = server.client.post("/predict", content=bad.body, headers=headers)

    assert bad.expects in assert_problem(answer, bad.status).lower()


@pytest.mark.parametrize("size", [1_048_577, 10_000_000])
def test_a_chunked_body_over_the_limit_is_refused(server: ServingProcess, size: int) -> None:
    """A chunked body declares no length, so it must be counted."""
    chunks = (b" " * 65_536 for _ in range(size // 65_536 + 1))

    answer = server.client.post("/predict", content=chunks, headers={"content-type": "application/json"})

    assert_problem(answer, 413)


def test_a_chunked_body_within_the_limit_is_answered(server: ServingProcess) -> None:
    """Chunks may end anywhere, even within a number."""
    chunks = iter([b'{"val', b'ues": [1', b"0]}"])

    answer = server.client.post("/predict", content=chunks, headers={"content-type": "application/json"})

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/predict/", 404),
        ("GET", "/%00%ff", 404),
        ("GET", "/data/../../etc/passwd", 404),
        ("GET", "/predict", 405),
        ("DELETE", "/predict", 405),
        ("POST", "/health", 405),
        ("TRACE", "/", 405),
    ],
)
def test_a_wrong_address_or_method_is_a_problem_too(
    server: ServingProcess, method: str, path: str, status: int
) -> None:
    """404 and 405 look like every other problem."""
    answer = server.client.request(method, path)

    assert_problem(answer, status)


@pytest.mark.parametrize("name", ["<script>", "a b", "x" * 65, "ünsafe", '"', "a;b"])
def test_a_request_id_that_is_not_fit_for_a_log_line_is_replaced(server: ServingProcess, name: str) -> None:
    """A valid one is kept, so that the client's logs and ours can be joined."""
    body = {"values": [5]}

    kept = server.client.post("/predict", json=body, headers={"x-request-id": "abc-DEF_1.2"})
    replaced = server.client.post("/predict", json=body, headers={b"x-request-id": name.encode()})

    assert kept.headers["x-request-id"] == "abc-DEF_1.2"
    assert len(replaced.headers["x-request-id"]) == 32


# Refused below our code, where uvicorn speaks plain text; nginx in front answers these with a problem itself.
RAW_REQUESTS = {
    "body shorter than declared": (b"Content-Length: 500", b'{"values": [5]}'),
    "negative length": (b"Content-Length: -5", b""),
    "length that is no number": (b"Content-Length: many", b""),
    "two lengths": (b"Content-Length: 15\r\nContent-Length: 16", b'{"values": [5]}'),
    "length and chunks": (b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "chunk size that is no number": (b"Transfer-Encoding: chunked", b"xyz\r\n{}\r\n0\r\n\r\n"),
    "chunk cut off": (b"Transfer-Encoding: chunked", b'ff\r\n{"values"'),
    "header without a colon": (b"nonsense", b""),
}


@pytest.mark.parametrize("name", RAW_REQUESTS)
def test_a_request_that_lies_about_itself_is_never_a_server_error(server: ServingProcess, name: str) -> None:
    """The client closes its side of the connection before the body is complete."""
    headers, body = RAW_REQUESTS[name]
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head + headers + b"\r\n\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer == b"" or answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 422 ")), answer[:300]


def test_the_server_is_unharmed_afterwards(server: ServingProcess, real_stores: Stores) -> None:
    """It still answers; it logged nothing but JSON, no error, and no row for what it refused."""
    answered = server.metric('http_requests_total{method="POST",route="/predict",status="200"}')

    answer = server.client.post("/predict", json={"values": [5]})

    assert answer.status_code == 200
    assert not [line for line in server.log_lines() if line["level"] == "error"]
    assert server.metric("http_requests_in_flight") == 1  # the scrape itself
    assert real_stores.sql("SELECT count(*) FROM predictions") == [(answered + 1,)]
