"""Every bad request to the Flask server: a problem that says what was expected, never 5xx."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.harness.bad_inputs import BAD_INPUTS, BadInput
from tests.harness.processes.serving import ServingProcess, publish_line, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingProcess]:
    """Serve one model, with no database: none of these requests needs one."""
    root: Path = tmp_path_factory.mktemp("bad")
    publish_line(root / "models", 2.0)
    with serving(root / "models", root / "log") as process:
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


@pytest.mark.parametrize(("path", "status"), [("/predict", 413), ("/health", 405), ("/nothing", 404)])
def test_a_connection_survives_a_refused_body(server: ServingProcess, path: str, status: int) -> None:
    """The rest of the body is discarded, so a keep-alive connection stays open."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        for _ in range(3):
            connection.request("POST", path, b"5" * 10_000_000, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            assert answer.status == status
            assert answer.headers["Connection"] == "keep-alive"
            answer.read()


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


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "99999999999", "ten", "1.5", "", "1e1", "٣", "NaN"])
def test_a_sample_has_1_to_1000_rows(server: ServingProcess, limit: str) -> None:
    """The limit is checked before the database is asked."""
    answer = server.client.get("/data/sample", params={"limit": limit})

    assert "1 to 1000" in assert_problem(answer, 422)


RAW_REQUESTS = {
    "body shorter than declared": (b"Content-Length: 500", b'{"values": [5]}', 400),
    "negative length": (b"Content-Length: -5", b"", 400),
    "length that is no number": (b"Content-Length: many", b"", 400),
    "two lengths": (b"Content-Length: 15\r\nContent-Length: 16", b'{"values": [5]}', 400),
    "length and chunks": (b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", 400),
    "chunk size that is no number": (b"Transfer-Encoding: chunked", b"xyz\r\n{}\r\n0\r\n\r\n", 400),
    "chunk cut off": (b"Transfer-Encoding: chunked", b'ff\r\n{"values"', 400),
    "unknown transfer coding": (b"Transfer-Encoding: tar", b"", 400),
    "header without a colon": (b"nonsense", b"", 400),
    "huge header": (b"X-Large: " + b"x" * 100_000, b"", 431),
}


@pytest.mark.parametrize("name", RAW_REQUESTS)
def test_a_request_that_lies_about_itself_is_a_problem_too(server: ServingProcess, name: str) -> None:
    """The client closes its side of the connection before the body is complete."""
    headers, body, status = RAW_REQUESTS[name]
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head + headers + b"\r\n\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:300]
    assert b"application/problem+json" in answer
    assert b'"request_id"' in answer


def test_the_server_is_unharmed_afterwards(server: ServingProcess) -> None:
    """It still answers, logged nothing but JSON, and no request failed inside."""
    answer = server.predict({"values": [5]})

    assert answer.status_code == 200
    assert not [line for line in server.log_lines() if line["level"] == "error"]
    assert server.metric("http_requests_in_flight") == 1  # the scrape itself


def test_a_head_that_is_refused_does_not_reset_a_client_that_is_still_sending(server: ServingProcess) -> None:
    """Which nginx would take for a failed replica: it would ask the next one, and answer 503."""
    head = b"POST /predict?" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as connection:
        connection.sendall(head)
        connection.recv(1, socket.MSG_PEEK)  # it has answered

        for _ in range(9):
            connection.sendall(b"5" * 100_000)

        answer = http.client.HTTPResponse(connection)
        answer.begin()
    assert answer.status == 414
