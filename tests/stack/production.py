"""The production overlay on this machine: an external PostgreSQL, secrets, a certificate, free ports."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = ("-f", "docker-compose.yaml", "-f", "docker-compose.prod.yaml")
KEYS = ("first-key-0123456789", "second-key-0123456789")
PASSWORD = "external-0123456789"


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(*command: str, environment: dict[str, str] | None = None, check: bool = True) -> str:
    """Return the output of a command, standard error included."""
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
    )
    output = done.stdout + done.stderr
    assert not check or done.returncode == 0, f"{' '.join(command)} exited {done.returncode}:\n{output}"
    return output


@dataclass(frozen=True)
class Production:
    """A running production stack."""

    environment: dict[str, str]
    secrets: Path

    def port(self, name: str) -> int:
        """Return the host port in the variable `name`."""
        return int(self.environment[name])

    def compose(self, *arguments: str, check: bool = True) -> str:
        """Run docker compose with the production files."""
        return run("docker", "compose", *FILES, *arguments, environment=self.environment, check=check)


@contextmanager
def external_postgres(name: str) -> Iterator[str]:
    """Run a PostgreSQL outside the stack, with both databases and their roles; yield its host:port."""
    bridge = run("docker", "network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Gateway}}").strip()
    address = bridge or "172.17.0.1"
    port = free_port()
    server = [
        *("docker", "run", "--detach", "--rm", "--name", name, "--publish", f"{address}:{port}:5432"),
        *("--env", f"POSTGRES_PASSWORD={PASSWORD}", "--env", "POSTGRES_DB=dsproject"),
        *("--volume", f"{ROOT}/database:/training:ro", "--volume", f"{ROOT}/postgres:/log:ro"),
        "postgres:15-alpine",
    ]
    run(*server)
    try:
        _await_postgres(name)
        _make_roles(name)
        yield f"{address}:{port}"
    finally:
        run("docker", "rm", "--force", "--volumes", name)


def _await_postgres(name: str) -> None:
    deadline = time.monotonic() + 30
    probe = ("docker", "exec", name, "pg_isready", "-q", "-h", "127.0.0.1")
    while subprocess.run(probe, check=False).returncode != 0:
        assert time.monotonic() < deadline, "the external PostgreSQL did not start"
        time.sleep(0.2)


def _make_roles(name: str) -> None:
    """Do what docs/operations.md tells an administrator to do."""
    passwords = [
        f"{role}_PASSWORD={PASSWORD}" for role in ("PIPELINE", "READER", "INFERENCE", "MONITOR", "WORKER")
    ]
    environment = [part for password in passwords for part in ("--env", password)]
    psql = ("docker", "exec", *environment, name, "psql", "-v", "ON_ERROR_STOP=1", "-U", "postgres")
    run(*psql, "-c", "CREATE DATABASE predictions")
    run(*psql, "-d", "dsproject", "-f", "/training/access.sql")
    run(*psql, "-d", "predictions", "-f", "/log/access.sql")


def write_secrets(folder: Path, address: str) -> None:
    """Write what docs/operations.md lists, and a certificate for localhost."""
    secrets = {
        "pipeline_database_url": f"postgresql://pipeline:{PASSWORD}@{address}/dsproject",
        "reader_database_url": f"postgresql://reader:{PASSWORD}@{address}/dsproject",
        "inference_database_url": f"postgresql://inference:{PASSWORD}@{address}/predictions",
        "redis_password": "redis-0123456789",
        "rabbitmq_password": "rabbitmq-0123456789",
        "api_keys": "\n".join(KEYS),
    }
    for name, content in secrets.items():
        (folder / name).write_text(content + "\n")
        (folder / name).chmod(0o644)
    tls = folder / "tls"
    tls.mkdir()
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", str(tls / "tls.key"), "-out", str(tls / "tls.crt"))
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files)
    (tls / "tls.key").chmod(0o644)


@contextmanager
def production_stack(secrets: Path) -> Iterator[Production]:
    """Start the stack with the production files against an external PostgreSQL; remove it afterwards."""
    project = os.environ.get("COMPOSE_PROJECT_NAME", "ml-stack-test") + "-prod"
    names = ("SERVE_PORT", "API_PORT", "SERVE_TLS_PORT", "API_TLS_PORT", "PROMETHEUS_PORT")
    environment = {name: str(free_port()) for name in names} | {
        "COMPOSE_PROJECT_NAME": project,
        "SECRETS_DIR": str(secrets),
        "TLS_DIR": str(secrets / "tls"),
        "RATE_LIMIT": "20",
        "RATE_BURST": "20",
    }
    stack = Production(environment, secrets)
    with external_postgres(f"{project}-external") as address:
        write_secrets(secrets, address)
        try:
            stack.compose("up", "--build", "--wait")
            yield stack
        finally:
            stack.compose("down", "--volumes", "--remove-orphans", "--timeout", "2", "--rmi", "local")
