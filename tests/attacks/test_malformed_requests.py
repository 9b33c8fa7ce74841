"""What nginx itself refuses is a problem like the servers', on both ports."""

from __future__ import annotations

import pytest

from tests.harness.attacks.exchanges import HOST, JSON, LAST, ask, assert_problem, exchange

pytestmark = pytest.mark.usefixtures("aftermath")

_GET = b"GET /livez HTTP/1.1\r\n" + HOST
_POST = b"POST /predict HTTP/1.1\r\n" + HOST + JSON

REFUSED = {
    "TRACE": (b"TRACE /livez HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    "CONNECT": (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n", 405),
    "unknown transfer coding": (_POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    "HTTP/2.0": (b"GET /livez HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "request line of one word": (b"GET\r\n\r\n", 400),
    "TLS on a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "control character in the method": (b"GE\x1bT /livez HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "method in lower case": (b"get /livez HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "no Host": (b"GET /livez HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (_GET + HOST + b"\r\n", 400),
    "space in Host": (b"GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "asterisk": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "invalid escape": (b"GET /%zz HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "escaped zero byte": (b"GET /livez%00 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "escaped line feed": (b"GET /livez%0a HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "POST to an escaped line feed": (
        b"POST /predict%0a HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n",
        400,
    ),
    "path out of the root": (b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "bytes beyond ASCII in the path": (b"GET /\xc2\x9b31m HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "request line of 20 kB": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "header of 20 kB": (_GET + b"A: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    "headers of 100 kB": (_GET + b"".join(b"A%d: %0500d\r\n" % (i, i) for i in range(200)) + b"\r\n", 431),
    "zero byte in a header": (_GET + b"A: b\0c\r\n\r\n", 400),
    "negative length": (_POST + b"Content-Length: -5\r\n\r\n", 400),
    "length of 26 digits": (_POST + b"Content-Length: " + b"9" * 26 + b"\r\n\r\n", 400),
    "length over the limit": (_POST + b"Content-Length: 99999999\r\n\r\n", 413),
    "chunk size that is no number": (_POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_nginx_refuses_is_a_problem(port: int, name: str) -> None:
    data, status = REFUSED[name]

    answer = ask(port, data)

    assert_problem(answer, status)


def test_a_problem_of_nginx_itself_cannot_be_asked_for(port: int) -> None:
    answer = ask(port, b"GET /problem HTTP/1.1\r\n" + HOST + b"\r\n")

    assert_problem(answer, 404)


def test_refusals_say_what_would_have_been_right(port: int) -> None:
    def detail(name: str) -> str:
        return assert_problem(ask(port, REFUSED[name][0]), REFUSED[name][1])

    assert "1048576" in detail("length over the limit")
    assert "16 kB" in detail("header of 20 kB")
    assert "HTTP/1.1" in detail("HTTP/2.0")
    assert "printable" in detail("escaped line feed")


def test_a_refused_method_names_allowed_ones(port: int) -> None:
    answer = ask(port, REFUSED["TRACE"][0])

    assert answer.header("allow") == "GET, HEAD, POST"


def test_a_client_of_http_1_0_is_answered(port: int) -> None:
    (answer,) = exchange(port, b"GET /livez HTTP/1.0\r\n\r\n")

    assert answer.status == 200
    assert answer.header("connection") == "close"


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    wrong = b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n"

    answers = exchange(port, (_GET + b"\r\n" + wrong) * 20 + LAST)

    assert [answer.status for answer in answers] == [200, 404] * 20 + [200]
