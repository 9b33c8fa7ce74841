"""The fast path of simple predictions: a request in one piece is answered like one in any other form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.outage import slow_inserts
from tests.harness.processes.raw_http import JSON, connected, request
from tests.harness.processes.serving import ServingProcess, eventually, publish_line

PREDICTION = {"features": [1.0, 2.0, 3.0]}
PLAIN = request(PREDICTION)
LIVE = b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """A server that all tests share."""
    root: Path = tmp_path_factory.mktemp("direct")
    publish_line(root / "models", 2.0)
    with undisturbed(root / "models", root / "log", real_stores) as process:
        yield process


def test_a_request_in_two_pieces_is_answered_like_a_whole_one(server: ServingProcess) -> None:
    """Cut at every place, on one connection that is kept."""
    with connected(server.port) as connection:
        whole = connection.ask(PLAIN)
        for place in range(1, len(PLAIN)):
            connection.send_pieces(PLAIN[:place], PLAIN[place:])
            answer = connection.receive()
            assert (answer.status, answer.names) == (200, whole.names), place
            assert answer.body["predictions"] == whole.body["predictions"], place


def test_the_headers_of_an_answer_are_those_of_uvicorn(server: ServingProcess) -> None:
    """In its order, each once, with a length and no chunks; a whole request and one with a version number."""
    with connected(server.port) as connection:
        short = connection.ask(PLAIN)
        long = connection.ask(request(PREDICTION | {"model_version": 1}))

    assert short.names == long.names == ["date", "content-type", "x-request-id", "content-length"]
    assert short.header("content-type") == long.header("content-type") == "application/json"


def test_pipelined_requests_are_answered_in_their_order(server: ServingProcess) -> None:
    """Plain, unusual and bad ones in one packet; a bad one does not cost the others their answers."""
    packet = [PLAIN, LIVE, request({"features": "5"}), PLAIN, request({"features": [[4]]}), LIVE, PLAIN] * 3
    with connected(server.port) as connection:
        connection.send(b"".join(packet))
        statuses = [connection.receive() for _ in packet]

    assert [answer.status for answer in statuses] == [200, 200, 422, 200, 200, 200, 200] * 3
    assert [len(answer.body.get("predictions", [])) for answer in statuses] == [3, 0, 0, 3, 1, 0, 3] * 3


def test_a_pipelined_request_that_comes_in_pieces_waits_for_its_turn(server: ServingProcess) -> None:
    with connected(server.port) as connection:
        connection.send_pieces(PLAIN + PLAIN[:30], PLAIN[30:] + LIVE[:10], LIVE[10:])
        answers = [connection.receive() for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert answers[2].body == {"live": True}


def test_a_connection_goes_on_after_a_problem(server: ServingProcess) -> None:
    """But not after a body whose end is unsure."""
    with connected(server.port) as connection:
        for _ in range(3):
            assert connection.ask(request({"features": [float(10**300)] * 2 + ["x"]})).status == 422
            assert connection.ask(PLAIN).status == 200
            assert connection.ask(request({"features": [1.7e308]})).status == 422
            assert connection.ask(PLAIN).status == 200
        assert connection.ask(request(b"{")).status == 400
        assert connection.is_closed()


@pytest.mark.parametrize(
    "headers", [(JSON,), (JSON, "Accept: */*", "User-Agent: test", "X-Forwarded-For: 192.0.2.1")]
)
def test_the_ids_of_the_front_door_are_kept(
    server: ServingProcess, real_stores: Stores, headers: tuple[str, ...]
) -> None:
    """However many headers there are beside them: a repeated request is one row."""
    key = f"1790000000.{len(headers):03}-{'0123456789abcdef' * 2}"
    asked = request(PREDICTION, *headers, "X-Request-ID: kept.by-us_1", f"X-Idempotency-Key: {key}")
    with connected(server.port) as connection:
        one, other = connection.ask(asked), connection.ask(asked)

    assert one.header("x-request-id") == other.header("x-request-id") == "kept.by-us_1"
    assert one.body["id"] == other.body["id"]
    rows = real_stores.sql("SELECT request_id FROM predictions WHERE id = %s::uuid", one.body["id"])
    assert rows == [("kept.by-us_1",)]


def test_what_asks_for_the_connections_end_gets_it(server: ServingProcess) -> None:
    with connected(server.port) as connection:
        answer = connection.ask(request(PREDICTION, JSON, "Connection: close"))
        assert (answer.status, answer.header("connection")) == (200, "close")
        assert connection.is_closed()


def test_expecting_100_continue_is_answered_so(server: ServingProcess) -> None:
    """The body is sent after the server's word."""
    asked = request(PREDICTION, JSON, "Expect: 100-continue")
    head, _, body = asked.partition(b"\r\n\r\n")
    with connected(server.port) as connection:
        connection.send(head + b"\r\n\r\n")
        assert connection.receive().status == 100
        connection.send(body)
        assert connection.receive().status == 200


def test_a_chunked_body_is_a_body(server: ServingProcess) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
    chunks = b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"fea\r\nd\r\ntures": [5]} \r\n0\r\n\r\n'
    with connected(server.port) as connection:
        assert connection.ask(head + chunks).status == 200
        connection.send_pieces(head + chunks[:40], chunks[40:])
        assert connection.receive().status == 200


def test_what_is_no_http_is_refused_after_an_answer_too(server: ServingProcess) -> None:
    with connected(server.port) as connection:
        assert connection.ask(PLAIN).status == 200
        assert connection.ask(b"NONSENSE\r\n\r\n").status == 400
        assert connection.is_closed()
    assert eventually(lambda: server.metric("http_requests_in_flight") == 1)


def test_a_client_that_left_is_not_counted_as_answered(server: ServingProcess, real_stores: Stores) -> None:
    """Its prediction was accepted, so it is logged nevertheless."""
    gone = 'http_requests_total{method="POST",route="/predict",status="499"}'
    asked = request({"features": [77.125]})
    with slow_inserts(real_stores, 0.3):
        with connected(server.port) as connection:
            connection.send(asked)
            assert eventually(lambda: server.metric("http_requests_in_flight") == 2)
        assert eventually(lambda: server.metric("http_requests_in_flight") == 1)

    assert server.metric(gone) == 1
    rows = real_stores.sql("SELECT count(*) FROM predictions WHERE input_data = '[[77.125]]'")
    assert rows == [(1,)]


def test_half_a_request_holds_up_nothing(server: ServingProcess) -> None:
    """Neither while it is waited for, nor when its client leaves."""
    with connected(server.port) as half, connected(server.port) as other:
        half.send(PLAIN[:-5])
        assert other.ask(PLAIN).status == 200
    assert eventually(lambda: server.metric("http_requests_in_flight") == 1)
