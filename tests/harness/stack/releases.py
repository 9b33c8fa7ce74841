"""Releases of a server: its image with another label, as another state of the code would make one."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.harness.stack.compose import Stack
from tests.harness.stack.containers import find

LABEL = "release"

# How an update treats requests is tested, and not how a busy machine keeps the api's time limits.
_PATIENT = {"CACHE_TIMEOUT_SECONDS": "2", "INSERT_TIMEOUT_SECONDS": "5", "QUEUE_TIMEOUT_SECONDS": "5"}


@dataclass(frozen=True)
class Releases:
    """A stack that was started with one more Compose file, in which the releases are written."""

    stack: Stack  # with that file in COMPOSE_FILE
    file: Path

    @classmethod
    def beside(cls, stack: Stack, folder: Path) -> Releases:
        """Return the same project, as seen by a command that names the file."""
        file = folder / "release.yaml"
        names = f"docker-compose.yaml:docker-compose.override.yaml:{file}"
        return cls(Stack(stack.environment | {"COMPOSE_FILE": names}), file)

    def write(self, service: str, release: str, **changed: Any) -> None:
        """Write a release of a service; `changed` is merged into its definition."""
        definition = {"build": {"labels": {LABEL: release}}, "environment": _PATIENT} | changed
        self.file.write_text(yaml.safe_dump({"services": {service: definition}}), encoding="utf-8")

    def start(self, service: str, replicas: int) -> None:
        """Start so many replicas of what is written."""
        scale = ("--scale", f"{service}={replicas}")
        self.stack.compose("up", "--detach", "--build", "--wait", "--no-deps", *scale, service)


def running(project: str, service: str) -> dict[str, str]:
    """Return the release that each replica runs, by container."""
    labels = {each.id: each.inspected["Config"]["Labels"] for each in find(project, service)}
    return {container: found.get(LABEL, "") for container, found in labels.items()}


def release_of_image(project: str, service: str) -> str:
    """Return the release of the image that the next `up` would start."""
    template = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    command = ["docker", "image", "inspect", "--format", template, f"{project}-{service}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
