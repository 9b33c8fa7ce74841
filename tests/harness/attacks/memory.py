"""How much memory a container takes, as its engine counts it against the limit."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.harness.stack.containers import Container


def memories(containers: list[Container]) -> dict[str, int]:
    """Return the bytes that each container takes, by its id; the engine needs a second for each."""
    with ThreadPoolExecutor(len(containers)) as pool:
        return dict(zip((each.id for each in containers), pool.map(memory, containers), strict=True))


def memory(container: Container) -> int:
    """Return the bytes in use, without the file cache that the kernel can drop."""
    socket = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    with httpx.Client(transport=httpx.HTTPTransport(uds=socket), timeout=30) as engine:
        path = f"http://engine/containers/{container.id}/stats"
        counted = engine.get(path, params={"stream": "false", "one-shot": "true"}).json()["memory_stats"]
    details = counted["stats"]
    return int(counted["usage"]) - int(details.get("total_inactive_file", details.get("inactive_file", 0)))
