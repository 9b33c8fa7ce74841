"""What POST /predict of the api answers, keeps in its cache and writes to its log."""

from __future__ import annotations

import concurrent.futures
import json
import math
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.serving import ServingProcess, eventually, publish_line

COLUMNS = ["id", "input_data", "prediction", "confidence", "timestamp"]  # first, and in this order


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve versions 1 (y = 2x + 1) and 2 (y = 3x + 1), of which 2 is current."""
    root: Path = tmp_path_factory.mktemp("answers")
    publish_line(root / "models", 2.0)
    publish_line(root / "models", 3.0)
    with undisturbed(root / "models", root / "log", real_stores) as process:
        yield process


def is_kept(server: ServingProcess, body: object) -> bool:
    """Return whether the cache answers; entries are stored after the first answer was sent."""
    return bool(server.predict(body).json()["cached"])


def test_an_answer_says_all_there_is_to_say(server: ServingProcess) -> None:
    """One entry a row; each prediction lies in its interval."""
    answer = server.predict({"features": [1.0, 2.0, 3.0]})

    body = answer.json()
    assert answer.status_code == 200
    assert list(body) == ["id", "predictions", "intervals", "confidence", "model_version", "cached"]
    assert body["predictions"] == pytest.approx([4, 7, 10], abs=0.5)
    assert all(low < y < high for y, (low, high) in zip(body["predictions"], body["intervals"], strict=True))
    assert all(0 <= share <= 1 for share in body["confidence"])
    assert body["model_version"] == 2


def test_a_row_of_the_log_says_what_was_answered(server: ServingProcess, real_stores: Stores) -> None:
    """The row's time is the one in the id, to the millisecond."""
    answer = server.client.post(
        "/predict", json={"values": [[7], [8]]}, headers={"x-request-id": "who-asked"}
    )

    body = answer.json()
    columns = real_stores.sql(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'predictions'::regclass AND attnum > 0"
    )
    ((*row, milliseconds),) = real_stores.sql(
        "SELECT input_data, prediction, confidence, intervals, model_version, cached, request_id, latency,"
        ' extract(epoch FROM "timestamp") * 1000 FROM predictions WHERE id = %s',
        body["id"],
    )
    assert [name for (name,) in columns][:5] == COLUMNS
    assert row[:5] == [[[7.0], [8.0]], body["predictions"], body["confidence"], body["intervals"], 2]
    assert row[5:7] == [False, "who-asked"]
    assert 0 < row[7] < 20
    assert round(milliseconds) == int(body["id"].replace("-", "")[:12], 16)


@pytest.mark.parametrize("same", ["[5]", "[5.0]", "[5e0]", "[[5]]", "[0.5e1]", "[[50E-1]]"])
def test_numbers_that_are_equal_are_one_entry(server: ServingProcess, same: str) -> None:
    """In every spelling and under every field name: once answered, it is cached."""
    assert eventually(lambda: is_kept(server, {"values": [5]}))

    for name in ("values", "features", "instances"):
        headers = {"content-type": "application/json"}
        answer = server.client.post("/predict", content=f'{{"{name}": {same}}}', headers=headers)
        assert answer.json()["cached"], answer.text


def test_minus_zero_is_zero(server: ServingProcess) -> None:
    """-0.0 equals 0, so it has the same answer and the same entry."""
    assert eventually(lambda: is_kept(server, {"values": [0]}))

    answers = [server.predict({"values": [zero]}).json() for zero in (-0.0, 0.0, 0)]

    assert all(answer["cached"] for answer in answers)
    assert len({json.dumps(answer["predictions"]) for answer in answers}) == 1


def test_a_cached_answer_is_logged_too(server: ServingProcess, real_stores: Stores) -> None:
    """Every request has its own row."""
    assert eventually(lambda: is_kept(server, {"values": [77]}))

    ids = [server.predict({"values": [77]}).json()["id"] for _ in range(5)]

    rows = real_stores.sql("SELECT cached FROM predictions WHERE id = ANY(%s::uuid[])", ids)
    assert rows == [(True,)] * 5


