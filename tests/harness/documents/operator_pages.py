"""Every command of docs/operations.md and docs/monitoring.md, in its order, in production form."""

from __future__ import annotations

import shutil

from tests.harness.documents.command import Command
from tests.harness.documents.operator_outcomes import (
    LATEST_JOB,
    accepted,
    completed,
    dashboards_are_as_committed,
    healthy,
    nothing_is_left,
    replicas,
    saved,
    two_versions,
    watched,
)
from tests.harness.documents.outcomes import prints
from tests.harness.monitoring.images import overlay_images
from tests.harness.production.secret_files import KEYS
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack

_KEY = f"-H 'X-API-Key: {KEYS[0]}'"
_ASKS_FOR_A_KEY = "production asks for an API key"
_OWN_FOLDER = "backups/ may hold a user's own"
_HOSTS = "the hosts are placeholders"
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
        instead=f'curl {_KEY} "localhost:8000/jobs/${LATEST_JOB}?wait=10"',
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
    Command("docker compose run --rm models history", prints("gate")),
    Command("docker compose run --rm models rollback", prints("version 1 is current")),
    Command(
        "scripts/bootstrap/ports.sh",
    ),
)

_WATCHED = "docker-compose.yaml:docker-compose.prod.yaml:docker-compose.monitoring.yaml"
_DEVELOPMENT = "the development form is a command of a document, and is run there"

MONITORING = (
    Command(
        "docker-compose -f docker-compose.yaml -f docker-compose.monitoring.yaml up --build",
        reason=_DEVELOPMENT,
        instead="docker compose config --quiet",
    ),
    Command(
        "export COMPOSE_FILE=docker-compose.yaml:docker-compose.monitoring.yaml",
        reason=_DEVELOPMENT,
        instead=f"export COMPOSE_FILE={_WATCHED}",
    ),
    Command('make up ARGS="--pull never --scale grafana=0"', watched),
    Command(".venv/bin/python -m grafana", dashboards_are_as_committed),
    Command(
        "docker compose run --rm model-monitor python 95-monitor_model.py --once",
        prints("drift: "),
    ),
    Command(f"export COMPOSE_FILE={_WATCHED}"),
    Command(
        "docker compose up --build --wait",
        watched,
        reason="Grafana's image cannot be had here",
        instead="docker compose up --build --wait --pull never --scale grafana=0",
        only_without=overlay_images()["grafana"],
    ),
)


def delete_backups(stack: Stack) -> None:
    """Delete what the commands have saved."""
    shutil.rmtree(ROOT / _BACKUP.replace("PROJECT", stack.project), ignore_errors=True)
