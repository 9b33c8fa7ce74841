"""The removal of a production stack after its tests."""

from __future__ import annotations

import json
from typing import Protocol

from tests.harness.production.external_stores import run

_EVERYTHING = ("--profile", "*", "down", "--volumes", "--remove-orphans", "--rmi", "local", "--timeout", "2")


class _Project(Protocol):
    @property
    def project(self) -> str: ...

    def compose(self, *arguments: str, check: bool = True) -> str: ...


def remove(stack: _Project) -> None:
    """Remove containers, networks, volumes and images; fail if a container is left on a network.

    Debian's engine sometimes keeps the endpoint of a container that was removed while it started (its name
    is that of the container, its key begins with `ep-`). It is released by force; then the network goes, too.
    """
    said = stack.compose(*_EVERYTHING, check=False)
    if "has active endpoints" in said:
        _release_endpoints_without_a_container(stack.project)
    stack.compose(*_EVERYTHING)


def _release_endpoints_without_a_container(project: str) -> None:
    label = f"label=com.docker.compose.project={project}"
    for network in run("docker", "network", "ls", "--quiet", "--filter", label).split():
        (inspected,) = json.loads(run("docker", "network", "inspect", network))
        for key, endpoint in inspected["Containers"].items():
            assert key.startswith("ep-"), f"{endpoint['Name']} is still on {inspected['Name']}"
            run("docker", "network", "disconnect", "--force", network, endpoint["Name"])
