"""POST /feedback: true values are kept once, corrections with their time; what was accepted is never lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg2
import pytest

from api.prediction.identifiers import new_prediction_id
from tests.harness.processes.inference import Stores, inference, is_healthy
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import ServingProcess, eventually, publish_line

NOTHING: dict[str, Any] = {"accepted": 0, "repeated": 0, "corrected": 0, "unknown": [], "mismatched": []}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve one model."""
    root: Path = tmp_path_factory.mktemp("feedback")
    publish_line(root / "models", 2.0)
    with inference(root / "models", root / "log", real_stores) as process:
        yield process


@pytest.fixture(autouse=True)
def _healthy(server: ServingProcess) -> None:
    assert eventually(partial(is_healthy, server), 30)


def predicted(server: ServingProcess, rows: int = 1) -> str:
    """Make a prediction; return its id."""
    return str(server.predict({"values": [*range(rows)]}).json()["id"])


def send(server: ServingProcess, content: object) -> httpx.Response:
    """Send feedback as JSON."""
    return server.client.post("/feedback", json=content)


def kept(real_stores: Stores, prediction: str) -> list[Any]:
    """Return the true values of a prediction, in the order of their revisions."""
    query = "SELECT actual FROM feedback WHERE id = %s ORDER BY revision"
    return [actual for (actual,) in real_stores.sql(query, prediction)]


def test_the_same_truth_twice_is_one(server: ServingProcess, real_stores: Stores) -> None:
    """A repeated request changes nothing, however its numbers are written."""
    prediction = predicted(server)

    answers = [send(server, {"id": prediction, "actual": actual}) for actual in ([11.3], 11.3, [1.13e1])]

    assert [answer.json() for answer in answers] == [
        NOTHING | {"accepted": 1},
        NOTHING | {"repeated": 1},
        NOTHING | {"repeated": 1},
    ]
    assert kept(real_stores, prediction) == [[11.3]]


def test_a_correction_is_kept_beside_what_it_corrects(server: ServingProcess, real_stores: Stores) -> None:
    """Also when it returns to an earlier value."""
    prediction = predicted(server)

    answers = [send(server, {"id": prediction, "actual": [actual]}).json() for actual in (1, 2, 1)]

    assert [answer["corrected"] for answer in answers] == [0, 1, 1]
    assert kept(real_stores, prediction) == [[1], [2], [1]]
    times = real_stores.sql("SELECT received_at FROM feedback WHERE id = %s ORDER BY revision", prediction)
    assert times == sorted(times)


def test_each_entry_of_a_list_is_reported_by_itself(server: ServingProcess, real_stores: Stores) -> None:
    """Unknown ids, and another number of values than rows, do not hold up the others."""
    one, three = predicted(server), predicted(server, rows=3)
    never, foreign = new_prediction_id().text, str(uuid4())
    given = {one: [5.0], three: [1, 2], never: [1], foreign: [1]}

    answer = send(server, [{"id": id_, "actual": actual} for id_, actual in given.items()])

    assert answer.status_code == 200
    assert answer.json() == NOTHING | {
        "accepted": 1,
        "unknown": [never, foreign],
        "mismatched": [{"id": three, "expected": 3, "got": 2}],
    }
    assert [kept(real_stores, id_) for id_ in given] == [[[5.0]], [], [], []]


def test_a_single_entry_that_does_not_fit_is_a_problem(server: ServingProcess) -> None:
    """404 for an unknown id, 422 for another number of values."""
    unknown = send(server, {"id": new_prediction_id().text, "actual": [1]})
    mismatched = send(server, {"id": predicted(server, rows=3), "actual": [1]})

    assert (unknown.status_code, mismatched.status_code) == (404, 422)
    assert "there is no prediction" in unknown.json()["detail"]
    assert "expected 3 true values" in mismatched.json()["detail"]


