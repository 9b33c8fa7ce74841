"""Backup and restore where the databases are not in the stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness.production.external_stores import PASSWORD
from tests.harness.production.secret_files import KEYS
from tests.harness.production.stack import Production, empty_production
from tests.harness.stack.containers import find
from tests.harness.stack.scripts import only_line, operate, succeed
from tests.harness.stack.waiting import wait_until

_ROWS = "SELECT count(*), md5(string_agg(id::text || prediction::text, ',' ORDER BY id)) FROM predictions"
_FILES = {"COMPOSE_FILE": "docker-compose.yaml:docker-compose.prod.yaml"}


@pytest.fixture(scope="module")
def backup(stack: Production, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole backup, with at least one prediction in it."""
    folder = tmp_path_factory.mktemp("backups") / "backup"
    predict(stack)
    succeed(operate("backup.sh", str(folder), environment=stack.environment | stack.administrator()))
    return folder


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """Another production stack, not started, with an external server that has just databases and roles."""
    with empty_production(tmp_path_factory.mktemp("secrets"), "prod-restored") as empty:
        yield empty


def predict(stack: Production) -> list[float]:
    """Return a prediction of the api."""
    url = f"http://localhost:{stack.port('API_PORT')}/predict"
    answer = httpx.post(url, json={"features": [3.25]}, headers={"X-API-Key": KEYS[0]}, trust_env=False)
    assert answer.status_code == 200, answer.text
    found: list[float] = answer.json()["predictions"]
    return found


def test_without_an_administrators_url_a_backup_says_what_to_do(stack: Production, tmp_path: Path) -> None:
    refused = operate("backup.sh", str(tmp_path / "backup"), environment=stack.environment)

    line = only_line(refused)
    assert "DATABASE_ADMIN_URL" in line
    assert "--without-databases" in line
    assert list(tmp_path.iterdir()) == []


def test_without_databases_model_volume_and_settings_are_saved(stack: Production, tmp_path: Path) -> None:
    folder = tmp_path / "backup"

    succeed(operate("backup.sh", "--without-databases", str(folder), environment=stack.environment))

    assert {path.name for path in folder.iterdir()} == {"models.tar", "settings"}
    settings = (folder / "settings").read_text()
    assert "DATA_SAMPLES=100\n" in settings
    assert not [secret for secret in (PASSWORD, *KEYS) if secret in settings]


def test_a_backup_that_is_not_let_in_leaves_nothing(stack: Production, tmp_path: Path) -> None:
    wrong = {name: url.replace(PASSWORD, "wrong") for name, url in stack.administrator().items()}

    failed = operate("backup.sh", str(tmp_path / "backup"), environment=stack.environment | wrong)

    line = only_line(failed)
    assert line.startswith("ml-stack: nothing was saved: dsproject: ")
    assert 'password authentication failed for user "postgres"' in line
    assert list(tmp_path.iterdir()) == []


def test_a_restore_without_an_administrators_url_starts_nothing(backup: Path, empty: Production) -> None:
    refused = operate("restore.sh", str(backup), environment=empty.environment | _FILES)

    assert "set DATABASE_ADMIN_URL (dsproject) and POSTGRES_ADMIN_URL (predictions)" in only_line(refused)
    assert not find(empty.project)


def test_a_restore_into_databases_that_hold_data_starts_nothing(
    stack: Production, backup: Path, empty: Production
) -> None:
    full = stack.administrator()

    refused = operate("restore.sh", str(backup), environment=empty.environment | _FILES | full)

    assert only_line(refused) == "ml-stack: dsproject holds data: restore into an empty database"
    assert not find(empty.project)


def test_a_backup_restores_data_models_and_log(stack: Production, backup: Path, empty: Production) -> None:
    logged = stack.psql("predictions", _ROWS)

    restored = empty.environment | _FILES | empty.administrator()
    succeed(operate("restore.sh", str(backup), environment=restored))

    assert empty.psql("predictions", _ROWS) == logged
    assert empty.psql("dsproject", "SELECT count(*), max(x) FROM linear_data") == stack.psql(
        "dsproject", "SELECT count(*), max(x) FROM linear_data"
    )
    assert predict(empty) == predict(stack)
    more = int(logged.split("|")[0]) + 1
    count = "SELECT count(*) FROM predictions"
    wait_until(lambda: empty.psql("predictions", count) == str(more), 10, "the new prediction in the log")
    assert PASSWORD not in (backup / "settings").read_text()
