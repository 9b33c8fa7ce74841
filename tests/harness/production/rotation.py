"""A changed secret, as an operator changes it, while both servers are under load."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from tests.harness.monitoring.images import OVERLAY
from tests.harness.production.external_stores import run
from tests.harness.production.secret_files import KEYS, secret_file
from tests.harness.production.stack import Production
from tests.harness.stack.containers import Container, find
from tests.harness.stack.kept_load import Load
from tests.harness.stack.waiting import wait_until

SECONDS = 10.0  # what docs/operations.md promises
LASTING_KEY = KEYS[1]  # of the load: other keys come and go
PREDICT = {"values": [5.0]}
_PORTS = {"api": 8000, "model-serve": 5000}
_UNLIMITED = {"RATE_LIMIT": "10000", "RATE_BURST": "10000", "DRIFT_INTERVAL_SECONDS": "1"}
_EXPORTERS = ("postgres-exporter", "database-exporter", "redis-exporter")
_SERVICES = ("nginx", "worker", "model-monitor", *_EXPORTERS, *_PORTS)


def with_two_replicas(stack: Production) -> Production:
    """Scale both servers, add what else holds a secret, lift the rate limit, which the load would meet."""
    wide = replace(stack, files=(*stack.files, OVERLAY), environment=stack.environment | _UNLIMITED)
    scale = [part for service in _PORTS for part in ("--scale", f"{service}=2")]
    wide.compose("--profile", "async", "up", "--wait", "--pull", "never", *scale, *_SERVICES)
    return wide


def replicas(stack: Production, service: str) -> list[Container]:
    """Return the containers of a service."""
    return find(stack.environment["COMPOSE_PROJECT_NAME"], service)


@contextmanager
def under_load(stack: Production, *more_certificates: Path) -> Iterator[None]:
    """Ask both servers over HTTPS all the time; in the end fail unless all answers were 200."""
    trust = ssl.create_default_context(cafile=stack.secrets / "tls" / "tls.crt")
    for certificate in more_certificates:
        trust.load_verify_locations(cafile=certificate)
    addresses = [f"https://localhost:{stack.port(name)}" for name in ("API_TLS_PORT", "SERVE_TLS_PORT")]
    headers = {"X-API-Key": LASTING_KEY}
    loads = [Load(f"{address}/predict", PREDICT, 2, headers, trust) for address in addresses]
    with ExitStack() as running:
        for load in loads:
            running.enter_context(load)
            load.wait_for(10)
        yield
        for load in loads:
            load.wait_for(20)
    for load in loads:
        load.assert_all_answered()


def replace_secret(stack: Production, name: str, content: str) -> None:
    """Put a new file in the place of the old one, as editors, `sed -i`, `mv` and Ansible do."""
    file = secret_file(stack.secrets, name)
    draft = file.with_name(".value.draft")
    draft.write_text(content + "\n")
    draft.chmod(0o644)
    draft.replace(file)


def statuses(stack: Production, key: str) -> set[int]:
    """Return what every replica of both servers answers to this key, not through nginx."""
    return {
        httpx.post(
            f"http://{container.address}:{port}/predict",
            json=PREDICT,
            headers={"X-API-Key": key},
            trust_env=False,
        ).status_code
        for service, port in _PORTS.items()
        for container in replicas(stack, service)
    }


def api_reports(stack: Production, *fields: str) -> set[tuple[str, ...]]:
    """Return these fields of /health of every replica of the api."""
    reports = [
        httpx.get(f"http://{container.address}:8000/health", trust_env=False).json()
        for container in replicas(stack, "api")
    ]
    return {tuple(str(report[field]) for field in fields) for report in reports}


def await_line(stack: Production, service: str, text: str, count: int = 1) -> None:
    """Return when so many containers of the service have logged a line with `text`."""

    def logged() -> bool:
        logs = [run("docker", "logs", container.id) for container in replicas(stack, service)]
        return sum(text in log for log in logs) >= count

    wait_until(logged, SECONDS, f"{text!r} in the log of {service}")


def exec_in(stack: Production, service: str, *command: str, **environment: str) -> str:
    """Run a command in the container of a service; return what it prints, whether or not it fails."""
    options = [part for name in environment for part in ("--env", name)]
    (container,) = replicas(stack, service)
    return run(
        "docker", "exec", *options, container.id, *command, environment=environment, check=False
    ).strip()


def external_name(stack: Production) -> str:
    """Return the container of the external PostgreSQL."""
    return stack.environment["COMPOSE_PROJECT_NAME"] + "-external"


def sql(stack: Production, statement: str) -> str:
    """Run a statement as the administrator of the external PostgreSQL."""
    psql = ("psql", "-U", "postgres", "-d", "predictions", "-v", "ON_ERROR_STOP=1", "-Atc", statement)
    return run("docker", "exec", external_name(stack), *psql, environment=dict(os.environ)).strip()


def database_address(stack: Production) -> str:
    """Return host:port of the external PostgreSQL."""
    return (stack.secrets / "database_exporter_uri" / "value").read_text().partition("/")[0]
