"""Every command of docs/operations.md in production form, in its order, and what must come of it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.harness.documents.command import Check, Command
from tests.harness.documents.outcomes import answer, prints
from tests.harness.production.secret_files import KEYS
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack
from tests.harness.stack.containers import find

_KEY = f"-H 'X-API-Key: {KEYS[0]}'"
_ASKS_FOR_A_KEY = "production asks for an API key"
_OWN_FOLDER = "backups/ may hold a user's own"
_HOSTS = "the hosts are placeholders"
_LATEST_JOB = "LATEST_JOB"  # the variable in which the walk keeps a job's id


def healthy(stack: Stack, _output: str) -> None:
    """Everything that serves is healthy, and no local database runs."""
    servers = [each for each in stack.containers() if each.is_server]
    assert {each.health for each in servers} <= {"healthy", ""}
    assert not {"database", "postgres"} & {each.service for each in servers}


def replicas(**expected: int) -> Check:
    """Return the check that so many replicas run, all healthy."""

    def check(stack: Stack, _output: str) -> None:
        for service, count in expected.items():
            found = [each.health for each in find(stack.project, service.replace("_", "-"))]
            assert found == ["healthy"] * count, service

    return check


def accepted(stack: Stack, output: str) -> None:
    """The job is accepted; its id is kept for the next command."""
    assert "HTTP/1.1 202" in output
    location = re.search(r"(?i)^location: (\S+)", output, re.MULTILINE)
    assert location
    stack.environment[_LATEST_JOB] = location[1].rpartition("/")[2]


def completed(_stack: Stack, output: str) -> None:
    """The report has the predictions."""
    report = answer(output)
    assert report["state"] == "completed"
    assert len(report["predictions"]) == 3


def saved(folder: str, *files: str) -> Check:
    """Return the check that a backup holds exactly these files."""

    def check(stack: Stack, _output: str) -> None:
        path = ROOT / folder.replace("PROJECT", stack.project)
        assert {file.name for file in path.iterdir()} == set(files)

    return check


def nothing_is_left(stack: Stack, _output: str) -> None:
    """No container; what else the stack needs to be empty is the caller's."""
    assert not stack.containers()


def two_versions(stack: Stack, output: str) -> None:
    """The first version is listed, without a word about images; another one is made for the next command."""
    assert "building" not in output
    assert "DONE" not in output
    stack.compose("up", "--detach", "--wait", env={"DATA_SEED": "7"})


_BACKUP = "build/backups/PROJECT"

OPERATIONS = (
    Command("export COMPOSE_FILE=docker-compose.yaml:docker-compose.prod.yaml"),
    Command("scripts/bootstrap/base-images.sh ensure"),
    Command("docker compose up --build --wait", healthy),
    Command(
        "export DATABASE_ADMIN_URL=postgresql://USER:PASSWORD@TRAINING_HOST:5432/dsproject",
        reason=_HOSTS,
        instead='export DATABASE_ADMIN_URL="$TRAINING"',
    ),
    Command(
        "export POSTGRES_ADMIN_URL=postgresql://USER:PASSWORD@PREDICTIONS_HOST:5432/predictions",
        reason=_HOSTS,
        instead='export POSTGRES_ADMIN_URL="$PREDICTIONS"',
    ),
    Command(
        "scripts/operate/backup.sh backups/today",
        saved(f"{_BACKUP}/today", "dsproject.dump", "predictions.dump", "models.tar", "settings"),
        reason=_OWN_FOLDER,
        instead=f"scripts/operate/backup.sh {_BACKUP}/today",
    ),
    Command(
        "scripts/operate/backup.sh --without-databases backups/models",
        saved(f"{_BACKUP}/models", "models.tar", "settings"),
        reason=_OWN_FOLDER,
        instead=f"scripts/operate/backup.sh --without-databases {_BACKUP}/models",
    ),
    Command("docker compose down --volumes", nothing_is_left),
    Command(
        "scripts/operate/restore.sh backups/today",
        healthy,
        reason=_OWN_FOLDER,
        instead=f"scripts/operate/restore.sh {_BACKUP}/today",
    ),
    Command(
        "API_REPLICAS=2 SERVE_REPLICAS=2 docker compose up --detach --wait", replicas(api=2, model_serve=2)
    ),
    Command("scripts/operate/rolling-update.sh api", replicas(api=2)),
    Command("scripts/operate/rolling-update.sh model-serve", replicas(model_serve=2)),
    Command("export COMPOSE_PROFILES=async"),
    Command("scripts/bootstrap/base-images.sh ensure"),
    Command("WORKER_REPLICAS=3 docker compose up --build --detach --wait", replicas(worker=3)),
    Command(
        "curl -i localhost:8000/jobs -H 'Content-Type: application/json' -H 'Idempotency-Key: order-17' "
        """-d '{"features": [1.0, 2.0, 3.0]}'""",
        accepted,
        reason=_ASKS_FOR_A_KEY,
        instead=f"curl -i localhost:8000/jobs {_KEY} -H 'Content-Type: application/json' "
        """-H 'Idempotency-Key: order-17' -d '{"features": [1.0, 2.0, 3.0]}'""",
    ),
    Command(
        "curl 'localhost:8000/jobs/01a20016-b3e0-7c13-b310-858feb29819a?wait=10'",
        completed,
        reason=f"{_ASKS_FOR_A_KEY}, and the job is another one",
        instead=f'curl {_KEY} "localhost:8000/jobs/${_LATEST_JOB}?wait=10"',
    ),
    Command(
        "docker compose logs worker | grep 'attempt failed'",
        reason="no attempt has failed, and grep then exits with 1",
        instead="docker compose logs worker | grep -c 'attempt failed' || true",
    ),
    Command(
        "docker compose exec rabbitmq rabbitmqctl list_queues name messages consumers",
        prints("name", "messages", "consumers", "jobs"),
    ),
    Command("docker compose run --rm models list", two_versions),
    Command("docker compose run --rm models rollback", prints("1")),
    Command(
        "scripts/bootstrap/ports.sh",
    ),
)


def delete_backups(stack: Stack) -> None:
    """Delete what the commands have saved."""
    folder = Path(ROOT / _BACKUP.replace("PROJECT", stack.project))
    for file in folder.glob("*/*"):
        file.unlink()
