"""A DNS server that never answers for unknown names, as a container's does for services that are away."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.processes.inference import (
    DATABASE,
    INFERENCE_PASSWORD,
    Stores,
    inference,
    is_healthy,
)
from tests.harness.processes.name_server import NameServer, name_server
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import ServingProcess, eventually, serving
from tests.harness.repository import read

_RECONNECTED_SECONDS = 5.0
_PILE_UP_SECONDS = 25.0  # for attempts that were given up to fill whatever look-ups share


@pytest.fixture
def names(tmp_path: Path) -> Iterator[NameServer]:
    """The DNS server; it knows no name yet."""
    with name_server(tmp_path) as server:
        yield server


@contextmanager
def _api(
    names: NameServer, model_dir: Path, tmp_path: Path, real_stores: Stores, **settings: str
) -> Iterator[ServingProcess]:
    """The service as its image sets it up, with stores by names; RabbitMQ's is never answered."""
    login, redis = f"inference:{INFERENCE_PASSWORD}", real_stores.redis
    addresses = {
        "DATABASE_URL": f"postgresql://{login}@postgres:{real_stores.postgres.port}/{DATABASE}",
        "REDIS_URL": redis.url("api").replace("127.0.0.1", "redis"),
        "AMQP_URL": "amqp://jobs:secret@rabbitmq:5672/",
        "RES_OPTIONS": _of_image("RES_OPTIONS"),
    }
    log = tmp_path / "api.log"
    with inference(model_dir, log, real_stores, *names.prefix, **(addresses | settings)) as process:
        yield process


def _of_image(variable: str) -> str:
    (value,) = re.findall(rf'{variable}="([^"]+)"', read("api/Dockerfile"))
    return str(value)


def assert_soon(probe: Callable[[], bool], server: ServingProcess) -> None:
    """Fail unless the probe is true within seconds from now; say how the service was doing if it never is."""
    began = time.monotonic()
    assert eventually(probe, 300), server.log_path.read_text()

    assert time.monotonic() - began < _RECONNECTED_SECONDS


def test_a_cold_start_waits_for_no_name_that_is_not_answered(
    names: NameServer, model_dir: Path, tmp_path: Path, real_stores: Stores
) -> None:
    names.known = {"postgres", "redis"}
    with _api(names, model_dir, tmp_path, real_stores) as api:
        assert_soon(lambda: is_healthy(api), api)


def test_postgres_is_found_within_seconds_of_its_return(
    names: NameServer, model_dir: Path, tmp_path: Path, real_stores: Stores
) -> None:
    names.known = {"postgres", "redis"}
    with _api(names, model_dir, tmp_path, real_stores) as api:
        assert eventually(lambda: is_healthy(api)), api.log_path.read_text()
        with stopped(real_stores.postgres):
            names.known = {"redis"}
            assert not eventually(lambda: is_healthy(api), _PILE_UP_SECONDS)
        names.known = {"postgres", "redis"}

        assert_soon(lambda: is_healthy(api), api)


def test_redis_is_found_while_postgres_is_not_answered(
    names: NameServer, model_dir: Path, tmp_path: Path, real_stores: Stores
) -> None:
    names.known = {"redis"}
    with _api(names, model_dir, tmp_path, real_stores) as api:
        assert not eventually(lambda: is_healthy(api), _PILE_UP_SECONDS / 2)
        with stopped(real_stores.redis):
            assert eventually(lambda: api.client.get("/health").json()["redis"] == "unreachable")

        assert_soon(lambda: api.client.get("/health").json()["redis"] == "connected", api)


def test_a_store_that_keeps_its_address_is_found_without_any_dns(
    names: NameServer, model_dir: Path, tmp_path: Path, real_stores: Stores
) -> None:
    names.known = {"postgres", "redis"}
    with _api(names, model_dir, tmp_path, real_stores) as api:
        assert eventually(lambda: is_healthy(api)), api.log_path.read_text()
        names.known = set()
        with stopped(real_stores.postgres):
            assert not eventually(lambda: is_healthy(api), _PILE_UP_SECONDS / 2)

        assert_soon(lambda: is_healthy(api), api)


def test_a_name_that_is_denied_is_told_and_not_dialled_where_it_was(
    names: NameServer, model_dir: Path, tmp_path: Path, real_stores: Stores
) -> None:
    names.known, names.denies = {"postgres", "redis"}, True
    with _api(names, model_dir, tmp_path, real_stores) as api:
        assert eventually(lambda: is_healthy(api)), api.log_path.read_text()
        names.known = {"redis"}
        with stopped(real_stores.postgres):
            pass
        told = "the host name is unknown"

        assert eventually(lambda: api.client.get("/health").json().get("database_reason") == told)


def test_a_name_that_is_not_configured_is_not_asked_for(
    names: NameServer, model_dir: Path, tmp_path: Path, real_stores: Stores
) -> None:
    names.known = {"postgres", "redis"}
    with _api(names, model_dir, tmp_path, real_stores, AMQP_URL="") as api:
        assert eventually(lambda: is_healthy(api)), api.log_path.read_text()

        assert set(names.asked) == {"postgres", "redis"}


def test_flask_finds_its_database_within_seconds_of_its_return(
    names: NameServer, model_dir: Path, tmp_path: Path, real_stores: Stores
) -> None:
    url = real_stores.postgres.url().replace("127.0.0.1", "database")
    options = {"RES_OPTIONS": _of_image("RES_OPTIONS")}
    log = tmp_path / "flask.log"
    with serving(model_dir, log, url, *names.prefix, **options) as flask:
        assert not eventually(lambda: _database(flask) == "connected", _PILE_UP_SECONDS / 2)
        names.known = {"database"}

        assert_soon(lambda: _database(flask) == "connected", flask)


def _database(flask: ServingProcess) -> str:
    return str(flask.client.get("/health").json()["database"])
