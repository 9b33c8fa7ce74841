"""With a stopped or frozen store the api keeps its promises, reports its health, recovers automatically."""

from __future__ import annotations

import signal
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import psycopg2
import pytest

from tests.harness.processes.inference import Stores, inference, is_healthy
from tests.harness.processes.outage import frozen, slow_commits, stopped
from tests.harness.processes.serving import ServingProcess, eventually, publish_line
from tests.harness.processes.store_process import RedisServer

# Frozen: connections stay open without an answer, as when a host hangs. Stopped: connections are refused.
POSTGRES = {"stopped": stopped, "frozen": frozen}
_CONNECTIONS = 8  # that the api keeps: 3 for the log, 5 for jobs


@dataclass(frozen=True)
class Outage:
    """Which stores are down and how, and the expected answers of /health and POST /predict."""

    redis: str | None
    postgres: str | None
    health: str
    status: int

    def __str__(self) -> str:
        names = {"redis": self.redis, "postgres": self.postgres}
        return ", ".join(f"{name} {how}" for name, how in names.items() if how)


OUTAGES = [
    Outage("stopped", None, "degraded", 200),
    Outage("frozen", None, "degraded", 200),
    Outage(None, "stopped", "degraded", 200),
    Outage(None, "frozen", "degraded", 200),
    Outage("stopped", "stopped", "unhealthy", 503),
    Outage("frozen", "frozen", "unhealthy", 503),
    Outage("frozen", "stopped", "unhealthy", 503),
    Outage("stopped", "frozen", "unhealthy", 503),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """One process, never restarted: every recovery is automatic."""
    root: Path = tmp_path_factory.mktemp("away")
    publish_line(root / "models", 2.0)
    with inference(root / "models", root / "log", real_stores) as process:
        yield process


@contextmanager
def redis_away(redis: RedisServer, how: str) -> Iterator[None]:
    """Stop it or freeze it until the block ends."""
    if how == "stopped":
        redis.stop()
    else:
        redis.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        if how == "stopped":
            redis.start()
        else:
            redis.signal(signal.SIGCONT)


@contextmanager
def outage_of(real_stores: Stores, outage: Outage) -> Iterator[None]:
    """Cause the outage for the block."""
    with ExitStack() as stack:
        if outage.postgres:
            stack.enter_context(POSTGRES[outage.postgres](real_stores.postgres))
        if outage.redis:
            stack.enter_context(redis_away(real_stores.redis, outage.redis))
        yield


def seconds(answers: list[httpx.Response]) -> float:
    """Return the median time to answer: a shared machine has hiccups."""
    return statistics.median(answer.elapsed.total_seconds() for answer in answers)


@pytest.mark.parametrize("outage", OUTAGES, ids=str)
def test_an_outage_is_survived_and_told(server: ServingProcess, real_stores: Stores, outage: Outage) -> None:
    """Requests are answered, or refused with 503 at once; answered ones are logged once after the outage."""
    assert eventually(partial(is_healthy, server), 30)
    answers: list[httpx.Response] = []
    with outage_of(real_stores, outage):
        first = [server.predict({"values": [i]}) for i in range(3)]
        assert eventually(lambda: server.client.get("/health").json()["status"] == outage.health)
        answers = [server.predict({"values": [i]}) for i in range(20)]
        health = [server.client.get("/health") for _ in range(5)]
        ready = [server.client.get("/readyz") for _ in range(5)]
        live = server.client.get("/livez")

    assert max(answer.elapsed.total_seconds() for answer in first) < 5
    assert {answer.status_code for answer in answers} == {outage.status}
    assert seconds(answers) < 1
    assert {answer.status_code for answer in health + ready} == {outage.status}
    assert seconds(health + ready) < 1
    assert live.status_code == 200
    assert_nothing_lost(server, real_stores, first + answers)
    for refused in (answer for answer in first + answers if answer.status_code != 200):
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) >= 1


def assert_nothing_lost(server: ServingProcess, real_stores: Stores, answers: list[httpx.Response]) -> None:
    """Assert that the service recovers, its queue drains, and every answered id is in the table once."""
    assert eventually(partial(is_healthy, server), 30), server.client.get("/health").text
    assert eventually(lambda: real_stores.queued() == 0, 60)
    ids = [answer.json()["id"] for answer in answers if answer.status_code == 200]
    times = real_stores.times_logged(ids)
    assert {id_: n for id_, n in times.items() if n != 1} == {}


def test_the_queue_drains_in_order_of_time(server: ServingProcess, real_stores: Stores) -> None:
    """Rows are drained in order of arrival."""
    assert eventually(partial(is_healthy, server), 30)
    with stopped(real_stores.postgres):
        ids = [server.predict({"values": [i]}).json()["id"] for i in range(50)]
        with real_stores.connect_redis() as client:
            queued = client.xrange("predictions:queue")
    assert eventually(lambda: real_stores.queued() == 0, 60)

    times = [
        prediction[:13] for prediction in ids
    ]  # a UUIDv7's milliseconds; within one, ids are in no order
    assert times == sorted(times)
    assert [fields[b"row"][7:43].decode() for _, fields in queued] == ids
    assert eventually(lambda: server.metric("prediction_log_queue_length") == 0)
    assert server.metric('prediction_log_rows_total{way="drained"}') >= 50


def test_a_commit_that_takes_seconds_does_not_hold_up_answers(
    server: ServingProcess, real_stores: Stores
) -> None:
    """After the time-out a batch goes to the queue; if it commits later as well, no row is duplicated."""
    assert eventually(partial(is_healthy, server), 30)
    with slow_commits(real_stores.sql, 2.0):
        answers = [server.predict({"values": [i / 3]}) for i in range(30)]

    assert {answer.status_code for answer in answers} == {200}
    assert max(answer.elapsed.total_seconds() for answer in answers) < 5
    assert seconds(answers) < 1
    assert_nothing_lost(server, real_stores, answers)


def test_a_locked_table_does_not_use_up_the_servers_connections(
    server: ServingProcess, real_stores: Stores
) -> None:
    """Statements that have timed out in the api end on the server, too, instead of waiting for the lock."""
    assert eventually(partial(is_healthy, server), 30)
    with frozen_table(real_stores):
        answers = [server.predict({"values": [i / 7]}) for i in range(20)]
        assert eventually(lambda: server.metric('prediction_log_rows_total{way="queued"}') > 0)
        answers += [server.predict({"values": [i / 7]}) for i in range(20)]
        assert eventually(lambda: waiting_backends(real_stores) <= _CONNECTIONS, 30)

    assert {answer.status_code for answer in answers} == {200}
    assert_nothing_lost(server, real_stores, answers)


@contextmanager
def frozen_table(real_stores: Stores) -> Iterator[None]:
    """Hold an exclusive lock on the log."""
    connection = psycopg2.connect(real_stores.postgres.url("predictions"))
    try:
        connection.cursor().execute("LOCK TABLE predictions IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        connection.close()


def waiting_backends(real_stores: Stores) -> int:
    """Return how many of the server's connections belong to the api."""
    ((count,),) = real_stores.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'inference'")
    return int(count)


def test_afterwards_the_log_of_the_process_is_clean(server: ServingProcess) -> None:
    """One line for each loss and each recovery; no traceback, no unretrieved task exception."""
    lines = server.log_lines()

    assert [line for line in lines if line["level"] in {"error", "critical"}] == []
    assert len(lines) < 600
