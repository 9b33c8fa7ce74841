"""A backup of the running stack, restored into an empty one beside it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.processes.stores import free_port
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack

_PORTS = ("SERVE_PORT", "API_PORT", "PROMETHEUS_PORT", "DATABASE_PORT", "POSTGRES_PORT", "REDIS_PORT")
_ROWS = "SELECT count(*), md5(string_agg(id::text || prediction::text, ',' ORDER BY id)) FROM predictions"


@pytest.fixture
def empty(stack: Stack) -> Iterator[Stack]:
    """A second project without any volume."""
    ports = {name: str(free_port()) for name in _PORTS}
    second = Stack(stack.environment | ports | {"COMPOSE_PROJECT_NAME": f"{stack.project}-restored"})
    yield second
    second.compose("down", "--volumes", "--remove-orphans", "--timeout", "2", "--rmi", "local")


def run(stack: Stack, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of our scripts for a project."""
    command = [f"scripts/operate/{script}", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=stack.environment, capture_output=True, text=True, check=False
    )


def test_a_backup_restores_data_models_and_log(stack: Stack, empty: Stack, tmp_path: Path) -> None:
    folder = str(tmp_path / "backup")
    question = {"features": [3.25]}
    before = stack.api.post("/predict", json=question).json()
    logged = stack.psql("postgres", "predictions", _ROWS)

    saved = run(stack, "backup.sh", folder)
    restored = run(empty, "restore.sh", folder)

    assert saved.returncode == 0, saved.stdout + saved.stderr
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert empty.psql("postgres", "predictions", _ROWS) == logged
    assert empty.psql("database", "dsproject", "SELECT count(*) FROM linear_data") == "100"
    with empty.api as client:
        after = client.post("/predict", json=question).json()
    assert [after[key] for key in ("predictions", "model_version")] == [
        before[key] for key in ("predictions", "model_version")
    ]
    assert run(empty, "restore.sh", folder).stderr.strip().endswith("docker compose down -v)")
