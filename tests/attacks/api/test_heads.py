"""Heads of requests that never end, trailers, pipelines: each connection may make the api hold little."""

from __future__ import annotations

import socket

import pytest

from tests.harness.processes.crowd import resident
from tests.harness.processes.raw_http import RawConnection, connected, request
from tests.harness.processes.serving import ServingProcess

START = b"POST /predict HTTP/1.1\r\nHost: t\r\n"
CHUNKED = START + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
ENDLESS = {
    "one header": START + b"X: ",
    "a name": START,
    "a path": b"GET /",
    "a method": b"GET /predict HTTP/1.1\r\nX: ",
    "a trailer": CHUNKED + b"X: ",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_refused_after_a_few_kilobytes(api: ServingProcess, name: str) -> None:
    before = resident(api.process.pid)

    with connected(api.port) as connection:
        sent = flood(connection, ENDLESS[name], b"a" * 65_536)

    assert sent < 64 << 20
    assert resident(api.process.pid) < before + (32 << 20)


@pytest.mark.parametrize("head", [START, CHUNKED], ids=["headers", "trailers"])
def test_headers_without_number_are_refused(api: ServingProcess, head: bytes) -> None:
    with connected(api.port) as connection:
        sent = flood(connection, head, b"a: b\r\n" * 10_000)

    assert sent < 64 << 20


def flood(connection: RawConnection, start: bytes, more: bytes) -> int:
    """Send more and more until the server ends the connection; return how much, at most 64 MiB."""
    sent = 0
    try:
        connection.send(start)
        while sent < 64 << 20:
            connection.send(more)
            sent += len(more)
    except OSError:
        pass
    return sent


def test_a_head_that_is_too_long_is_told_so(api: ServingProcess) -> None:
    with connected(api.port) as connection:
        connection.send_pieces(START + b"X: " + b"a" * 40_000, b"a" * 40_000)
        answer = connection.receive()

        assert (answer.status, answer.header("content-type")) == (431, "application/problem+json")
        assert connection.is_closed()


def test_a_long_pipeline_ends_the_connection_and_nothing_else(api: ServingProcess) -> None:
    """Each request that waits costs the api three kilobytes, and its client forty bytes."""
    before = resident(api.process.pid)

    for _ in range(20):
        with socket.create_connection(("127.0.0.1", api.port)) as connection:
            connection.settimeout(0.5)
            try:
                connection.sendall(b"GET /v2 HTTP/1.1\r\nHost: t\r\n\r\n" * 6000)
            except OSError:
                continue

    assert resident(api.process.pid) < before + (48 << 20)


def test_what_is_no_http_is_a_problem(api: ServingProcess) -> None:
    for sent in (
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"PUT * HTTP/9.9\r\n\r\n",
    ):
        with connected(api.port) as connection:
            answer = connection.ask(sent)
            assert (answer.status, answer.header("content-type")) == (400, "application/problem+json")
            assert answer.body["request_id"] == answer.header("x-request-id")


def test_a_path_that_only_looks_long_is_answered(api: ServingProcess) -> None:
    with connected(api.port) as connection:
        assert connection.ask(request({"values": [1]}, path="/predict?" + "a" * 20_000)).status == 200
