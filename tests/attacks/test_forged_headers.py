"""A client's headers choose no id, no address and no answer of another."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import httpx
import pytest

from tests.harness.attacks.aftermath import Aftermath
from tests.harness.attacks.exchanges import HOST, LAST, ask, exchange, prediction
from tests.harness.stack.compose import Stack

pytestmark = pytest.mark.usefixtures("aftermath")

FIVE = {"values": [5.0]}
_OLD = "1000000000.000-" + "0" * 32  # of 2001


@pytest.mark.parametrize("header", ["X-Idempotency-Key", "x-idempotency-key", "X_Idempotency_Key"])
def test_a_client_cannot_choose_a_predictions_id(stack: Stack, aftermath: Aftermath, header: str) -> None:
    answers = [stack.api.post("/predict", json=FIVE, headers={header: _OLD}) for _ in range(3)]

    aftermath.keep(*answers)  # which asserts that every id is another, and in the log
    made = [uuid.UUID(answer.json()["id"]).int >> 80 for answer in answers]
    assert all(abs(when / 1000 - datetime.now(UTC).timestamp()) < 60 for when in made)


def test_one_request_id_for_two_requests_makes_two_predictions(stack: Stack, aftermath: Aftermath) -> None:
    answers = [stack.api.post("/predict", json=FIVE, headers={"X-Request-ID": "same"}) for _ in range(2)]

    aftermath.keep(*answers)
    assert len({answer.json()["id"] for answer in answers}) == 2


@pytest.mark.parametrize("value", ["a b", "x" * 65, "a;b", '"', "<script>", "a\tb"])
def test_a_request_id_is_fit_for_a_log_or_replaced(port: int, value: str) -> None:
    answer = ask(port, prediction(b"{}", f"X-Request-ID: {value}\r\n".encode()))

    assert len(answer.header("x-request-id") or "") == 32


def test_two_request_ids_are_not_joined(port: int) -> None:
    answer = ask(port, prediction(b"{}", b"X-Request-ID: one\r\nX-Request-ID: two\r\n"))

    assert len(answer.header("x-request-id") or "") == 32


@pytest.mark.parametrize("path", ["/", "/docs", "/nothing", "/openapi.json", "/predict"])
def test_no_answer_repeats_the_host_that_was_asked_for(port: int, path: str) -> None:
    forged = b"Host: evil.example\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n"
    request = f"GET {path} HTTP/1.1\r\n".encode() + forged + b"Connection: close\r\n\r\n"

    (answer,) = exchange(port, request)

    assert answer.status < 500
    assert "evil" not in repr(answer.headers)
    assert b"evil" not in answer.content


def test_a_value_cannot_add_a_header_to_the_answer(port: int) -> None:
    escaped = b"%0d%0aX-Injected:%201"
    request = b"GET /nothing" + escaped + b" HTTP/1.1\r\n" + HOST + b"X-Request-ID: a" + escaped + b"\r\n\r\n"

    answers = exchange(port, request + LAST)

    assert "x-injected" not in {name for answer in answers for name in answer.names}


def test_no_body_gets_the_answer_of_another(stack: Stack, aftermath: Aftermath) -> None:
    """The cache's keys name all that an answer depends on, so neither headers nor spellings mix two."""
    values = [5.0, 5.000001, -5.0, 0.0, 50.0, 500.0]
    confusing = [{}, {"X-Forwarded-Host": "x"}, {"X-HTTP-Method-Override": "GET"}, {"Range": "bytes=0-1"}]

    answers = [
        (value, stack.api.post("/predict", json={key: [value]}, headers=headers))
        for headers in confusing
        for key in ("values", "features")
        for value in values
    ]

    aftermath.keep(*(answer for _, answer in answers))
    lone = {value: _predicted(stack.api.post("/predict", json={"values": [value, 1.0]})) for value in values}
    assert len(set(lone.values())) == len(values)
    assert {(value, _predicted(answer)) for value, answer in answers} == set(lone.items())


def test_pipelined_predictions_get_their_own_answers(stack: Stack, aftermath: Aftermath) -> None:
    bodies = [b'{"values": [%d]}' % value for value in range(20)]

    answers = exchange(stack.port("API_PORT"), b"".join(map(prediction, bodies)) + LAST)[:-1]

    aftermath.acknowledged += [answer.body["id"] for answer in answers]
    found = [answer.body["predictions"][0] for answer in answers]
    assert found == sorted(found)
    assert len(set(found)) == len(bodies)


def _predicted(answer: httpx.Response) -> float:
    assert answer.status_code == 200, answer.text
    first = answer.json()["predictions"][0]
    return float(first)
