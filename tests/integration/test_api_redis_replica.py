"""A Redis with a replica: what waits for PostgreSQL outlives the primary if the api waits for the replica."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import redis as redis_client
from tests.harness.processes.inference import QUEUE, Stores, inference, is_healthy, stores
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import ServingProcess, eventually, publish_line
from tests.harness.processes.store_process import RedisServer
from tests.harness.processes.stores import REDIS_PASSWORD, shipped_redis


@dataclass
class Replicated:
    """The log's stores, a replica of its Redis, and the file with the address that the api follows."""

    stores: Stores
    replica: RedisServer
    address: Path

    def is_in_sync(self) -> bool:
        """Return whether the replica follows the primary."""
        with redis_client.Redis.from_url(self.replica.url(), socket_timeout=2) as client:
            return str(client.info("replication").get("master_link_status")) == "up"

    def promote(self) -> None:
        """Make the replica the Redis of the api, as an administrator does."""
        with redis_client.Redis.from_url(self.replica.url(), socket_timeout=5) as client:
            client.replicaof("NO", "ONE")
        self.address.write_text(self.replica.url("api"))
        self.stores.redis = self.replica

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the replica receive nothing."""
        self.replica.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.replica.signal(signal.SIGCONT)


@pytest.fixture
def replicated(tmp_path: Path) -> Iterator[Replicated]:
    """Real ones, of this test only."""
    with stores() as started:
        of = ["--replicaof", "127.0.0.1", str(started.redis.port)]
        with shipped_redis(*of, "--masteruser", "default", "--masterauth", REDIS_PASSWORD) as replica:
            address = tmp_path / "redis_url"
            address.write_text(started.redis.url("api"))
            both = Replicated(started, replica, address)
            assert eventually(both.is_in_sync, 20), replica.log()
            yield both


@contextmanager
def serving(replicated: Replicated, folder: Path, **settings: object) -> Iterator[ServingProcess]:
    """Run the api with the address in its file. It waits for seconds: its heartbeat has to wait as well."""
    publish_line(folder / "models", 2.0)
    followed = {"REDIS_URL": "", "REDIS_URL_FILE": replicated.address, "QUEUE_TIMEOUT_SECONDS": 5.0}
    given = followed | settings
    with inference(folder / "models", folder / "log", replicated.stores, **given) as process:
        assert eventually(lambda: is_healthy(process), 30), process.log_path.read_text()
        yield process


def test_what_waits_for_postgres_outlives_the_primary(replicated: Replicated, tmp_path: Path) -> None:
    with serving(replicated, tmp_path, QUEUE_REPLICAS=1) as api:
        with stopped(replicated.stores.postgres):
            answers = [api.predict({"values": [float(value)]}) for value in range(30)]
            replicated.stores.redis.kill()
            replicated.promote()
            assert replicated.stores.queued() == len(answers)

        assert {answer.status_code for answer in answers} == {200}
        assert eventually(lambda: is_healthy(api) and replicated.stores.queued() == 0, 30)
        ids = [answer.json()["id"] for answer in answers]
        assert set(replicated.stores.times_logged(ids).values()) == {1}


def test_without_the_replica_nothing_is_acknowledged_that_has_to_wait(
    replicated: Replicated, tmp_path: Path
) -> None:
    with serving(replicated, tmp_path, QUEUE_REPLICAS=1) as api, replicated.frozen():
        while_postgres_is_up = api.predict({"values": [1.0]})
        with stopped(replicated.stores.postgres):
            refused = api.predict({"values": [2.0]})
            queued = replicated.stores.queued()

        assert while_postgres_is_up.status_code == 200
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "5"
        assert "0 of 1 replicas of Redis have received it" in refused.json()["detail"]
        assert queued == 0  # it was taken back


def test_a_primary_that_wants_replicas_of_its_own_refuses_in_the_same_way(
    replicated: Replicated, tmp_path: Path
) -> None:
    with serving(replicated, tmp_path) as api:
        with replicated.stores.connect_redis() as primary:
            primary.config_set("min-replicas-to-write", 2)
        with stopped(replicated.stores.postgres):
            refused = api.predict({"values": [2.0]})

        assert refused.status_code == 503
        assert "Redis has too few replicas" in refused.json()["detail"]


def test_by_default_a_replica_that_was_away_lacks_what_was_acknowledged(
    replicated: Replicated, tmp_path: Path
) -> None:
    with serving(replicated, tmp_path) as api, stopped(replicated.stores.postgres):
        replicated.replica.stop()
        answer = api.predict({"values": [3.0]})
        replicated.stores.redis.kill()
        replicated.replica.start()

        with redis_client.Redis.from_url(replicated.replica.url(), socket_timeout=5) as replica:
            assert answer.status_code == 200
            assert replica.xlen(QUEUE) == 0
