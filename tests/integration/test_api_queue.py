"""The queue of the prediction log: limited, refusing when full, and no row can block the others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.harness.processes.inference import QUEUE, REJECTED, Stores, inference, is_healthy
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import ServingProcess, eventually, publish_line

LIMIT = 25


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """A queue of 25 rows, and no need to wait for PostgreSQL."""
    root: Path = tmp_path_factory.mktemp("queue")
    publish_line(root / "models", 2.0)
    with inference(root / "models", root / "log", real_stores, QUEUE_LIMIT=LIMIT) as process:
        yield process


def has_drained(server: ServingProcess) -> bool:
    """Return whether the service knows that nothing waits."""
    return server.metric("prediction_log_queue_length") == 0


@pytest.fixture(autouse=True)
def _healthy(server: ServingProcess) -> None:
    assert eventually(partial(is_healthy, server), 30)


def test_a_full_queue_refuses_and_never_drops(server: ServingProcess, real_stores: Stores) -> None:
    """The first 25 are queued, the rest is told to come back; afterwards the table has exactly the 25."""
    with stopped(real_stores.postgres):
        answers = [server.predict({"values": [i]}) for i in range(40)]
        queued = real_stores.queued()
        shown = server.metric("prediction_log_queue_length")

    statuses = [answer.status_code for answer in answers]
    assert statuses == [200] * LIMIT + [503] * 15
    assert {answer.headers.get("retry-after") for answer in answers[LIMIT:]} == {"5"}
    assert "25 predictions are waiting" in answers[-1].json()["detail"]
    assert queued == shown == server.metric("prediction_log_queue_limit") == LIMIT
    assert eventually(lambda: real_stores.queued() == 0, 30)
    ids = [answer.json()["id"] for answer in answers[:LIMIT]]
    assert set(real_stores.times_logged(ids).values()) == {1}


def test_it_takes_rows_again_once_it_has_drained(server: ServingProcess, real_stores: Stores) -> None:
    """A full queue recovers."""
    with stopped(real_stores.postgres):
        answers = [server.predict({"values": [i]}) for i in range(LIMIT + 1)]
    assert answers[-1].status_code == 503
    assert eventually(lambda: real_stores.queued() == 0 and is_healthy(server), 30)

    assert server.predict({"values": [1]}).status_code == 200


POISON = {
    "no JSON": b"x",
    "no UTF-8": b'{"id":"\xff"}',
    "no object": b"[1]",
    "an id that is none": b'{"id":"x"}',
    "nothing in it": b"{}",
    "a zero character": b'{"id":"\\u0000"}',
    "a time that never comes": b'{"id":"01890a5d-ac96-774b-bcce-b302099a8057","milliseconds":1e300}',
}


@pytest.mark.parametrize("name", POISON)
def test_a_row_that_postgresql_refuses_is_set_aside(
    server: ServingProcess, real_stores: Stores, name: str
) -> None:
    """The rows before and after it are stored; it is kept for inspection."""
    with stopped(real_stores.postgres), real_stores.connect_redis() as client:
        client.delete(REJECTED)
        ids = [server.predict({"values": [i]}).json()["id"] for i in range(5)]
        client.xadd(QUEUE, {"row": POISON[name]})
        ids += [server.predict({"values": [i]}).json()["id"] for i in range(5)]

    assert eventually(lambda: real_stores.queued() == 0, 30)
    with real_stores.connect_redis() as client:
        assert [fields for _, fields in client.xrange(REJECTED)] == [{b"row": POISON[name]}]
    assert set(real_stores.times_logged(ids).values()) == {1}


def test_rows_of_many_instances_drain_in_batches_that_fit_into_memory(
    server: ServingProcess, real_stores: Stores
) -> None:
    """20 requests of 10,000 rows each are 20 MB of log."""
    with stopped(real_stores.postgres):
        answers = [server.predict({"values": [i + j / 1e4 for j in range(10_000)]}) for i in range(20)]
    assert {answer.status_code for answer in answers} == {200}

    assert eventually(lambda: real_stores.queued() == 0, 60)
    ids = [answer.json()["id"] for answer in answers]
    batches = "SELECT count(DISTINCT xmin::text), count(*) FROM predictions WHERE id = ANY(%s::uuid[])"
    ((transactions, rows),) = real_stores.sql(batches, ids)
    assert rows == 20
    assert transactions >= 2


def test_two_replicas_drain_one_queue_without_doubling(
    server: ServingProcess, real_stores: Stores, tmp_path: Path
) -> None:
    """Both take the same rows; each is in the table once."""
    with inference(server.model_dir, tmp_path / "log", real_stores, QUEUE_LIMIT=LIMIT) as other:
        assert eventually(partial(is_healthy, other), 30)
        with stopped(real_stores.postgres):
            answers = [replica.predict({"values": [i]}) for i in range(12) for replica in (server, other)]
        assert eventually(lambda: real_stores.queued() == 0, 60)
        for replica in (server, other):
            assert eventually(partial(is_healthy, replica), 30)
            assert eventually(partial(has_drained, replica))

    assert {answer.status_code for answer in answers} == {200}
    assert set(real_stores.times_logged([answer.json()["id"] for answer in answers]).values()) == {1}
