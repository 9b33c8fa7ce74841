"""What a client sends reaches logs as printable text only: no terminal obeys it, no line is forged."""

from __future__ import annotations

import json

import pytest

from tests.harness.attacks.exchanges import HOST, JSON, LAST, exchange
from tests.harness.stack.compose import Stack
from tests.harness.stack.containers import raw_logs
from tests.harness.stack.waiting import wait_until

pytestmark = pytest.mark.usefixtures("aftermath")

ESCAPES = {"escape": b"\x1b[31m\x1b]0;pwned\x07", "C1 control": b"\x9b31m", "C1 in UTF-8": "\x9b31m".encode()}
SERVICES = ("nginx", "api", "model-serve")
_LARGE = b"Content-Length: 200000\r\n\r\n" + b" " * 200_000  # nginx warns about a body that goes to a file
_MARK = b"log-attack"


def _requests(escape: bytes) -> list[bytes]:
    post = b"POST /predict?log-attack HTTP/1.1\r\n"
    body = b'{"values": ["' + _MARK + escape + b'"]}'
    plain = b"GET /livez?log-attack HTTP/1.1\r\n"
    return [
        post + HOST + JSON + b"Referer: " + escape + b"\r\n" + _LARGE,
        post + HOST + JSON + b"User-Agent: " + escape + b"\r\n" + _LARGE,
        post + HOST + b"Content-Type: " + escape + b"\r\nContent-Length: 2\r\n\r\n{}",
        post + HOST + JSON + b"Content-Length: %d\r\n\r\n" % len(body) + body,
        b"GET /log-attack" + escape + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /log-attack HTTP/1.1\r\nHost: " + escape + b"\r\n\r\n",
        plain + HOST + b"X-Request-ID: " + escape + b"\r\n\r\n",
        plain + HOST + escape + b": 1\r\n\r\n",
        plain + HOST + b"X-API-Key: " + escape + b"\r\n\r\n",
        escape + b"GET /log-attack HTTP/1.1\r\n" + HOST + b"\r\n",
        b"POST /v2/models/log-attack" + escape + b"/infer HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n",
        b"POST /v2/models/log-attack%1b%5b31m/infer HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n",
        b"GET /log-attack%1b%5b31m%0a%9b31m%c2%9b HTTP/1.1\r\n" + HOST + b"\r\n",
        post + HOST + b"Transfer-Encoding: chunked\r\nReferer: " + escape + b"\r\n\r\n" + escape + b"\r\n",
    ]


@pytest.mark.parametrize("name", ESCAPES)
def test_no_log_holds_a_control_character(stack: Stack, port: int, name: str) -> None:
    for request in _requests(ESCAPES[name]):
        exchange(port, request + LAST)

    wait_until(lambda: _MARK in raw_logs(stack.containers("nginx")), 10, "the log to be written")
    logged = raw_logs([each for service in SERVICES for each in stack.containers(service)])
    assert not [line for line in logged.splitlines() if not line.isascii() or not line.decode().isprintable()]


def test_every_request_is_one_line_of_json(stack: Stack, port: int) -> None:
    forged = '/log-attack-quoted"},{"event":"forged%22%7d%0a%7b%22'
    exchange(port, f"GET {forged} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() + LAST)

    def lines() -> list[bytes]:
        return [line for line in raw_logs(stack.containers("nginx")).splitlines() if b"attack-quoted" in line]

    found = wait_until(lines, 10, "the request in the log")
    assert [json.loads(line)["event"] for line in found if line.startswith(b"{")].count("request") >= 1
    assert not [line for line in found if line.startswith(b"{") and json.loads(line)["event"] != "request"]
