"""Operations on containers, by the docker command line."""

from __future__ import annotations

import json
import subprocess

from tests.harness.stack.containers import Container
from tests.harness.stack.waiting import wait_until


def pause(container: Container) -> None:
    """Freeze all processes of a container; the engine does not always succeed at once."""
    wait_until(lambda: _succeeds("pause", container.id), 20, f"{container.service} to freeze")


def unpause(container: Container) -> None:
    """Resume all processes of a container."""
    docker("unpause", container.id)


def stop(container: Container) -> None:
    """Stop a container; its DNS name disappears, too."""
    docker("stop", "--time", "5", container.id)


def start(container: Container) -> None:
    """Start it again."""
    docker("start", container.id)


def _succeeds(*arguments: str) -> bool:
    return (
        subprocess.run(["docker", *arguments], capture_output=True, timeout=60, check=False).returncode == 0
    )


def containers_on(network: str) -> str:
    """Return the containers on a network, as JSON with their full ids."""
    return json.dumps(json.loads(docker("network", "inspect", network))[0]["Containers"])


def docker(*arguments: str, stdin: str = "") -> str:
    """Run a docker command and return what it prints; fail unless it exits with 0."""
    done = subprocess.run(
        ["docker", *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout
