"""Clients that never finish hold a connection each, for a time, and nothing of anybody else's.

They connect to nginx's own address: the engine's proxy for published ports would read for them.
"""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.harness.attacks.aftermath import MB, Aftermath
from tests.harness.attacks.exchanges import HOST, JSON, prediction
from tests.harness.attacks.held import await_closed, held, openable
from tests.harness.attacks.memory import memory
from tests.harness.stack.compose import Stack, settings

PORTS = (8000, 5000)
BODY_LIMIT = int(settings()["MAX_BODY_BYTES"])
LARGE_BODIES = int(settings()["LARGE_BODIES_PER_ADDRESS"])
LARGE = b'{"values": [5]}'.ljust(BODY_LIMIT)
ROWS = b'{"values": [' + b",".join(b"%d.25" % i for i in range(10_000)) + b"]}"
HEAD = b"GET /livez HTTP/1.1\r\n" + HOST
LARGEST_HEAD = HEAD + b"A: " + b"a" * 8000 + b"\r\nB: " + b"b" * 7000  # almost
STALLED = {  # on each port: how many, and what they have sent
    "in a head": (1000, LARGEST_HEAD),
    "in a small body": (100, prediction()[:-1]),
    "in a large body": (8, prediction(LARGE)[:-1000]),
    "in a body in chunks": (
        8,
        b"POST /predict HTTP/1.1\r\n" + HOST + JSON + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    ),
}


@pytest.fixture
def nginx(stack: Stack) -> str:
    """Its address."""
    return stack.container("nginx").address


def assert_served(stack: Stack) -> None:
    """Assert that both servers answer a new client."""
    for name in ("API_PORT", "SERVE_PORT"):
        with stack.client(name) as client:
            assert client.post("/predict", json={"values": [5]}).status_code == 200


@pytest.mark.usefixtures("aftermath")
def test_clients_that_stall_are_closed_and_others_served(stack: Stack, nginx: str) -> None:
    """Two thousand heads of almost the largest size had once ended a worker of nginx by memory."""
    with ExitStack() as opened:
        stalled = [
            connection
            for port in PORTS
            for count, sent in STALLED.values()
            for connection in opened.enter_context(held((nginx, port), count, sent))
        ]
        trickling = [
            *opened.enter_context(held((nginx, 8000), 5, HEAD)),
            *opened.enter_context(held((nginx, 5000), 5, HEAD)),
        ]
        unread = [
            connection
            for port in PORTS
            for connection in opened.enter_context(held((nginx, port), 2, prediction(ROWS), unread=True))
        ]
        assert_served(stack)
        assert memory(stack.container("nginx")) < 200 * MB

        await_closed(trickling, 60, sending=b"a")
        await_closed([*stalled, *unread], 60)


def test_unfinished_bodies_leave_room_for_those_of_others(
    stack: Stack, nginx: str, aftermath: Aftermath
) -> None:
    """Four of 16 MB had once filled nginx's /tmp, and every larger body got 503."""
    with held((nginx, 8000), LARGE_BODIES - 1, prediction(LARGE)[:-1000]):
        answer = stack.api.post("/predict", content=LARGE, headers={"content-type": "application/json"})

    aftermath.keep(answer)
    assert answer.status_code == 200


@pytest.mark.usefixtures("aftermath")
def test_ten_thousand_idle_connections_keep_nobody_out(stack: Stack, nginx: str) -> None:
    """Half of them on each port, or as many as this machine lets one process open."""
    half = openable(10_000) // 2

    with held((nginx, 8000), half), held((nginx, 5000), half):
        for _ in range(20):
            assert_served(stack)
        assert memory(stack.container("nginx")) < 200 * MB
