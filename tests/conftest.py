"""Fixtures for every test: real stores, started once, each test with its own database."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.harness.processes.inference import Stores, stores
from tests.harness.processes.serving import publish_line
from tests.harness.processes.store_process import PostgresServer, RedisServer
from tests.harness.processes.stores import postgres_server, redis_server

settings.register_profile("untimed", deadline=None)  # no test asserts a time
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL for the whole session: do not stop it, start one of your own for that."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A Redis for the whole session: do not stop it, start one of your own for that."""
    with redis_server() as server:
        yield server


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty database of this test only."""
    name = f"test_{secrets.token_hex(6)}"
    postgres.execute(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def real_stores() -> Iterator[Stores]:
    """Both stores of the prediction path, of this module only: it may stop them."""
    with stores() as started:
        yield started


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model volume of this module only, with one version: y = 2x + 1."""
    root: Path = tmp_path_factory.mktemp("volume") / "models"
    publish_line(root, 2.0)
    return root
