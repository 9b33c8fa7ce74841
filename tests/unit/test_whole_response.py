"""Flask's answers leave in one system call: a replica that is killed leaves no head without a body."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from mlstack.serving.whole_response import WholeResponse


class Wire:
    """Keeps what is sent by each call."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Keep it."""
        self.calls.append(data)


def _sent(parts: list[bytes], headers: list[tuple[str, str]], method: str = "POST") -> list[bytes]:
    request = SimpleNamespace(method=method, version=(1, 1), should_close=lambda: False)
    wire = Wire()
    response = WholeResponse(request, wire, Config())
    response.start_response("200 OK", headers)
    for part in parts:
        response.write(part)
    response.close()
    return wire.calls


def test_head_and_body_are_one_call() -> None:
    (whole,) = _sent([b'{"predictions": [11.0]}'], [("Content-Length", "23"), ("X-Request-ID", "abc")])

    head, _, body = whole.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nX-Request-ID: abc" in head
    assert body == b'{"predictions": [11.0]}'


def test_further_parts_follow_without_another_head() -> None:
    first, second = _sent([b"ab", b"cd"], [("Content-Length", "4")])

    assert first.endswith(b"\r\n\r\nab")
    assert second == b"cd"


@pytest.mark.parametrize(
    ("parts", "length", "method"), [([], "0", "GET"), ([b""], "0", "GET"), ([b"ab"], "2", "HEAD")]
)
def test_a_head_without_a_body_is_sent(parts: list[bytes], length: str, method: str) -> None:
    (head,) = _sent(parts, [("Content-Length", length)], method)

    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"HTTP/1.1 200 OK") == 1


def test_a_body_of_unknown_length_is_sent_in_chunks() -> None:
    sent = b"".join(_sent([b"ab", b"cde"], []))

    head, _, body = sent.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert body == b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
