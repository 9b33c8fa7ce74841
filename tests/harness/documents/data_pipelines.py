"""Every command of "Multi-Container Data Pipeline Project" in its order, and its expected outcome."""

from __future__ import annotations

from tests.harness.documents import overlays, passwords, pipeline_answers, pipeline_operations, scaling
from tests.harness.documents.command import Command
from tests.harness.documents.outcomes import everything_runs, follows, prints

PREDICT = """\
curl -X POST http://localhost:5000/predict \\
  -H "Content-Type: application/json" \\
  -d '{"values": [5]}'"""
COUNT = 'docker-compose exec database psql -U postgres -d dsproject -c "SELECT COUNT(*) FROM linear_data;"'
MOVE_PORT = """\
ports:
  - "8080:5000\""""
PRODUCTION = "docker-compose -f docker-compose.yaml -f docker-compose.prod.yaml up"
MONITORING = "docker-compose -f docker-compose.yaml -f docker-compose.monitoring.yaml up"

QUICK_START = (
    Command(
        "cd 02.Multi-Container-Data-Pipelines",
        pipeline_operations.project_structure,
        reason="the document's name for the folder; here it is the folder of the clone",
        instead="ls",
    ),
    Command("docker-compose up --build", pipeline_operations.first_start, until_ctrl_c=True),
    Command("docker-compose up -d", pipeline_operations.comes_up),
    Command("docker-compose ps", prints("database", "model-serve", "nginx", "(healthy)")),
    Command("docker-compose logs database", prints("database system is ready to accept connections")),
    Command("docker-compose logs data-prep", prints('"event":"finished"', '"rows":100')),
    Command("docker-compose logs model-train", prints('"event":"finished"', '"model_version":1')),
    Command("docker-compose logs model-serve", prints('"event":"model loaded"')),
    Command("docker-compose logs -f", talk=follows("database-1", "model-serve-1", "api-1", "prometheus-1")),
    Command("curl http://localhost:5000/health", pipeline_answers.healthy),
    Command("curl http://localhost:5000/", pipeline_answers.information),
    Command("curl http://localhost:5000/data/sample", pipeline_answers.sample),
    Command(PREDICT, pipeline_answers.eleven),
)

TESTING = (
    Command("docker-compose up --build", everything_runs, stays=True),
    Command(PREDICT, pipeline_answers.eleven),
    Command(COUNT, prints("count", " 100\n")),
    Command("docker-compose run --rm data-prep", prints("nothing to do: the rows are already there")),
    Command("docker-compose run --rm model-train", prints("nothing to do: this version is up to date")),
    Command("docker-compose run --rm model-serve", talk=pipeline_operations.serve_in_foreground),
)

TROUBLESHOOTING = (
    Command("lsof -i :5000", prints("LISTEN")),
    Command(
        MOVE_PORT,
        pipeline_operations.nginx_is_at_8080,
        reason="YAML, not a command; the port is a setting",
        instead="SERVE_PORT=8080 docker-compose up -d",
    ),
    Command("docker-compose logs database", prints("database system is ready to accept connections")),
    Command("docker-compose ps database", prints("database", "(healthy)")),
    Command("docker-compose ps", prints("database", "model-serve", "nginx", "(healthy)")),
    Command("docker-compose logs", prints("data-prep-1", "model-train-1", '"event":"finished"')),
    Command("docker-compose run --rm data-prep bash", talk=pipeline_operations.shell),
    Command(
        "docker-compose logs -f [service-name]",
        reason="a placeholder in brackets",
        instead="docker-compose logs -f model-serve",
        talk=follows("model-serve-1", '"event":"model loaded"'),
    ),
    Command("docker volume ls", pipeline_operations.volumes_are_listed),
    Command(
        "docker volume inspect [volume-name]",
        prints('"Mountpoint"', '"com.docker.compose.volume": "model_data"'),
        reason="a placeholder in brackets",
        instead="docker volume inspect PROJECT_model_data",
    ),
    Command("docker network ls", pipeline_operations.networks_are_listed),
    Command(
        "docker network inspect [network-name]",
        prints('"com.docker.compose.network": "ml-network"', "model-serve-1"),
        reason="a placeholder in brackets",
        instead="docker network inspect PROJECT_ml-network",
    ),
)

PRODUCTION_DEPLOYMENT = (
    Command("docker-compose up --scale model-serve=3", scaling.three_replicas, stays=True),
    Command(PRODUCTION, overlays.production, stays=True, settings=overlays.external_database),
    Command("docker-compose --env-file .env up", everything_runs, stays=True),
    Command("POSTGRES_PASSWORD=secure_password docker-compose up", passwords.secure, stays=True),
    Command(
        "docker-compose up --log-driver=json-file",
        overlays.logs_are_json_files,
        reason="no version of Compose has this flag; the driver is a setting",
        instead="LOG_DRIVER=json-file docker-compose up",
        stays=True,
    ),
    Command(
        MONITORING,
        overlays.monitoring,
        reason="Grafana's image is not on this machine and has no stand-in",
        instead=f"{MONITORING} --pull never --scale grafana=0",
        only_without=overlays.GRAFANA,
        stays=True,
    ),
)

COMMANDS = (*QUICK_START, *TESTING, *TROUBLESHOOTING, *PRODUCTION_DEPLOYMENT)

# The document's password on empty volumes as well; then the one of .env on volumes that know another.
ON_EMPTY_VOLUMES = (
    Command(f"{MONITORING.removesuffix('up')}down -v"),
    Command("POSTGRES_PASSWORD=secure_password docker-compose up", passwords.secure, stays=True),
)
