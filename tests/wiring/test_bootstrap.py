"""What `make up` prepares is what the Compose files need: base images, free ports."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess

import pytest

from tests.harness.repository import COMBINATIONS, dockerfiles, read, services, settings
from tests.harness.repository_root import ROOT


def _run(*command: str, **changed: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which("docker"):
        pytest.skip("no docker command: these scripts ask Compose through it")
    environment = {name: value for name, value in os.environ.items() if name not in settings()}
    return subprocess.run(
        command, cwd=ROOT, env=environment | changed, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_needed_images_are_those_that_compose_does_not_build(combination: str) -> None:
    public = {service["image"] for service in services(combination).values() if "build" not in service}
    bases = {base for path in dockerfiles() for base in re.findall(r"^FROM (\S+)", read(path), re.MULTILINE)}
    files, profiles = COMBINATIONS[combination]

    done = _run(
        "scripts/bootstrap/base-images.sh", "needed",
        COMPOSE_FILE=":".join(files), COMPOSE_PROFILES=",".join(profiles),
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == sorted(public | bases)


@pytest.mark.parametrize("script", [["base-images.sh", "needed"], ["ports.sh"]], ids=" ".join)
def test_compose_files_that_cannot_be_read_fail(script: list[str]) -> None:
    services("plain")  # skips where there is no Compose

    done = _run(f"scripts/bootstrap/{script[0]}", *script[1:], COMPOSE_FILE="no-such-file.yaml")

    assert done.returncode != 0
    assert "no-such-file.yaml" in done.stderr


def test_a_published_port_in_use_is_named_with_its_variable() -> None:
    if _run("docker", "info").returncode != 0:
        pytest.skip("no container engine answers")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])

        taken = _run("scripts/bootstrap/ports.sh", API_PORT=port)
        unused = _run("scripts/bootstrap/ports.sh", MONITOR_PORT=port)  # of a service that is not enabled

    assert taken.returncode == 1
    (line,) = [line for line in taken.stderr.splitlines() if line.startswith(f"port {port} ")]
    assert f"API_PORT={int(port) + 10_000} make" in line
    assert f"port {port} " not in unused.stderr
