"""A backup of the running stack, restored into an empty one beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.processes.stores import free_port
from tests.harness.stack.compose import Stack
from tests.harness.stack.scripts import only_line, operate, succeed

_PORTS = ("SERVE_PORT", "API_PORT", "PROMETHEUS_PORT", "DATABASE_PORT", "POSTGRES_PORT", "REDIS_PORT")
_ROWS = "SELECT count(*), md5(string_agg(id::text || prediction::text, ',' ORDER BY id)) FROM predictions"
_REFUSAL = "restore into an empty one (docker compose down -v)"


@pytest.fixture(scope="module")
def empty(stack: Stack) -> Iterator[Stack]:
    """A second project without any volume."""
    ports = {name: str(free_port()) for name in _PORTS}
    second = Stack(stack.environment | ports | {"COMPOSE_PROJECT_NAME": f"{stack.project}-restored"})
    yield second
    second.compose("down", "--volumes", "--remove-orphans", "--timeout", "2", "--rmi", "local")


@pytest.fixture(scope="module")
def restored(stack: Stack, empty: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The second project, with a backup of the first one in it."""
    folder = str(tmp_path_factory.mktemp("backups") / "backup")
    stack.api.post("/predict", json={"features": [3.25]})
    succeed(operate("backup.sh", folder, environment=stack.environment))
    succeed(operate("restore.sh", folder, environment=empty.environment))
    return empty


def rows(stack: Stack) -> str:
    """Return how many rows models are trained on."""
    return stack.psql("database", "dsproject", "SELECT count(*) FROM linear_data")


def test_a_backup_restores_data_models_and_log(stack: Stack, restored: Stack) -> None:
    question = {"features": [3.25]}

    assert restored.psql("postgres", "predictions", _ROWS) == stack.psql("postgres", "predictions", _ROWS)
    assert rows(restored) == "100"
    with restored.client("API_PORT") as client:
        after = client.post("/predict", json=question).json()
    before = stack.api.post("/predict", json=question).json()
    assert [after[key] for key in ("predictions", "model_version")] == [
        before[key] for key in ("predictions", "model_version")
    ]


def test_the_list_of_versions_is_printed_without_building_an_image(stack: Stack, restored: Stack) -> None:
    listed = restored.compose("run", "--rm", "-T", "models", "list")

    assert listed.stdout == stack.compose("run", "--rm", "-T", "models", "list").stdout
    assert len(listed.stdout.splitlines()) >= 2  # a heading and a version
    assert "build" not in listed.stderr.lower()


def test_a_stack_that_runs_is_left_alone(restored: Stack, tmp_path: Path) -> None:
    folder = str(tmp_path / "backup")
    succeed(operate("backup.sh", folder, environment=restored.environment))

    refused = operate("restore.sh", folder, environment=restored.environment)

    assert only_line(refused).endswith(_REFUSAL)


def test_a_backup_that_fails_leaves_nothing(restored: Stack, tmp_path: Path) -> None:
    restored.compose("stop", "--timeout", "2", "postgres")

    failed = operate("backup.sh", str(tmp_path / "backup"), environment=restored.environment)

    restored.compose("start", "postgres")
    assert only_line(failed).startswith("ml-stack: nothing was saved: predictions: ")
    assert list(tmp_path.iterdir()) == []


def test_a_backup_holds_the_settings_that_its_data_were_made_with(restored: Stack, tmp_path: Path) -> None:
    folder = str(tmp_path / "backup")
    restored.compose("up", "--detach", "--wait", env={"DATA_SAMPLES": "150"})
    succeed(operate("backup.sh", folder, environment=restored.environment))
    restored.compose("down", "--volumes", "--timeout", "2")

    contradicted = restored.environment | {"DATA_SAMPLES": "100"}
    refused = operate("restore.sh", folder, environment=contradicted)
    left = restored.containers()
    output = succeed(operate("restore.sh", folder, environment=restored.environment))

    assert "unset them: DATA_SAMPLES=100 (backup: 150)" in only_line(refused)
    assert not left
    (note,) = [line for line in output.splitlines() if line.startswith("note:")]
    assert note.endswith(" prepares data and model anew: DATA_SAMPLES=150")
    assert rows(restored) == "150"
    assert "demo" not in (Path(folder) / "settings").read_text()


def test_a_backup_that_cannot_be_read_leaves_nothing(restored: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    succeed(operate("backup.sh", str(folder), environment=restored.environment))
    restored.compose("down", "--volumes", "--timeout", "2")
    dump = (folder / "predictions.dump").read_bytes()
    (folder / "predictions.dump").write_bytes(dump[: len(dump) // 2])

    failed = operate("restore.sh", str(folder), environment=restored.environment | {"DATA_SAMPLES": "150"})

    assert failed.returncode == 1
    assert "ml-stack: predictions could not be restored; it is as it was before" in failed.stderr
    assert not restored.containers()
    assert not _data_volumes(restored)


def test_a_folder_that_is_no_whole_backup_is_refused(empty: Stack, tmp_path: Path) -> None:
    refused = operate("restore.sh", str(tmp_path), environment=empty.environment)

    assert only_line(refused) == f"ml-stack: {tmp_path} has no models.tar: it is not a complete backup"


def _data_volumes(stack: Stack) -> list[str]:
    names = stack.compose("volumes", "--quiet", check=False).stdout.split()
    return [name for name in names if name.endswith("_data")]
