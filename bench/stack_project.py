"""The Compose project in which the benchmarks run the stack: its own name, its own ports on loopback."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.stores import ROOT

PROJECT, FIRST_PORT = "ml-stack-bench", 30_200  # of the api
_PORTS = ("API_PORT", "SERVE_PORT", "PROMETHEUS_PORT", "DATABASE_PORT", "POSTGRES_PORT", "REDIS_PORT")
ENVIRONMENT = {
    "COMPOSE_PROJECT_NAME": PROJECT,
    "BIND_ADDRESS": "127.0.0.1",
    **{name: str(FIRST_PORT + number) for number, name in enumerate(_PORTS)},
}


@contextmanager
def cleaned_up(*options: str) -> Iterator[None]:
    """Remove the project's containers, volumes and images at the end; `options` are Compose's."""
    try:
        yield
    finally:
        compose(*options, "down", "--volumes", "--remove-orphans", "--rmi", "local", "--timeout", "2")


def timed_up(*files: str) -> float:
    """Return the seconds until every service is healthy."""
    try:
        return timed(*files, "up", "--wait", "--no-build")
    except RuntimeError as error:
        raise RuntimeError(f"{error}\n{compose('logs', '--tail', '5')}") from error


def timed(*arguments: str) -> float:
    """Return the seconds that `docker compose` takes."""
    started = time.perf_counter()
    compose(*arguments)
    return time.perf_counter() - started


def compose(*arguments: str) -> str:
    """Run `docker compose` for the project; return what it prints."""
    return run("docker", "compose", *arguments)


def run(*command: str) -> str:
    """Run a command; return what it prints, raise RuntimeError with its last words if it fails."""
    environment = os.environ | ENVIRONMENT
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stdout + done.stderr)[-800:]
        raise RuntimeError(f"{' '.join(command[:3])} ended with {done.returncode}: {words}")
    return done.stdout
