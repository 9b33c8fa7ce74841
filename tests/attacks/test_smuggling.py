"""No request hides in another: what nginx takes for one request is one to the server behind it.

Each attack sends an ambiguous request whose rest is a prediction of its own, then a harmless request. If the
rest were read as a request, there would be one answer too many, the harmless request would get the wrong one,
or the log would have a row that was never answered.
"""

from __future__ import annotations

import pytest

from tests.harness.attacks.aftermath import Aftermath
from tests.harness.attacks.exchanges import HOST, JSON, LAST, assert_problem, exchange, prediction
from tests.harness.processes.raw_http import Response
from tests.harness.stack.compose import Stack

pytestmark = pytest.mark.usefixtures("aftermath")

SECRET = b'{"values": [66.6]}'
SMUGGLED = prediction(SECRET)
_HEAD = b"POST /predict HTTP/1.1\r\n" + HOST + JSON
_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_LENGTH = b"Content-Length: %d\r\n"

REFUSED = {  # and the connection is closed, so that nothing after it is read
    "CL.TE": _HEAD + _LENGTH % (5 + len(SMUGGLED)) + _CHUNKED + b"\r\n0\r\n\r\n" + SMUGGLED,
    "TE.CL": _HEAD
    + _CHUNKED
    + b"Content-Length: 4\r\n\r\n%x\r\n" % len(SMUGGLED)
    + SMUGGLED
    + b"\r\n0\r\n\r\n",
    "TE.TE": _HEAD + _CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "TE twice": _HEAD + _CHUNKED + _CHUNKED + b"\r\n0\r\n\r\n" + SMUGGLED,
    "TE of two codings": _HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "TE with a space before the colon": _HEAD
    + b"Transfer-Encoding : chunked\r\n"
    + _LENGTH % 5
    + b"\r\n0\r\n\r\n"
    + SMUGGLED,
    "TE with a tab": _HEAD + b"Transfer-Encoding:\tchunked\r\n" + _LENGTH % 5 + b"\r\n0\r\n\r\n" + SMUGGLED,
    "TE with a vertical tab": _HEAD
    + b"Transfer-Encoding: \x0bchunked\r\n"
    + _LENGTH % 5
    + b"\r\n0\r\n\r\n"
    + SMUGGLED,
    "TE folded": _HEAD + b"Transfer-Encoding:\r\n chunked\r\n" + _LENGTH % 5 + b"\r\n0\r\n\r\n" + SMUGGLED,
    "two equal lengths": _HEAD + (_LENGTH % 0) * 2 + b"\r\n" + SMUGGLED,
    "two lengths": _HEAD + _LENGTH % 0 + _LENGTH % len(SMUGGLED) + b"\r\n" + SMUGGLED,
    "two lengths in one line": _HEAD + b"Content-Length: 0, 5\r\n\r\n" + SMUGGLED,
    "signed length": _HEAD + b"Content-Length: +0\r\n\r\n" + SMUGGLED,
    "hexadecimal length": _HEAD + b"Content-Length: 0x0\r\n\r\n" + SMUGGLED,
    "folded header": _HEAD + b"X: a\r\n b\r\n" + _LENGTH % 0 + b"\r\n" + SMUGGLED,
    "chunk size that overflows": _HEAD + _CHUNKED + b"\r\n" + b"f" * 17 + b"0\r\n" + SMUGGLED,
    "negative chunk size": _HEAD + _CHUNKED + b"\r\n-1\r\n" + SMUGGLED,
    "chunk longer than its size": _HEAD + _CHUNKED + b"\r\n1\r\nab\r\n0\r\n\r\n" + SMUGGLED,
    "chunked in HTTP/1.0": _HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + _CHUNKED + b"\r\n0\r\n\r\n" + SMUGGLED,
    "carriage return alone": _HEAD + b"X: a\rContent-Length: 0\r\n\r\n" + SMUGGLED,
    "zero byte in the length": _HEAD + b"Content-Length: 0\0\r\n\r\n" + SMUGGLED,
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_ambiguous_length_ends_the_connection(port: int, name: str) -> None:
    answers = exchange(port, REFUSED[name] + LAST)

    assert len(answers) == 1
    assert answers[0].status in {400, 501}
    assert_problem(answers[0], answers[0].status)


ONE_REQUEST = {  # unusual, and allowed: the body is the smuggled bytes, which are no JSON
    "the length of a GET": b"GET /livez HTTP/1.1\r\n" + HOST + _LENGTH % len(SMUGGLED) + b"\r\n" + SMUGGLED,
    "absolute form": b"GET http://other/livez HTTP/1.1\r\n"
    + HOST
    + _LENGTH % len(SMUGGLED)
    + b"\r\n"
    + SMUGGLED,
    "an upgrade": b"GET /livez HTTP/1.1\r\n"
    + HOST
    + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    + _LENGTH % len(SMUGGLED)
    + b"\r\n"
    + SMUGGLED,
    "length in a header that Connection names": b"GET /livez HTTP/1.1\r\n"
    + HOST
    + b"Connection: Content-Length\r\n"
    + _LENGTH % len(SMUGGLED)
    + b"\r\n"
    + SMUGGLED,
    "bare line feeds": b"GET /livez HTTP/1.1\n" + HOST + _LENGTH % len(SMUGGLED) + b"\n" + SMUGGLED,
}


@pytest.mark.parametrize("name", ONE_REQUEST)
def test_a_body_is_no_request(port: int, name: str) -> None:
    answers = exchange(port, ONE_REQUEST[name] + LAST)

    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.body for answer in answers] == [{"live": True}] * 2


def test_a_chunked_body_within_its_bounds_is_one_request(port: int, aftermath: Aftermath) -> None:
    chunks = b"%x;name=value\r\n%b\r\n0\r\nTrailer: x\r\n\r\n"
    body = b'{"values": [5]}'

    answers = exchange(port, _HEAD + _CHUNKED + b"\r\n" + chunks % (len(body), body) + LAST)

    assert [answer.status for answer in answers] == [200, 200]
    aftermath.acknowledged += _ids(answers)


def test_nothing_that_was_smuggled_is_in_the_log(stack: Stack, aftermath: Aftermath) -> None:
    """Runs last: the other tests of this file have sent it."""
    (asked,) = exchange(stack.port("API_PORT"), prediction(b'{"values": [77.7]}', b"Connection: close\r\n"))
    aftermath.acknowledged += _ids([asked])

    logged = stack.psql("postgres", "predictions", "SELECT input_data FROM predictions")

    assert "77.7" in logged
    assert "66.6" not in logged


def _ids(answers: list[Response]) -> list[str]:
    return [answer.body["id"] for answer in answers if "id" in answer.body]
