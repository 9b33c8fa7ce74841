"""docker-compose -f docker-compose.yaml -f docker-compose.prod.yaml up."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.harness.production.external_stores import PASSWORD, run
from tests.harness.production.secret_files import KEYS, OWN_PASSWORDS
from tests.harness.production.stack import Production

PREDICT = {"features": [1.0, 2.0, 3.0]}


def test_local_databases_are_not_started(stack: Production) -> None:
    services = stack.compose("ps", "--all", "--services").split()

    assert "api" in services
    assert not {"database", "database-access", "postgres", "postgres-access"} & set(services)


def test_predictions_over_tls_are_logged_in_the_external_database(
    stack: Production, client: httpx.Client
) -> None:
    answer = client.post("/predict", json=PREDICT)

    assert answer.status_code == 200
    name = f"{stack.environment['COMPOSE_PROJECT_NAME']}-external"
    query = f"SELECT count(*) FROM predictions WHERE id = '{answer.json()['id']}'"  # noqa: S608
    psql = ("docker", "exec", name, "psql", "-U", "postgres", "-d", "predictions", "-Atc", query)
    assert run(*psql).strip() == "1"


@pytest.mark.parametrize("key", KEYS)
def test_two_keys_are_valid_at_once(client: httpx.Client, key: str) -> None:
    assert client.post("/predict", json=PREDICT, headers={"X-API-Key": key}).status_code == 200


@pytest.mark.parametrize("port", ["API_PORT", "SERVE_PORT"])
@pytest.mark.parametrize("key", [None, "", "wrong", KEYS[0][:-1]])
def test_without_a_valid_key_nobody_predicts(stack: Production, port: str, key: str | None) -> None:
    headers = {} if key is None else {"X-API-Key": key}

    answer = httpx.post(f"http://localhost:{stack.port(port)}/predict", json=PREDICT, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "X-API-Key" in answer.json()["detail"]


@pytest.mark.parametrize("port", ["API_PORT", "SERVE_PORT"])
def test_health_needs_no_key_and_metrics_stay_inside(stack: Production, port: str) -> None:
    address = f"http://localhost:{stack.port(port)}"

    assert httpx.get(f"{address}/health").status_code == 200
    assert httpx.get(f"{address}/metrics", headers={"X-API-Key": KEYS[0]}).status_code == 404


def test_too_many_requests_are_told_to_wait(client: httpx.Client) -> None:
    answers = [client.post("/predict", json=PREDICT) for _ in range(80)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.status_code for answer in answers} == {200, 429}
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json()["status"] == 429


def test_no_secret_shows_in_configuration_environment_or_logs(stack: Production) -> None:
    containers = stack.compose("ps", "--all", "--quiet").split()
    everything = stack.compose("config") + stack.compose("logs") + run("docker", "inspect", *containers)

    for secret in (PASSWORD, *OWN_PASSWORDS.values(), *KEYS):
        assert secret not in everything


def test_logs_rotate(stack: Production) -> None:
    services = json.loads(stack.compose("config", "--format", "json"))["services"]

    assert all(service["logging"]["options"]["max-size"] for service in services.values())


_DEMO = {
    "data-prep": ("DATABASE_URL_FILE", "postgresql://pipeline:pipeline-demo@elsewhere/dsproject"),
    "model-serve": ("DATABASE_URL_FILE", "postgresql://reader:reader-demo@elsewhere/dsproject"),
    "api": ("REDIS_URL_PASSWORD_FILE", "redis-demo"),
    "worker": ("AMQP_URL_PASSWORD_FILE", "rabbitmq-demo"),
    "model-monitor": ("DATABASE_URL_FILE", "postgresql://drift:drift-demo@elsewhere/predictions"),
}


@pytest.mark.parametrize("service", _DEMO)
def test_a_demo_password_is_refused_with_one_line(stack: Production, tmp_path: Path, service: str) -> None:
    variable, content = _DEMO[service]
    secret = tmp_path / "secret"
    secret.write_text(content)
    options = ("--volume", f"{secret}:/secret:ro", "--env", f"{variable}=/secret")

    output = stack.compose("run", "--rm", "--no-deps", "-T", *options, service, check=False)

    lines = [line for line in output.splitlines() if "demo password" in line]
    assert len(lines) == 1
    assert variable.partition("_URL")[0] in lines[0]
    assert "Traceback" not in output
