"""Byte for byte what an attacker sends to the front door, and every response that comes back."""

from __future__ import annotations

import ssl

import httpx

from tests.harness.processes.raw_http import Response, connected

PROBLEM = "application/problem+json"
HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
LAST = b"GET /livez HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"  # its answer ends the connection


def prediction(body: bytes = b'{"values": [5]}', headers: bytes = b"") -> bytes:
    """Return a well-formed POST /predict."""
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST /predict HTTP/1.1\r\n" + HOST + JSON + length + headers + b"\r\n" + body


def exchange(port: int, data: bytes, tls: ssl.SSLContext | None = None) -> list[Response]:
    """Send `data` on a new connection; return all responses up to its end, which `data` must bring about."""
    with connected(port, tls) as connection:
        connection.send(data)
        return connection.receive_all()


def ask(port: int, data: bytes, tls: ssl.SSLContext | None = None) -> Response:
    """Send `data` on a new connection; return the first response."""
    with connected(port, tls) as connection:
        return connection.ask(data)


def assert_problem(answer: Response | httpx.Response, status: int) -> str:
    """Assert that an answer is problem+json with this status and a request id; return its detail."""
    if isinstance(answer, httpx.Response):
        answer = Response(answer.status_code, [*answer.headers.items()], answer.content)
    assert (answer.status, answer.header("content-type")) == (status, PROBLEM), answer
    problem = answer.body
    assert set(problem) == {"type", "title", "status", "detail", "request_id"}
    assert problem["status"] == status
    assert problem["request_id"] == answer.header("x-request-id")
    assert isinstance(problem["detail"], str)
    assert problem["detail"]
    return str(problem["detail"])
