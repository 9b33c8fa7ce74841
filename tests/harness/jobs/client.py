"""The stack with the profile async, as tests use it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.harness.stack.compose import Stack
from tests.harness.stack.containers import Container, inspect
from tests.harness.stack.waiting import wait_until

PROFILE = ("--profile", "async")


@dataclass
class Jobs:
    """The stack with the profile async."""

    stack: Stack

    def submit(self, *values: float, key: str | None = None) -> httpx.Response:
        """POST one job."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.stack.api.post("/jobs", json={"features": values}, headers=headers)

    def result(self, location: str, seconds: float = 60) -> dict[str, Any]:
        """Return the report of the job, once it has finished."""

        def finished() -> dict[str, Any] | None:
            answer = self.stack.api.get(location, params={"wait": 2})
            if answer.status_code >= 500:
                return None  # a container is restarting
            report: dict[str, Any] = answer.json()
            return report if report["state"] in {"completed", "failed"} else None

        report = wait_until(finished, seconds, f"{location} to finish")
        assert report is not None
        return report

    def sql(self, statement: str) -> list[str]:
        """Return the lines that the superuser's statement answers."""
        return self.stack.psql("postgres", "predictions", statement).splitlines()

    def unfinished(self) -> int:
        """Return how many jobs are not finished."""
        return int(self.sql("SELECT count(*) FROM jobs WHERE finished_at IS NULL")[0])

    def start(self, *options: str) -> None:
        """Start broker and workers where missing, and wait until they are healthy."""
        self.stack.compose(*PROFILE, "up", "--wait", "--no-recreate", *options, "rabbitmq", "worker")

    def stop(self, service: str) -> None:
        """Stop all containers of a service, as Compose does: SIGTERM first."""
        self.stack.compose(*PROFILE, "stop", service)

    def kill(self, service: str) -> None:
        """Crash every container of a service; they must be running."""
        for container in self.stack.containers(service):
            assert container.state == "running", f"{service} is {container.state}"
            container.kill()

    def lose_broker(self) -> None:
        """Remove the broker and its data."""
        self.stack.compose(*PROFILE, "rm", "--force", "--stop", "rabbitmq")
        volume = f"{self.stack.project}_rabbitmq_data"
        subprocess.run(["docker", "volume", "rm", volume], check=True, capture_output=True)

    def workers(self) -> list[Container]:
        """Return the workers' containers."""
        return self.stack.containers("worker")

    def metric(self, worker: Container, sample: str) -> float:
        """Return a sample of a worker's metrics; its gauges come with the first sweep."""
        metrics = httpx.get(f"http://{worker.address}:8001/metrics", trust_env=False, timeout=30)
        lines = metrics.text.splitlines()
        found = [float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{sample} ")]
        assert found, f"the worker has no {sample} yet"
        return found[0]

    def health_of(self, container: Container) -> str:
        """Return how the container is now."""
        return inspect([container.id])[0].health

    @staticmethod
    def eventually(condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Return when the condition is true; while containers restart, commands in them may fail."""

        def is_so() -> bool:
            try:
                return condition()
            except AssertionError:
                return False

        wait_until(is_so, seconds, what)

    def await_health(self, service: str, health: str = "healthy", seconds: float = 120) -> None:
        """Return when every container of the service is `health`."""

        def is_so() -> bool:
            found = self.stack.containers(service)
            return bool(found) and all(each.state == "running" and each.health == health for each in found)

        wait_until(is_so, seconds, f"{service} to be {health}")