def test_ten_thousand_in_one_body(server: ServingProcess, real_stores: Stores) -> None:
    """As many as there may be rows in a request, each looked up in the log."""
    real_stores.sql("""
        INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp",
                                 model_version, cached, intervals, request_id, latency)
        SELECT (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000000000000000')::uuid, '[[1]]',
               '[3]', '[1]', to_timestamp((1700000000000 + n) / 1000.0), 1, false, '[[2, 4]]', 'r', 0.001
          FROM generate_series(1, 10000) AS n
    """)
    ids = [f"{1700000000000 + n:012x}70008000000000000000" for n in range(1, 10_001)]

    answers = [send(server, [{"id": id_, "actual": [1.5]} for id_ in ids]).json() for _ in range(2)]

    assert [(answer["accepted"], answer["repeated"]) for answer in answers] == [(10_000, 0), (0, 10_000)]


def test_csv_has_a_line_for_each_row(server: ServingProcess, real_stores: Stores) -> None:
    """Lines with the same id are the rows of one prediction; an empty cell is not known."""
    one, three = predicted(server), predicted(server, rows=3)
    lines = ["id,actual", f"{one},true", f"{three},1.5", f"{three},", f'{three},"a, b"']

    answer = server.client.post(
        "/feedback", content="\r\n".join(lines), headers={"content-type": "text/csv; charset=utf-8"}
    )

    assert answer.json() == NOTHING | {"accepted": 2}
    assert kept(real_stores, one) == [[True]]
    assert kept(real_stores, three) == [[1.5, None, "a, b"]]


def test_a_prediction_that_still_waits_in_redis_is_known(server: ServingProcess, real_stores: Stores) -> None:
    """Its truth is accepted before its row is in the table."""
    with closing(psycopg2.connect(real_stores.postgres.url("predictions"))) as blocking:
        blocking.cursor().execute("LOCK TABLE predictions IN SHARE MODE")  # readers may, writers wait
        prediction = predicted(server)
        answer = send(server, {"id": prediction, "actual": [2.0]})
        logged = real_stores.times_logged([prediction])
        blocking.rollback()

    assert logged == {prediction: 0}
    assert answer.json() == NOTHING | {"accepted": 1}
    assert eventually(lambda: real_stores.times_logged([prediction]) == {prediction: 1}, 30)
    assert kept(real_stores, prediction) == [[2.0]]


def test_concurrent_requests_agree_on_the_order(server: ServingProcess, real_stores: Stores) -> None:
    """Many clients give the same truth at once: it is one. Different ones: all are kept."""
    same, different = predicted(server), predicted(server)

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(lambda _: send(server, {"id": same, "actual": [7]}), range(16)))
        answers = list(clients.map(lambda n: send(server, {"id": different, "actual": [n]}), range(16)))

    assert kept(real_stores, same) == [[7]]
    accepted = [n for n, answer in enumerate(answers) if answer.status_code == 200]
    assert sorted(kept(real_stores, different)) == [[n] for n in accepted]
    assert {answer.status_code for answer in answers} <= {200, 503}


def test_without_postgresql_it_is_refused(server: ServingProcess, real_stores: Stores) -> None:
    """503 with Retry-After: what is not committed is not accepted."""
    prediction = predicted(server)

    with stopped(real_stores.postgres):
        answer = send(server, {"id": prediction, "actual": [1]})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