def test_another_version_of_the_model_is_another_entry(server: ServingProcess, real_stores: Stores) -> None:
    """The same numbers, asked of both versions in turn, never get the other's answer."""
    for _ in range(3):
        for version, expected in ((1, 201), (2, 301), (None, 301)):
            asked = {"values": [100]} | ({} if version is None else {"model_version": version})
            answer = server.predict(asked).json()

            assert answer["predictions"] == pytest.approx([expected], abs=5)
            assert answer["model_version"] == (version or 2)
    logged = real_stores.sql("SELECT DISTINCT model_version FROM predictions WHERE input_data = '[[100]]'")
    assert sorted(logged) == [(1,), (2,)]


@pytest.mark.parametrize("rows", [3000, 10_000])
def test_many_rows_are_one_call_and_one_row_of_the_log(
    server: ServingProcess, real_stores: Stores, rows: int
) -> None:
    """And asked again, they are one entry of the cache."""
    calls = server.metric("prediction_batch_requests_count")
    body = {"values": [[i / 7] for i in range(rows)]}

    answer = server.predict(body)

    assert answer.status_code == 200
    assert len(answer.json()["predictions"]) == len(answer.json()["intervals"]) == rows
    assert server.metric("prediction_batch_requests_count") == calls + 1
    lengths = "SELECT jsonb_array_length(input_data), jsonb_array_length(prediction) FROM predictions"
    logged = real_stores.sql(lengths + " WHERE id = %s", answer.json()["id"])
    assert logged == [(rows, rows)]
    assert eventually(lambda: is_kept(server, body))


def test_one_row_too_many_is_refused(server: ServingProcess) -> None:
    """The limit is a setting; the problem names it."""
    answer = server.predict({"values": [1] * 10_001})

    assert answer.status_code == 422
    assert "at most 10000 rows" in answer.json()["detail"]


def test_concurrent_requests_share_a_batch_and_keep_their_own_answers(
    server: ServingProcess, real_stores: Stores
) -> None:
    """400 requests of 16 clients: each gets the answer to its own question, and its own row."""

    def ask(number: int) -> dict[str, object]:
        answer = server.predict({"values": [number / 8]})
        assert answer.status_code == 200, answer.text
        body: dict[str, object] = answer.json()
        assert math.isclose(body["predictions"][0], 3 * number / 8 + 1, abs_tol=2), body  # type: ignore[index]
        return body

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(400)))

    ids = [str(answer["id"]) for answer in answers]
    assert set(real_stores.times_logged(ids).values()) == {1}
    assert len(set(ids)) == 400


def test_a_repeated_idempotency_key_is_one_row(server: ServingProcess, real_stores: Stores) -> None:
    """A request that nginx retries on another replica is logged once."""
    headers = {"x-idempotency-key": "1767225600.123-" + "ab" * 16}

    first, second = (server.client.post("/predict", json={"values": [9]}, headers=headers) for _ in range(2))

    assert first.json()["id"] == second.json()["id"]
    assert first.json()["predictions"] == second.json()["predictions"]
    assert real_stores.times_logged([first.json()["id"]]) == {first.json()["id"]: 1}


@pytest.mark.parametrize("year", [2001, 2150])
def test_a_front_door_whose_clock_jumps_loses_nothing(
    server: ServingProcess, real_stores: Stores, year: int
) -> None:
    """There is no partition for such a time; still the row is stored once, with that time."""
    moment = datetime(year, 6, 1, tzinfo=UTC)
    headers = {"x-idempotency-key": f"{moment.timestamp():.3f}-" + "cd" * 16}

    answers = [server.client.post("/predict", json={"values": [9]}, headers=headers) for _ in range(2)]

    assert {answer.status_code for answer in answers} == {200}
    rows = real_stores.sql('SELECT "timestamp" FROM predictions WHERE id = %s', answers[0].json()["id"])
    assert rows == [(moment,)]


def test_the_logs_latency_covers_the_time_of_the_answer(server: ServingProcess, real_stores: Stores) -> None:
    """Seconds, below what the client saw."""
    answer = server.predict({"values": [123.5]})

    ((latency,),) = real_stores.sql("SELECT latency FROM predictions WHERE id = %s", answer.json()["id"])
    assert 0 < latency < answer.elapsed.total_seconds()


def test_an_answer_comes_in_one_piece(server: ServingProcess) -> None:
    """If the process were killed after the head, nginx could not retry on another replica."""
    request = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        pieces = []
        for _ in range(100):
            connection.sendall(request + b'{"values":[5]}')
            pieces.append(connection.recv(65_536))

    assert all(piece.startswith(b"HTTP/1.1 200 ") for piece in pieces)
    assert all(piece.endswith(b"}") for piece in pieces)
