"""A PostgreSQL outside the stack, prepared as docs/operations.md tells an administrator to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.harness.processes.stores import free_port
from tests.harness.repository_root import ROOT
from tests.harness.stack.waiting import wait_until

PASSWORD = "external-0123456789"
_ROLES = ("PIPELINE", "READER", "INFERENCE", "DRIFT", "MONITOR")


def run(*command: str, environment: dict[str, str] | None = None, check: bool = True) -> str:
    """Return the output of a command, standard error included."""
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
    )
    output = done.stdout + done.stderr
    assert not check or done.returncode == 0, f"{' '.join(command)} exited {done.returncode}:\n{output}"
    return output


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
        probe = ("docker", "exec", name, "pg_isready", "-q", "-h", "127.0.0.1")
        wait_until(lambda: subprocess.run(probe, check=False).returncode == 0, 30, "the external PostgreSQL")
        _make_roles(name)
        yield f"{address}:{port}"
    finally:
        run("docker", "rm", "--force", "--volumes", name)


def empty_databases(name: str) -> None:
    """Make both databases anew, as for a new server; the roles are there already."""
    psql = ("docker", "exec", name, "psql", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres")
    run(*psql, *("-c", "DROP DATABASE dsproject WITH (FORCE)"), *("-c", "CREATE DATABASE dsproject"))
    run(*psql, "-c", "DROP DATABASE predictions WITH (FORCE)")
    _make_roles(name)


def _make_roles(name: str) -> None:
    environment = [part for role in _ROLES for part in ("--env", f"{role}_PASSWORD={PASSWORD}")]
    psql = ("docker", "exec", *environment, name, "psql", "-v", "ON_ERROR_STOP=1", "-U", "postgres")
    run(*psql, "-c", "CREATE DATABASE predictions")
    run(*psql, "-d", "dsproject", "-f", "/training/access.sql")
    run(*psql, "-d", "predictions", "-f", "/log/access.sql")
