"""What nginx and the stores say when a secret cannot be used: one line, and they do not start."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.harness.production.certificates import write_certificate
from tests.harness.production.external_stores import PASSWORD, run
from tests.harness.production.secret_files import secret_file
from tests.harness.production.stack import Production
from tests.harness.repository_root import ROOT
from tests.harness.stack.waiting import wait_until


def unreadable(tls: Path) -> None:
    """Mode 0600, as private keys often have: nginx runs as another user."""
    (tls / "tls.key").chmod(0o600)


def mismatched(tls: Path) -> None:
    """The key of another certificate."""
    other = tls / "other"
    other.mkdir()
    write_certificate(other)
    (other / "tls.key").replace(tls / "tls.key")


def halved(tls: Path) -> None:
    """A certificate without a key."""
    (tls / "tls.key").unlink()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (unreadable, "present but unreadable"),
        (lambda tls: tls.chmod(0o700), "TLS_DIR on the host, is unreadable"),
        (mismatched, "key values mismatch"),
        (halved, "tls.key is missing"),
    ],
)
def test_nginx_does_not_start_with_a_pair_it_cannot_use(
    stack: Production, tmp_path: Path, damage: Callable[[Path], None], reason: str
) -> None:
    tmp_path.chmod(0o755)
    write_certificate(tmp_path)
    damage(tmp_path)
    careless = replace(stack, environment=stack.environment | {"TLS_DIR": str(tmp_path)})

    output = careless.compose("run", "--rm", "--no-deps", "-T", "nginx", "nginx", "-t", check=False)

    (line,) = [line for line in output.splitlines() if line.startswith("TLS: ")]
    assert reason in line
    assert "test is successful" not in output


@pytest.mark.parametrize(
    ("where", "content", "line"),
    [
        ("redis: redis_api_password", "", "the password of the user api is empty"),
        ("redis: redis_password", "redis-demo", "holds a demo password"),
        ("rabbitmq: rabbitmq_password", "a b", "letters, digits and -._~ only"),
        ("api: api_keys", "short", "at least 16 characters"),
        ("model-serve: reader_database_url", "", "is empty"),
    ],
)
def test_a_secret_that_cannot_be_used_is_one_line(
    stack: Production, tmp_path: Path, where: str, content: str, line: str
) -> None:
    service, name = where.split(": ")
    secrets = tmp_path / "secrets"
    shutil.copytree(stack.secrets, secrets)
    secret_file(secrets, name).write_text(content)
    careless = replace(stack, environment=stack.environment | {"SECRETS_DIR": str(secrets)})

    output = careless.compose("run", "--rm", "--no-deps", "-T", service, check=False)

    assert len([said for said in output.splitlines() if line in said]) == 1
    assert "Traceback" not in output


def test_a_missing_secret_is_named(stack: Production, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    shutil.copytree(stack.secrets, secrets)
    shutil.rmtree(secrets / "api_keys")
    careless = replace(stack, environment=stack.environment | {"SECRETS_DIR": str(secrets)})

    output = careless.compose("run", "--rm", "--no-deps", "-T", "api", check=False)

    assert f"{secrets}/api_keys" in output
    assert "does not exist" in output


@pytest.fixture
def other_servers(stack: Production) -> Iterator[tuple[str, str]]:
    """Two empty PostgreSQL servers on ports of their own; their host:port."""
    address = secret_file(stack.secrets, "database_exporter_uri").read_text().partition(":")[0]
    names = [f"{stack.environment['COMPOSE_PROJECT_NAME']}-{number}" for number in (1, 2)]
    command = ("docker", "run", "--detach", "--rm", "--env", f"POSTGRES_PASSWORD={PASSWORD}")
    try:
        for name in names:
            run(*command, "--name", name, "--publish", f"{address}::5432", "postgres:15-alpine")
        for name in names:
            probe = ("docker", "exec", name, "pg_isready", "-q", "-h", "127.0.0.1")
            wait_until(lambda probe=probe: subprocess.run(probe, check=False).returncode == 0, 60, name)  # type: ignore[misc]
        ports = [run("docker", "port", name, "5432").split()[0].rpartition(":")[2] for name in names]
        yield f"{address}:{ports[0]}", f"{address}:{ports[1]}"
    finally:
        run("docker", "rm", "--force", "--volumes", *names, check=False)


def test_the_commands_that_make_secrets_prints_make_the_roles(
    other_servers: tuple[str, str], tmp_path: Path
) -> None:
    """On other ports, with the secrets elsewhere; each role can log in with the password in its file."""
    secrets = tmp_path / "else where"
    environment = {"SECRETS_DIR": str(secrets), "PGPASSWORD": PASSWORD}

    printed = run("scripts/operate/make-secrets.sh", *other_servers, environment=environment)
    commands = "\n".join(line for line in printed.splitlines() if line.startswith("  "))
    run("bash", "-ec", commands, environment=environment)

    for name in ("pipeline", "reader", "inference", "drift"):
        url = secret_file(secrets, f"{name}_database_url").read_text().strip()
        assert run("psql", url, "-Atc", "SELECT current_user").strip() == name
    for uri in ("database_exporter_uri", "postgres_exporter_uri"):
        address = secret_file(secrets, uri).read_text().partition("?")[0]
        login = {"PGPASSWORD": secret_file(secrets, "monitor_password").read_text().strip()}
        assert (
            run("psql", f"postgresql://monitor@{address}", "-Atc", "SELECT 1", environment=login).strip()
            == "1"
        )


@pytest.mark.parametrize("arguments", [(), ("one",), ("--help", "two"), ("1", "2", "3")])
def test_a_usage_error_is_a_plain_line(arguments: tuple[str, ...]) -> None:
    command = ("scripts/operate/make-secrets.sh", *arguments)

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("Usage: scripts/operate/make-secrets.sh ")
