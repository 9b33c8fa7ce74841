"""The production overlay on this machine: an external PostgreSQL, secrets, a certificate, free ports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.processes.stores import free_port
from tests.harness.production.external_stores import PASSWORD, empty_databases, external_postgres, run
from tests.harness.production.removal import remove
from tests.harness.production.secret_files import write_secrets

_FILES = ("docker-compose.yaml", "docker-compose.prod.yaml")
_WATCH = ("PROMETHEUS_PORT", "MONITOR_PORT", "GRAFANA_PORT", "ALERTMANAGER_PORT")
_PORTS = ("SERVE_PORT", "API_PORT", "SERVE_TLS_PORT", "API_TLS_PORT", *_WATCH)


@dataclass(frozen=True)
class Production:
    """A running production stack, as these Compose files define it."""

    environment: dict[str, str]
    secrets: Path
    files: tuple[str, ...] = _FILES
    address: str = ""  # of the external PostgreSQL

    def port(self, name: str) -> int:
        """Return the host port in the variable `name`."""
        return int(self.environment[name])

    @property
    def project(self) -> str:
        """The Compose project's name."""
        return self.environment["COMPOSE_PROJECT_NAME"]

    def administrator(self) -> dict[str, str]:
        """Return the settings that lead scripts to the external databases."""
        url = f"postgresql://postgres:{PASSWORD}@{self.address}"
        return {"DATABASE_ADMIN_URL": f"{url}/dsproject", "POSTGRES_ADMIN_URL": f"{url}/predictions"}

    def empty_databases(self) -> None:
        """Make the external databases anew."""
        empty_databases(f"{self.project}-external")

    def psql(self, database: str, statement: str) -> str:
        """Return what the external server's superuser is answered, unaligned."""
        psql = ("psql", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-Atc", statement)
        return run("docker", "exec", f"{self.project}-external", *psql).strip()

    def compose(self, *arguments: str, check: bool = True) -> str:
        """Run docker compose with the production files."""
        files = [part for name in self.files for part in ("-f", name)]
        return run("docker", "compose", *files, *arguments, environment=self.environment, check=check)


@contextmanager
def production_stack(secrets: Path) -> Iterator[Production]:
    """Start the stack with the production files against an external PostgreSQL; remove it afterwards."""
    with empty_production(secrets, "prod") as stack:
        stack.compose("up", "--build", "--wait")
        yield stack


@contextmanager
def empty_production(secrets: Path, name: str) -> Iterator[Production]:
    """Give everything that the production files need, without starting them; remove it afterwards."""
    project = f"{os.environ.get('COMPOSE_PROJECT_NAME', 'ml-stack-test')}-{name}"
    environment = {name: str(free_port()) for name in _PORTS} | {
        "COMPOSE_PROJECT_NAME": project,
        "SECRETS_DIR": str(secrets),
        "TLS_DIR": str(secrets / "tls"),
        "RATE_LIMIT": "20",
        "RATE_BURST": "20",
    }
    with external_postgres(f"{project}-external") as address:
        write_secrets(secrets, address)
        stack = Production(environment, secrets, address=address)
        try:
            yield stack
        finally:
            remove(stack)
