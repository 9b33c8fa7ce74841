"""Whether every replica of both servers follows the model volume in time."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from tests.harness.stack.compose import Stack

INSIDE = {"api": 8000, "model-serve": 5000}  # the ports of the containers themselves
FOLLOW_SECONDS = 2.0  # README: servers follow within two seconds


def retrain(stack: Stack, **settings: str) -> None:
    """Make other data, train on them and let the quality gate promote the version."""
    for step in ("data-prep", "model-train", "model-evaluate"):
        done = stack.run_step(step, env=settings)
        assert done.returncode == 0, done.stdout + done.stderr


def pages(stack: Stack, path: str) -> list[str]:
    """Return where each replica itself is asked for a path."""
    return [
        f"http://{each.address}:{port}{path}"
        for server, port in INSIDE.items()
        for each in stack.containers(server)
    ]


def health_pages(stack: Stack) -> list[str]:
    """Return where each replica itself is asked for its health."""
    return pages(stack, "/health")


def served_version(stack: Stack) -> int:
    """Return the version that the link `current` names."""
    link = stack.compose("exec", "-T", "model-serve", "readlink", "/models/current").stdout
    return int(link.rpartition("/")[2])


def await_followed(stack: Stack, urls: list[str]) -> None:
    """Return when every replica answers from the current version, which must be within two seconds."""
    ended = time.monotonic()
    version = served_version(stack)
    await_replicas(urls, ended, lambda answer: answer.json()["model_version"] == version)


def await_replicas(urls: list[str], since: float, noticed: Callable[[httpx.Response], bool]) -> None:
    """Return when every replica has noticed, which must be within two seconds since then."""
    with httpx.Client(timeout=10, trust_env=False) as client:
        while not all(noticed(client.get(url)) for url in urls):
            assert time.monotonic() < since + FOLLOW_SECONDS, "a replica has not followed"
            time.sleep(0.05)
