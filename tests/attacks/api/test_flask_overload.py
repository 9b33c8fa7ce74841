"""The Flask server under overload: its threads are bounded, what waits is bounded, the rest is told so."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.harness.processes.crowd import ask_at_once
from tests.harness.processes.raw_http import connected, request
from tests.harness.processes.serving import ServingProcess, eventually, serving

SMALL = request({"values": [5]})
STALLED = request(b" " * 1000)[:-1]
THREADS, PENDING = 2, 4


@pytest.fixture(scope="module")
def narrow(model_dir: Path) -> Iterator[ServingProcess]:
    """A server with two threads and room for four that wait."""
    settings = {"SERVE_THREADS": str(THREADS), "SERVE_MAX_PENDING": str(PENDING), "RECEIVE_TIMEOUT": "30"}
    with serving(model_dir, model_dir.parent / "narrow.log", **settings) as process:
        yield process


def test_what_waits_too_long_is_refused_and_probes_are_answered(narrow: ServingProcess) -> None:
    """Both threads read bodies that do not end; four requests may wait for them."""
    with ExitStack() as stack:
        stalled = [stack.enter_context(connected(narrow.port)) for _ in range(THREADS)]
        for connection in stalled:
            connection.send(STALLED)
        waiting = [stack.enter_context(connected(narrow.port)) for _ in range(PENDING)]
        for connection in waiting:
            connection.send(SMALL)
        with connected(narrow.port) as one_more:
            refused = one_more.ask(SMALL)
            live = one_more.ask(b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n")
        for connection in stalled:
            connection.send(b" ")
        answers = [connection.receive().status for connection in [*stalled, *waiting]]

    assert (refused.status, refused.header("retry-after")) == (503, "1")
    assert refused.header("content-type") == "application/problem+json"
    assert "wait already" in refused.body["detail"]
    assert live.status == 200
    assert answers == [400] * THREADS + [200] * PENDING


def test_connections_that_say_nothing_take_no_thread(narrow: ServingProcess) -> None:
    """Forty of them, and two threads: the next request is answered at once."""
    assert eventually(lambda: narrow.predict({"values": [5]}).status_code == 200, 10)  # after the test before

    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(socket.create_connection(("127.0.0.1", narrow.port)))
        answer = narrow.predict({"values": [5]})

    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() < 2


def test_a_crowd_gets_answers_or_503(flask: ServingProcess) -> None:
    """Nine hundred at once, as shipped."""
    statuses = ask_at_once(flask.port, [SMALL] * 900)

    assert statuses.keys() <= {200, 503}
    assert statuses[200] >= 500
