"""Overload and shutdown of the api: accepted requests are answered in time, others are refused at once."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.harness.processes.inference import Stores, inference, is_healthy
from tests.harness.processes.outage import slow_inserts, stopped
from tests.harness.processes.serving import ServingProcess, eventually

CLIENTS = 24


def ask(url: str, number: int) -> httpx.Response:
    """Send one request over a new connection."""
    return httpx.post(f"{url}/predict", json={"values": [number]}, timeout=30)


def assert_logged_once(real_stores: Stores, answers: list[httpx.Response]) -> None:
    """Assert that each answered id is in the table once the queue is empty."""
    assert eventually(lambda: real_stores.queued() == 0, 60)
    ids = [answer.json()["id"] for answer in answers if answer.status_code == 200]
    assert ids
    assert {id_: n for id_, n in real_stores.times_logged(ids).items() if n != 1} == {}


def test_overload_is_refused_at_once_and_what_is_accepted_stays_quick(
    model_dir: Path, real_stores: Stores, tmp_path: Path
) -> None:
    """24 clients, room for four, a third of a second for each commit: no client waits for long."""
    limits = {"MAX_PENDING": 4, "INSERT_TIMEOUT_SECONDS": 5}
    with inference(model_dir, tmp_path / "log", real_stores, **limits) as server:
        assert eventually(partial(is_healthy, server), 30)
        with slow_inserts(real_stores, 0.3), concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(partial(ask, str(server.client.base_url)), range(10 * CLIENTS)))
        in_flight = server.metric("http_requests_in_flight")

    refused = [answer for answer in answers if answer.status_code != 200]
    assert {answer.status_code for answer in refused} == {503}
    assert {answer.headers["content-type"] for answer in refused} == {"application/problem+json"}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert max(answer.elapsed.total_seconds() for answer in answers) < 10
    assert in_flight == 1  # the scrape itself
    assert_logged_once(real_stores, answers)


@contextmanager
def requests_in_flight(
    server: ServingProcess, n: int
) -> Iterator[list[concurrent.futures.Future[httpx.Response]]]:
    """Have `n` requests wait for their answers."""
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        futures = [pool.submit(ask, str(server.client.base_url), number) for number in range(n)]
        assert eventually(lambda: server.metric("http_requests_in_flight") == n + 1)
        yield futures


@pytest.mark.parametrize("insert_timeout", [10, 1], ids=["logged directly", "logged by the queue"])
def test_sigterm_answers_what_is_in_flight_and_exits_with_0(
    model_dir: Path, real_stores: Stores, tmp_path: Path, insert_timeout: float
) -> None:
    """Requests that wait for a slow commit get their answers; all of them are logged."""
    settings = {"INSERT_TIMEOUT_SECONDS": insert_timeout, "QUEUE_TIMEOUT_SECONDS": 5}
    with inference(model_dir, tmp_path / "log", real_stores, **settings) as server:
        assert eventually(partial(is_healthy, server), 30)
        with slow_inserts(real_stores, 1.5), requests_in_flight(server, 8) as futures:
            started = time.monotonic()
            code = server.terminate()
            took = time.monotonic() - started
        answers = [future.result() for future in futures]

    assert code == 0
    assert took < 15
    assert {answer.status_code for answer in answers} == {200}
    assert len(real_stores.times_logged([answer.json()["id"] for answer in answers])) == 8
    assert not [line for line in server.log_lines() if line["level"] == "error"]


def test_sigterm_while_postgresql_is_away_loses_nothing(
    model_dir: Path, real_stores: Stores, tmp_path: Path
) -> None:
    """The queue survives the process; the next one drains it."""
    with stopped(real_stores.postgres):
        before = real_stores.queued()  # what the test before has left there
        with inference(model_dir, tmp_path / "first", real_stores) as server:
            answers = [server.predict({"values": [i]}) for i in range(20)]
            code = server.terminate()
        queued = real_stores.queued() - before
    with inference(model_dir, tmp_path / "second", real_stores) as server:
        assert_logged_once(real_stores, answers)

    assert code == 0
    assert queued == 20
    assert {answer.status_code for answer in answers} == {200}


def test_sigkill_loses_nothing_that_was_answered(
    model_dir: Path, real_stores: Stores, tmp_path: Path
) -> None:
    """Killed under load, without a clean shutdown."""
    answers: list[httpx.Response] = []

    def ask_until_it_dies(url: str) -> None:
        with httpx.Client(base_url=url) as client:
            while True:
                try:
                    answers.append(client.post("/predict", json={"values": [len(answers)]}))
                except httpx.TransportError:
                    return

    with (
        inference(model_dir, tmp_path / "log", real_stores) as server,
        concurrent.futures.ThreadPoolExecutor(8) as pool,
    ):
        clients = [pool.submit(ask_until_it_dies, str(server.client.base_url)) for _ in range(8)]
        assert eventually(lambda: len(answers) > 100, 30)
        server.process.kill()
        for client in clients:
            client.result()

    assert_logged_once(real_stores, answers)


def test_a_drain_that_is_killed_loses_nothing(model_dir: Path, real_stores: Stores, tmp_path: Path) -> None:
    """Rows leave the queue after they are committed, not before."""
    with slow_inserts(real_stores, 3), inference(model_dir, tmp_path / "first", real_stores) as server:
        assert eventually(lambda: real_stores.queued() == 0, 60)
        with stopped(real_stores.postgres):
            answers = [server.predict({"values": [i]}) for i in range(10)]
        draining = "SELECT 1 FROM pg_stat_activity WHERE usename = 'inference' AND wait_event = 'PgSleep'"
        assert eventually(lambda: bool(real_stores.sql(draining)), 30)
        server.process.kill()
        queued = real_stores.queued()
    with inference(model_dir, tmp_path / "second", real_stores):
        assert_logged_once(real_stores, answers)

    assert queued == 10
    assert {answer.status_code for answer in answers} == {200}
