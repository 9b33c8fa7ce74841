"""The stack in a Compose project of the tests' own: commands, addresses, containers."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx

from tests.harness.repository_root import ROOT
from tests.harness.stack.containers import Container, find

_STORES = ("DATABASE_PORT", "POSTGRES_PORT", "REDIS_PORT")
_WATCH = ("PROMETHEUS_PORT", "MONITOR_PORT", "GRAFANA_PORT", "ALERTMANAGER_PORT")
_PORTS = ("SERVE_PORT", "API_PORT", *_STORES, *_WATCH)
_COMPOSE = ("COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_ENV_FILES")
Finished = subprocess.CompletedProcess[str]


def settings() -> dict[str, str]:
    """Return what .env sets."""
    lines = (ROOT / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))


def terminal_environment() -> dict[str, str]:
    """Return the environment of a fresh terminal, where .env counts; but project and ports may be ours."""
    kept = {*_PORTS, "COMPOSE_PROJECT_NAME"}
    hidden = {*settings(), *_COMPOSE} - kept
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    project = environment.setdefault("COMPOSE_PROJECT_NAME", "ml-stack-test")
    assert project != settings()["COMPOSE_PROJECT_NAME"], "a user's stack: tests would delete its data"
    return environment


@dataclass(frozen=True)
class Stack:
    """A project; nothing is started by making one."""

    environment: dict[str, str] = field(default_factory=terminal_environment)

    @property
    def project(self) -> str:
        """The Compose project's name."""
        return self.environment["COMPOSE_PROJECT_NAME"]

    def port(self, name: str) -> int:
        """Return the host port in the variable `name`."""
        return int(self.environment.get(name) or settings()[name])

    @cached_property
    def serve(self) -> httpx.Client:
        """Flask, through the front door."""
        return self.client("SERVE_PORT")

    @cached_property
    def api(self) -> httpx.Client:
        """FastAPI, through the front door."""
        return self.client("API_PORT")

    @cached_property
    def prometheus(self) -> httpx.Client:
        """Prometheus."""
        return self.client("PROMETHEUS_PORT")

    def close_clients(self) -> None:
        """Close the clients that were used."""
        for client in vars(self).values():
            if isinstance(client, httpx.Client):
                client.close()

    def compose(
        self,
        *arguments: str,
        check: bool = True,
        seconds: float = 240,
        stdin: str = "",
        env: dict[str, str] | None = None,
    ) -> Finished:
        """Run `docker compose …` with `env` on top; with `check` fail unless it exits 0."""
        done = subprocess.run(
            ["docker", "compose", *arguments],
            cwd=ROOT, env=self.environment | (env or {}), input=stdin,
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        said = f"docker compose {' '.join(arguments)} exited {done.returncode}:\n{done.stdout}{done.stderr}"
        assert not check or done.returncode == 0, said
        return done

    def run_step(self, service: str, *options: str, env: dict[str, str] | None = None) -> Finished:
        """Run one service once with what runs already around it; the exit code is the caller's to judge."""
        return self.compose("run", "--rm", "--no-deps", "-T", *options, service, check=False, env=env)

    def psql(self, service: str, database: str, statement: str) -> str:
        """Return what the superuser's statement answers, unaligned."""
        command = ("psql", "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1", "-At", "-c", statement)
        return self.compose("exec", "-T", service, *command).stdout.strip()

    def redis(self, *command: str) -> str:
        """Return what redis-cli prints."""
        return self.compose("exec", "-T", "redis", "redis-cli", *command).stdout.strip()

    def containers(self, service: str = "") -> list[Container]:
        """Return a service's containers, or all of the project's; ended ones too."""
        return find(self.project, service)

    def container(self, service: str) -> Container:
        """Return the one container of a service."""
        (container,) = self.containers(service)
        return container

    def logged_ids(self) -> set[str]:
        """Return the ids in the prediction log."""
        return set(self.psql("postgres", "predictions", "SELECT id FROM predictions").split())

    def query(self, expression: str, **parameters: str) -> list[dict[str, Any]]:
        """Return what Prometheus answers to an instant query."""
        answer = self.prometheus.get("/api/v1/query", params={"query": expression} | parameters).json()
        assert answer["status"] == "success", f"{expression}: {answer['error']}"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def client(self, port: str) -> httpx.Client:
        """Return a client of what listens on the host port in the variable `port`."""
        return httpx.Client(base_url=f"http://localhost:{self.port(port)}", timeout=10, trust_env=False)
