"""Fixtures for the steps: with nothing done yet, with a first version promoted; a prediction log to watch."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.processes.drift_log import create_log
from tests.harness.processes.steps import Steps
from tests.harness.processes.store_process import PostgresServer


@pytest.fixture
def steps(database_url: str, tmp_path: Path) -> Steps:
    """The steps on an empty database and an empty model volume."""
    return Steps(database_url, tmp_path / "models")


@pytest.fixture(scope="session")
def _first_version(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """Run every step once for all tests that begin with a promoted version."""
    postgres.execute("CREATE DATABASE first_version")
    steps = Steps(postgres.url("first_version"), tmp_path_factory.mktemp("first") / "models")
    assert [outcome.code for outcome in steps.run_all()] == [0, 0, 0, 0]
    return steps


@pytest.fixture
def trained(postgres: PostgresServer, _first_version: Steps, tmp_path: Path) -> Iterator[Steps]:
    """The steps on a copy of a database and a model volume in which version 1 is current."""
    name = f"test_{secrets.token_hex(6)}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE first_version")
    shutil.copytree(_first_version.model_dir, tmp_path / "models", symlinks=True)
    yield Steps(postgres.url(name), tmp_path / "models")
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def log_url(database_url: str) -> str:
    """An empty prediction log."""
    create_log(database_url)
    return database_url