ID = b"0199d2a0-0000-7000-8000-000000000000"
BAD = {
    "not JSON": (b"{", "application/json", 400, "not valid JSON"),
    "no actual": (b'{"id": "%b"}' % ID, "application/json", 422, "actual"),
    "no id": (b'{"id": "x", "actual": 1}', "application/json", 422, "id"),
    "NaN": (b'{"id": "%b", "actual": [NaN]}' % ID, "application/json", 422, "no NaN"),
    "an object": (b'{"id": "%b", "actual": {}}' % ID, "application/json", 422, "actual"),
    "no value": (b'{"id": "%b", "actual": []}' % ID, "application/json", 422, "actual"),
    "a zero byte": (b'{"id": "%b", "actual": ["a\\u0000"]}' % ID, "application/json", 422, "U+0000"),
    "a zero byte in a list": (b'[{"id": "%b", "actual": "\\u0000"}]' % ID, "application/json", 422, "U+0000"),
    "CSV with a zero byte": (b"id,actual\n%b,a\0\n" % ID, "text/csv", 422, "U+0000"),
    "none": (b"[]", "application/json", 422, "1 to 10000"),
    "deep": (b"[" * 100_000, "application/json", 422, "lists"),
    "CSV without header": (b"%b,1\n" % ID, "text/csv", 422, "header id,actual"),
    "CSV of three cells": (b"id,actual\nx,1,2\n", "text/csv", 422, "line 2"),
    "CSV of another id": (b"id,actual\nx,1\n", "text/csv", 422, "id of a prediction"),
    "CSV with infinity": (b"id,actual\n%b,inf\n" % ID, "text/csv", 422, "finite"),
    "CSV of other bytes": (b"id,actual\n\xff,1\n", "text/csv", 400, "UTF-8"),
    "CSV with an open quote": (b'id,actual\n"x,1\n', "text/csv", 400, "CSV"),
    "another type": (b"{}", "text/plain", 415, "text/csv"),
    "too large": (b" " * 2_000_000, "application/json", 413, "at most"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_feedback_is_a_problem(server: ServingProcess, name: str) -> None:
    """It says what was expected."""
    body, content_type, status, expected = BAD[name]

    answer = server.client.post("/feedback", content=body, headers={"content-type": content_type})

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert expected in answer.json()["detail"]


def test_an_id_twice_in_one_body_is_refused(server: ServingProcess) -> None:
    """Two entries of one request have no order."""
    prediction = predicted(server)

    answer = send(server, [{"id": prediction, "actual": [actual]} for actual in (1, 2)])

    assert answer.status_code == 422
    assert "each id once" in answer.json()["detail"]


def test_truths_expire_with_their_predictions(server: ServingProcess, real_stores: Stores) -> None:
    """An id begins with its time, so no other table is needed to know which are old."""
    old, new = "018bcfe5-6800-7000-8000-000000000001", predicted(server)  # of November 2023
    real_stores.sql("INSERT INTO feedback VALUES (%s, 1, '[1]')", old)
    send(server, {"id": new, "actual": [1]})

    real_stores.sql("UPDATE retention SET log_days = 30")
    real_stores.sql("SELECT maintain_predictions()", url=real_stores.inference_url)
    real_stores.sql("UPDATE retention SET log_days = 0")

    assert (kept(real_stores, old), kept(real_stores, new)) == ([], [[1]])


def test_what_was_accepted_before_a_kill_is_there(tmp_path: Path, real_stores: Stores) -> None:
    """SIGKILL in the middle of a stream of feedback."""
    publish_line(tmp_path / "models", 2.0)
    accepted: list[str] = []
    with inference(tmp_path / "models", tmp_path / "log", real_stores) as server:
        assert eventually(partial(is_healthy, server), 30)
        ids = [predicted(server) for _ in range(60)]

        def give(prediction: str) -> None:
            try:
                if send(server, {"id": prediction, "actual": [1]}).status_code == 200:
                    accepted.append(prediction)
                if len(accepted) == 30:
                    server.process.kill()
            except httpx.TransportError:
                pass

        with ThreadPoolExecutor(4) as clients:
            list(clients.map(give, ids))

    assert len(accepted) >= 30
    assert [kept(real_stores, id_) for id_ in accepted] == [[[1]]] * len(accepted)


def test_the_document_says_what_is_taken(server: ServingProcess) -> None:
    """GET /openapi.json has the route with both content types."""
    described = json.loads(server.client.get("/openapi.json").content)["paths"]["/feedback"]["post"]

    assert set(described["requestBody"]["content"]) == {"application/json", "text/csv"}
